"""Validation during a training: which weights are kept, and when a seed stops.

It happens before every update whose loss is recorded, and once after the last. Its findings
is part of a checkpoint, so that an interrupted training goes on as if it had not been.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from apexr.kernels import frames_first
from apexr.training._batches import count_windows
from apexr.training._chunk import (
    KEPT_PROGRAMS,
    NEVER,
    Constants,
    Static,
    Work,
    over_seeds,
    summed_losses,
)
from apexr.training._mesh import BATCH_AXIS
from apexr.training._stream import Streamed

BLOCK_BYTES = 2**27
"""Bytes of trajectories that are read at once, where they are not held in memory."""

Score = Callable[[Any], Float[np.ndarray, " seed"]]
"""Takes emulators, whose arrays lead with the seeds, to one number each."""


@dataclasses.dataclass(frozen=True)
class Validation:
    """The validation of a training: what is measured besides the loss, and what follows from it.

    Attributes
    ----------
    trajectories
        Data that are not trained on, in memory or read when they are needed.
    score
        The metric that decides on the best weights and on the end of a seed; None is the loss.
    keep_best
        Whether the weights with the best score are given back, not the last ones.
    patience
        After so many scores in a row that are no better than the best, a seed stops; 0 is never.
    perfect
        The score that none is better than: the nearer to it, the better.
    """

    trajectories: Float[Array, "sample frame channel *space"] | Streamed
    score: Score | None = None
    keep_best: bool = False
    patience: int = 0
    perfect: float = 0.0


class Standing(NamedTuple):
    """The findings of validation so far; all lead with the seeds.

    Attributes
    ----------
    distance, update
        How far the best score is from a perfect one, and the updates that had been made.
    waited
        Scores since then.
    stopped_at
        The updates after which a seed stopped, or -1.
    weights
        The best weights, where they are kept.
    """

    distance: Float[np.ndarray, " seed"]
    update: Int[np.ndarray, " seed"]
    waited: Int[np.ndarray, " seed"]
    stopped_at: Int[np.ndarray, " seed"]
    weights: Any = None

    @classmethod
    def fresh(cls, num_seeds: int, weights: Any) -> "Standing":
        """Return what is known before the first validation."""
        count = np.zeros(num_seeds, np.int64)
        endless = np.full(num_seeds, np.inf)
        return cls(endless, count, count, np.full(num_seeds, NEVER, np.int64), weights)

    @property
    def running(self) -> Bool[np.ndarray, " seed"]:
        """Which seeds have not stopped."""
        return self.stopped_at == NEVER

    def after(
        self,
        scores: Float[np.ndarray, " seed"],
        update: int,
        weights: Any,
        validation: Validation,
    ) -> "Standing":
        """Return the standing after one more validation of the seeds that run.

        A score that is not finite is no better than anything; of equal ones the first is best.
        """
        patience, distance = validation.patience, np.abs(scores - validation.perfect)
        better = self.running & np.isfinite(scores) & (distance < self.distance)
        waited = np.where(better, 0, self.waited + self.running)
        over = self.running & (waited >= patience) if patience else np.zeros_like(better)
        kept = self.weights
        if kept is not None and better.any():
            kept = _chosen(better, weights, kept)
        return Standing(
            np.where(better, distance, self.distance),
            np.where(better, update, self.update),
            waited,
            np.where(over, update, self.stopped_at),
            kept,
        )

    def selected(
        self, last: Any, stopped_at: Int[np.ndarray, " seed"], updates: int
    ) -> tuple[Any, Int[np.ndarray, " seed"]]:
        """Return the weights to test and after how many updates they were.

        Of a seed whose scores were never finite, these are the last ones.
        """
        found = np.isfinite(self.distance)
        end = np.where(stopped_at == NEVER, updates, stopped_at)
        if self.weights is None:
            return last, end
        return _chosen(found, self.weights, last), np.where(found, self.update, end)


@jax.jit
def _chosen(first: Bool[Array, " seed"], ours: Any, others: Any) -> Any:
    """Return weights that are the first ones for some seeds, and the others for the rest."""

    def pick(mine: Array, other: Array) -> Array:
        return jnp.where(first.reshape(-1, *(1,) * (mine.ndim - 1)), mine, other)

    return jax.tree.map(pick, ours, others)


class Validator:
    """The validation of one training.

    Parameters
    ----------
    validation
        The objective to validate.
    static, constants
        Those of the training.
    batch_size
        Windows that go through an emulator at a time.
    """

    def __init__(
        self, validation: Validation, static: Static, constants: Constants, batch_size: int
    ) -> None:
        data = validation.trajectories
        objective = static.objective.plain
        self.validation = validation
        self._constants, self._emulator = constants, static.emulator
        self._static = dataclasses.replace(
            static, objective=objective, num_frames=int(data.shape[1])
        )
        self._per_trajectory = count_windows(1, int(data.shape[1]), objective.window_length)
        self._batch_size = batch_size
        self._held = None if isinstance(data, Streamed) else self._placed(np.asarray(data))

    def losses(self, weights: Any) -> Float[np.ndarray, " seed"]:
        """Return the mean loss of each seed over all windows, without what random noise adds."""
        total: Any = 0.0
        for frames, held, size in self._blocks():
            total = total + self._summed(weights, frames, held, size)
        count = self._per_trajectory * len(self.validation.trajectories)
        return np.asarray(total, np.float64) / count

    def scores(
        self, weights: Any, losses: Float[np.ndarray, " seed"]
    ) -> Float[np.ndarray, " seed"]:
        """Return what weights are chosen by."""
        if self.validation.score is None:
            return losses
        emulators = self._emulator(weights, self._constants)
        return np.asarray(self.validation.score(emulators), np.float64)

    def _placed(self, block: np.ndarray) -> Any:
        return jax.device_put(frames_first(block), self._static.everywhere)

    def _blocks(self) -> Iterator[tuple[Any, int, int]]:
        """Yield frames, how many trajectories of them count, and how many there are."""
        data = self.validation.trajectories
        if not isinstance(data, Streamed):
            yield self._held, len(data), len(data)
            return
        size = min(len(data), max(1, BLOCK_BYTES * len(data) // max(1, data.nbytes)))
        for first in range(0, len(data), size):
            block = data[first : first + size]
            filled = np.concatenate([block, np.repeat(block[-1:], size - len(block), axis=0)])
            yield self._placed(filled), len(block), size

    def _summed(self, weights: Any, frames: Any, held: int, size: int) -> np.ndarray:
        """Return the sum of the losses over the windows of some trajectories."""
        count, total = held * self._per_trajectory, size * self._per_trajectory
        batch = min(self._batch_size, total)
        batch += -batch % self._static.mesh.shape[BATCH_AXIS]
        place = np.arange(total + -total % batch).reshape(-1, batch)
        counted = (place < count).astype(jax.dtypes.canonicalize_dtype(float))
        num_seeds = jax.tree.leaves(weights)[0].shape[0]
        indices = np.minimum(place, total - 1).astype(np.int32)
        work = Work(
            self._constants,
            frames,
            np.broadcast_to(indices, (num_seeds, *indices.shape)),
            counted,
            np.int32(0),
            np.int32(len(place)),
        )
        return np.asarray(_compiled_losses(self._static)(weights, work))


@functools.lru_cache(maxsize=KEPT_PROGRAMS)
def _compiled_losses(static: Static) -> Any:
    return jax.jit(over_seeds(lambda params, work: summed_losses(params, work, static), static))
