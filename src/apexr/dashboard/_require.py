"""Panel, loaded when the first page is made."""

from collections.abc import Callable
from typing import Any

from apexr.plots._style import holoviews


def panel() -> Any:
    """Return the module panel with what the pages need of it."""
    import panel as pn
    import panel.models.tabulator

    holoviews()
    return pn


def label(words: str) -> dict[str, str]:
    """Return the option that gives a widget its label; Panel before 1.9 calls it a name."""
    return {"label" if "label" in panel().widgets.Widget.param else "name": words}


def served() -> Any:
    """Return the document of the browser that is being answered; None in tests and notebooks."""
    document = panel().state.curdoc
    return document if document is not None and document.session_context is not None else None


MOMENT = 40
"""Milliseconds."""


def soon(act: Callable[[], None], after: int = MOMENT) -> Callable[[], None]:
    """Return a function that has ``act`` done once for all calls of the next moment.

    A slider that is dragged tells of each step; only where it is by then is drawn.

    Parameters
    ----------
    act
        The function to call.
    after
        Milliseconds until then.
    """
    waiting = False

    def run() -> None:
        nonlocal waiting
        waiting = False
        act()

    def call() -> None:
        nonlocal waiting
        document = served()
        if document is None:
            act()
        elif not waiting:
            waiting = True
            document.add_timeout_callback(run, after)

    return call
