"""The elements of pages: Panel, widgets' labels, panes of words, cards, and their look."""

from collections.abc import Callable
from html import escape
from typing import Any

from apexr.plots._style import holoviews

CSS = """
body { margin: 0; background: #f4f5f7; font-family: sans-serif; color: #1a1a1a; }
"""
CARD = {
    "background": "white",
    "border": "1px solid #d9dce1",
    "border-radius": "6px",
    "padding": "8px 10px",
}
HEAD = {"background": "#1f3a5f", "color": "white", "padding": "6px 14px"}
LAST = {"margin-left": "auto"}
"""For what stands at the end of a line."""
WIDE = {"flex": "1 1 790px", "min-width": "0", "max-width": "100%"}
"""For the views: next to the table where both have room, else below it."""
WARNING = {"background": "#fff4e5", "border-left": "4px solid #d55e00", "padding": "6px 10px"}
"""For what failed or cannot be shown."""


def text(words: str, tag: str = "div", **options: Any) -> Any:
    """Return words as a pane; whatever they hold is shown as it is."""
    return panel().pane.HTML(f"<{tag}>{escape(words)}</{tag}>", margin=(0, 5), **options)


def told(words: str, tag: str = "div") -> str:
    """Return the HTML of words, for a pane that is there already."""
    lines = "<br>".join(escape(line) for line in words.splitlines())
    return f"<{tag}>{lines}</{tag}>" if words else ""


def card(*parts: Any, **options: Any) -> Any:
    """Return parts below each other, on white."""
    sizing = {} if "width" in options else {"sizing_mode": "stretch_width"}
    return panel().Column(*parts, styles=CARD, margin=(6, 6), **sizing, **options)


def heading(title: str, *parts: Any) -> Any:
    """Return the bar on top of a page."""
    pn = panel()
    said = f"<h1 style='font-size:17px;margin:0'>{escape(title)}</h1>"
    name = pn.pane.HTML(said, styles={"color": "white"}, margin=(8, 10))
    return pn.FlexBox(name, *parts, styles=HEAD, sizing_mode="stretch_width", margin=0)


# --- Panel, loaded when the first page is made --------------------------------------------------


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
