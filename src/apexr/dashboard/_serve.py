"""A page from this machine: all scripts and styles come from here, none from the internet."""

import functools
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apexr._signals import terminate
from apexr.dashboard._document import document
from apexr.dashboard._elements import panel
from apexr.dashboard._explorer import explorer
from apexr.dashboard._records import Records
from apexr.dashboard._study import study_page
from apexr.errors import SpecError, Terminated

HOST = "127.0.0.1"
_MISDIRECTED = 421


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

    try:
        port = port or _free_port()
        own = [f"{host}:{port}" for host in ("localhost", HOST)]
        server = pn.serve(
            {"/": lambda: document(make())},
            title=title,
            port=port,
            show=show,
            start=threaded,
            threaded=threaded,
            address=HOST,
            websocket_origin=own,
            transforms=[functools.partial(_OwnHost, own)],
        )
    except OSError as error:
        raise SpecError(f"port {port} cannot be had ({error.strerror}); take another") from error
    if not threaded:
        _run(server)
    return server


def _run(server: Any) -> None:
    """Serve until an interrupt or SIGTERM.

    An exception that SIGTERM raises may come where Python ignores it, as while it frees the memory
    of a page that was closed; the loop is asked to end instead.
    """
    ended = False

    def end(*_: object) -> None:
        nonlocal ended
        ended = True
        server.io_loop.add_callback_from_signal(server.io_loop.stop)

    ours = signal.getsignal(signal.SIGTERM) is terminate
    if ours:
        signal.signal(signal.SIGTERM, end)
    try:
        server.start()
        server.io_loop.start()
    finally:
        if ours:
            signal.signal(signal.SIGTERM, terminate)
    if ended:
        raise Terminated


class _OwnHost:
    """A filter of Tornado's answers: none goes to a page that has another name for us.

    A page of the internet can give its own name the address of this machine; what asks under that
    name may be run by that page.
    """

    def __init__(self, own: list[str], request: Any) -> None:
        self._refused = request.host not in own

    def transform_first_chunk(
        self, status_code: int, headers: Any, chunk: bytes, finishing: bool
    ) -> tuple[int, Any, bytes]:
        """Return status, headers and first bytes of an answer."""
        if not self._refused:
            return status_code, headers, chunk
        kept = type(headers)({"Content-Length": "0"} if finishing else {})
        return _MISDIRECTED, kept, b""

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        """Return further bytes of an answer."""
        return b"" if self._refused else chunk


def _free_port() -> int:
    """Return a port of this machine that is free; pages are answered to its own address alone."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
