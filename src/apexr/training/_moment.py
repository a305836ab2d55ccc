"""The moment before an update, as callbacks and trackers see it."""

import functools
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Array, Float

from apexr.training._chunk import Recipe, Work, first_gradients


class Moment:
    """What can be known just before an update. Nothing is computed or fetched until asked for.

    Attributes
    ----------
    update_step
        The number of updates made before.
    seeds
        The seeds; arrays lead with them.
    """

    def __init__(
        self, seeds: tuple[int, ...], params: Any, losses: Array, recipe: Recipe, work: Work
    ) -> None:
        self.update_step = int(work.first_update)
        self.seeds = seeds
        self._params, self._losses, self._recipe, self._work = params, losses, recipe, work

    @functools.cached_property
    def losses(self) -> Float[np.ndarray, " seed"]:
        """The loss of the mini-batch that the update is about to see."""
        return np.asarray(self._losses)

    @functools.cached_property
    def emulators(self) -> Any:
        """The emulators, on their devices; arrays lead with the seeds, those of solvers aside."""
        return self._recipe.emulator(self._params, self._work.constants)

    @property
    def weights(self) -> Any:
        """What is trained of the emulators: a tree of arrays that lead with the seeds."""
        return self._params

    @functools.cached_property
    def gradients(self) -> Any:
        """The gradients of :attr:`losses` by :attr:`weights`, of the same form."""
        return first_gradients(self._params, self._work, self._recipe)


@runtime_checkable
class Hook(Protocol):
    """What a training calls before some of its updates: a tracker, or a recording callback.

    Attributes
    ----------
    every
        It is called before updates 0, every, 2 every, …
    """

    every: int

    def __call__(self, moment: Moment) -> Mapping[str, Any] | None:
        """Look at a moment; return arrays to record by name, leading with the seeds, or None."""
