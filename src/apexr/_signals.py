"""SIGTERM as an exception: how batch systems end a job."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from apexr.errors import Terminated


def terminate(*_: object) -> NoReturn:
    """Answer SIGTERM: raise :class:`apexr.errors.Terminated`."""
    raise Terminated


@contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """Let SIGTERM raise :class:`apexr.errors.Terminated` in the main thread, as Ctrl-C raises.

    A handler that somebody else has set, or that SIGTERM is ignored, stays as it is.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
