"""Ctrl-C and SIGTERM as requests: the training stops where it can be continued.

A training that runs in a thread of a worker never sees a signal; whoever started it asks with
:func:`ask_to_stop` instead.
"""

import logging
import signal
import threading
from types import TracebackType
from typing import Any

from apexr._signals import terminate
from apexr.errors import Terminated

_ASKED = threading.Event()
_log = logging.getLogger(__name__)


def ask_to_stop(wanted: bool = True) -> None:
    """Let the trainings of this process, in whatever thread, stop as after a first Ctrl-C.

    It stays so until it is taken back with ``ask_to_stop(False)``.
    """
    if wanted:
        _ASKED.set()
    else:
        _ASKED.clear()


def asked_to_stop() -> bool:
    """Tell whether the trainings of this process are asked to stop."""
    return _ASKED.is_set()


class Interruption:
    """A context in which the first Ctrl-C or SIGTERM is noted; a second one ends at once.

    Parameters
    ----------
    enabled
        If false, both keep their meaning. So they do outside of the main thread, where Python
        allows no handlers, and where they are ignored; SIGTERM does, too, where the program has a
        handler of its own.
    """

    def __init__(self, *, enabled: bool) -> None:
        self._noted: int | None = None
        self._enabled = enabled and threading.current_thread() is threading.main_thread()
        self._untold = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interruption":
        if self._enabled:
            if signal.getsignal(signal.SIGINT) not in (None, signal.SIG_IGN):
                self._before[signal.SIGINT] = signal.signal(signal.SIGINT, self._note)
            if signal.getsignal(signal.SIGTERM) in (signal.SIG_DFL, terminate):
                self._before[signal.SIGTERM] = signal.signal(signal.SIGTERM, self._note)
        return self

    def _note(self, number: int, *_: object) -> None:
        self._noted = number
        self._untold = self._before.get(number) is signal.SIG_DFL
        self._restore()

    @property
    def requested(self) -> bool:
        """Whether the training shall stop."""
        return self._noted is not None or _ASKED.is_set()

    def obey(self, done: int, updates: int) -> None:
        """Interrupt, if that was asked for.

        Raises
        ------
        KeyboardInterrupt
            Saying how far the training is.
        Terminated
            The same after SIGTERM.
        """
        if not self.requested:
            return
        text = f"stopped after {done} of {updates} updates; the same call goes on from there"
        if self._noted != signal.SIGTERM:
            raise KeyboardInterrupt(text)
        if self._untold:  # a program of the user's, which ends without a word
            _log.warning(text)
        raise Terminated(text)

    def _restore(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()
