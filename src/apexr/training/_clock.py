"""How much of a stretch of time JAX spent compiling."""

import contextlib
import threading
import time
from types import TracebackType

import jax.monitoring

_COMPILE_EVENTS = (
    "/jax/core/compile/jaxpr_to_mlir_module_duration",
    "/jax/core/compile/backend_compile_duration",
)


class Clock:
    """A context that measures wall time, and apart from it what compilation took of it.

    Compilation in other threads takes nothing of it, and does not count.
    """

    def __init__(self) -> None:
        self.compile_seconds = 0.0
        self._started = 0.0
        self._thread = threading.get_ident()
        self._ended: float | None = None

    def __enter__(self) -> "Clock":
        jax.monitoring.register_event_duration_secs_listener(self._listen)
        self._started = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended = time.perf_counter()
        with contextlib.suppress(AssertionError, ValueError):  # somebody cleared all listeners
            jax.monitoring.unregister_event_duration_listener(self._listen)

    def _listen(self, event: str, duration_secs: float, **_: str | int) -> None:
        if event in _COMPILE_EVENTS and threading.get_ident() == self._thread:
            self.compile_seconds += duration_secs

    @property
    def wall_seconds(self) -> float:
        """Wall time, so far or until the end."""
        return (self._ended or time.perf_counter()) - self._started

    @property
    def work_seconds(self) -> float:
        """Wall time without compilation."""
        return max(self.wall_seconds - self.compile_seconds, 0.0)
