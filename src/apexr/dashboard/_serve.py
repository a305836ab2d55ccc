"""A page from this machine: all scripts and styles come from here, none from the internet."""

from collections.abc import Callable
from typing import Any

from apexr.dashboard._require import panel
from apexr.dashboard._style import CSS


def serve(
    make: Callable[[], Any],
    title: str,
    *,
    port: int = 0,
    show: bool = True,
    threaded: bool = False,
) -> Any:
    """Serve a page until it is interrupted; every browser that opens it gets its own.

    Parameters
    ----------
    make
        Returns the page.
    title
        Of the browser's tab.
    port
        0 takes any that is free.
    show
        Whether to open a browser.
    threaded
        Whether to serve in the background and return the server at once.
    """
    pn = panel()

    def page() -> Any:
        pn.config.raw_css = [CSS]
        return make()

    return pn.serve(
        {"/": page},
        title=title,
        port=port,
        show=show,
        threaded=threaded,
        address="127.0.0.1",
        websocket_origin="*" if port == 0 else [f"localhost:{port}", f"127.0.0.1:{port}"],
    )
