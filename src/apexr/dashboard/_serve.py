"""A page from this machine: all scripts and styles come from here, none from the internet."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apexr.dashboard._explorer import explorer
from apexr.dashboard._records import Records
from apexr.dashboard._require import panel
from apexr.dashboard._study import study_page
from apexr.dashboard._style import CSS
from apexr.errors import SpecError


def show_study(path: str | os.PathLike[str], *, port: int = 0, show: bool = True) -> None:
    """Serve :func:`study_page` on this machine until it is interrupted.

    Parameters
    ----------
    path
        The study.
    port
        0 takes any that is free.
    show
        Whether to open a browser.

    Raises
    ------
    StoreError
        If ``path`` is not a study.
    SpecError
        If the port cannot be had.
    MissingExtraError
        If a package of the ``plot`` extra is not installed.
    """
    panel()
    Records(path)  # what is no study is refused before anything is served
    serve(lambda: study_page(path), Path(str(path)).name, port=port, show=show)


def show_explorer(scenario: str | None = None, *, port: int = 0, show: bool = True) -> None:
    """Serve :func:`explorer` on this machine until it is interrupted.

    Parameters
    ----------
    scenario
        Key of the scenario that is shown first.
    port, show
        As for :func:`show_study`.

    Raises
    ------
    SpecError
        If there is no such scenario, or the port cannot be had.
    MissingExtraError
        If a package of the ``plot`` extra is not installed.
    """
    from apexr.dashboard._data import check_key

    panel()
    if scenario is not None:
        check_key(scenario)
    serve(lambda: explorer(scenario), "apexr: data of the scenarios", port=port, show=show)


def serve(
    make: Callable[[], Any], title: str, *, port: int, show: bool, threaded: bool = False
) -> Any:
    """Serve a page; every browser that opens it gets its own."""
    pn = panel()
    if not 0 <= port < 2**16:
        raise SpecError(f"a port is a number from 0 to {2**16 - 1}, got {port}")

    def page() -> Any:
        pn.config.raw_css = [CSS]
        return make()

    try:
        return pn.serve(
            {"/": page},
            title=title,
            port=port,
            show=show,
            threaded=threaded,
            address="127.0.0.1",
            websocket_origin="*" if port == 0 else [f"localhost:{port}", f"127.0.0.1:{port}"],
        )
    except OSError as error:
        raise SpecError(f"port {port} cannot be had ({error.strerror}); take another") from error
