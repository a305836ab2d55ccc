"""The moment before an update, as callbacks and trackers see it."""

import dataclasses
import functools
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from jaxtyping import Array, Float

from apexr.errors import SpecError
from apexr.training._chunk import Static, Work, first_gradients


class Moment:
    """The state of a training before an update. Nothing is computed or fetched until asked for.

    Attributes
    ----------
    update_step
        The number of updates made before.
    seeds
        The seeds; arrays lead with them.
    losses
        ``(seed,)``: the loss of the mini-batch that the update sees. It may still be on its way;
        NumPy waits for it.
    """

    def __init__(
        self,
        seeds: tuple[int, ...],
        params: Any,
        tested: Any,
        losses: Float[Array, " seed"],
        static: Static,
        work: Work,
    ) -> None:
        self.update_step = int(work.first_update)
        self.seeds = seeds
        self.losses = losses
        self._params, self._tested, self._static, self._work = params, tested, static, work

    @functools.cached_property
    def emulators(self) -> Any:
        """The emulators, on their devices; arrays lead with the seeds, those of solvers aside."""
        return self._static.emulator(self._tested, self._work.constants)

    @property
    def weights(self) -> Any:
        """The trained part of the emulators: a tree of arrays that lead with the seeds."""
        return self._params

    @property
    def tested(self) -> Any:
        """The weights of :attr:`emulators`: averages, where the optimizer keeps some."""
        return self._tested

    @functools.cached_property
    def gradients(self) -> Any:
        """The gradients of :attr:`losses` by :attr:`weights`, of the same form."""
        return first_gradients(self._params, self._work, self._static)


class Hook(Protocol):
    """A hook that a training calls before some of its updates: a tracker, or a recorder.

    Attributes
    ----------
    every
        It is called before updates 0, every, 2 every, …
    """

    @property
    def every(self) -> int:
        """The interval in updates."""

    def __call__(self, moment: Moment) -> Any:
        """Look at a moment. A recorder returns arrays by name, which lead with the seeds."""


@dataclasses.dataclass(frozen=True)
class Tracker:
    """A function as a tracker."""

    every: int
    function: Callable[[Moment], Any]

    def __call__(self, moment: Moment) -> None:
        """Call the function."""
        self.function(moment)


def tracker(every: int) -> Callable[[Callable[[Moment], Any]], Tracker]:
    """Return the decorator that makes a function of a :class:`Moment` a tracker.

    Examples
    --------
    >>> @tracker(every=100)
    ... def watch(moment):
    ...     print(moment.update_step, moment.losses)
    """
    return lambda function: Tracker(every, function)


def check_trackers(trackers: Any) -> tuple[Hook, ...]:
    """Return trackers after a look at them.

    Raises
    ------
    SpecError
        If one cannot be called, or has no interval.
    """
    several = isinstance(trackers, Iterable) and not isinstance(trackers, str)
    for one in trackers if several else (trackers,):
        every = getattr(one, "every", None)
        whole = isinstance(every, int) and not isinstance(every, bool) and every > 0
        if not (several and whole and callable(one)):
            raise SpecError(
                "trackers must be a list of objects that are called with a Moment and have an"
                f" attribute every, a positive integer (see apexr.training.tracker); got {one!r}"
            )
    return tuple(trackers)
