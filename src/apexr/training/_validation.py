"""Validation during a training: which weights are kept, and when a seed stops.

It happens before every update whose loss is recorded, and once after the last. Its findings
is part of a checkpoint, so that an interrupted training goes on as if it had not been.
"""

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from apexr.kernels import frames_first
from apexr.training._batches import count_windows
from apexr.training._chunk import (
    KEPT_PROGRAMS,
    Constants,
    Static,
    Work,
    over_seeds,
    summed_losses,
)
from apexr.training._mesh import BATCH_AXIS
from apexr.training._standing import Validation
from apexr.training._stream import Streamed

BLOCK_BYTES = 2**27
"""Bytes of trajectories that are read at once, where they are not held in memory."""


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
