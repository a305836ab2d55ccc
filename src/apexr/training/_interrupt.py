"""Ctrl-C as a request: the training stops where it can be gone on with.

A training that runs in a thread of a worker never sees a Ctrl-C; whoever started it asks with
:func:`ask_to_stop` instead.
"""

import signal
import threading
from types import TracebackType
from typing import Any

_ASKED = threading.Event()


def ask_to_stop(wanted: bool = True) -> None:
    """Let the trainings of this process, in whatever thread, stop as after a first Ctrl-C.

    It stays so until it is taken back with ``ask_to_stop(False)``.
    """
    if wanted:
        _ASKED.set()
    else:
        _ASKED.clear()


class Interruption:
    """A context in which the first Ctrl-C is noted; a second one interrupts at once.

    Parameters
    ----------
    enabled
        If false, Ctrl-C keeps its meaning. So it does outside of the main thread, where Python
        allows no handlers, and where it is ignored.
    """

    def __init__(self, *, enabled: bool) -> None:
        self._noted = False
        self._enabled = enabled and threading.current_thread() is threading.main_thread()
        self._before: Any = None

    def __enter__(self) -> "Interruption":
        if self._enabled and signal.getsignal(signal.SIGINT) not in (None, signal.SIG_IGN):
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def _note(self, *_: object) -> None:
        self._noted = True
        self._restore()

    @property
    def requested(self) -> bool:
        """Whether the training shall stop."""
        return self._noted or _ASKED.is_set()

    def obey(self, done: int, updates: int) -> None:
        """Interrupt, if that was asked for.

        Raises
        ------
        KeyboardInterrupt
            Saying how far the training is.
        """
        if self.requested:
            raise KeyboardInterrupt(
                f"stopped after {done} of {updates} updates; the same call goes on from there"
            )

    def _restore(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()
