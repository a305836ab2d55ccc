"""From the beginning of an experiment to its end: loggers give hooks, hooks are closed."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import xarray as xr

from apexr.trackers._kind import Logger, Subject, Watcher
from apexr.training import Hook

Finish = Callable[[xr.Dataset], None]


@contextlib.contextmanager
def attending(
    trackers: Sequence[Watcher], subject: Subject
) -> Iterator[tuple[tuple[Hook, ...], Finish]]:
    """Give the hooks of one experiment, and the function that takes its result.

    The loggers' hooks are closed when the block ends, however it ends: with the result, or with
    None where there is none.
    """
    results: list[xr.Dataset] = []
    with contextlib.ExitStack() as stack:
        hooks = []
        for one in trackers:
            hook: Any = one.start(subject) if isinstance(one, Logger) else one
            hooks.append(hook)
            if isinstance(one, Logger) and hasattr(hook, "close"):
                stack.callback(_close, hook, results)
        yield tuple(hooks), results.append


def _close(hook: Any, results: list[xr.Dataset]) -> None:
    hook.close(results[0] if results else None)
