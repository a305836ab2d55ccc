"""Statistics of the training data, put into those parts of emulators that keep some."""

import math
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float

from apexr._typing import Step
from apexr.networks import Moments, Statistics
from apexr.training import Streamed

BLOCK_BYTES = 2**24
"""How much of the data is looked at at once."""

Trajectories = Float[Array, "sample frame channel *space"] | Streamed


def needs_statistics(emulators: Any) -> bool:
    """Tell whether emulators keep statistics of the training data."""
    return any(map(_is_statistics, jax.tree.leaves(emulators, is_leaf=_is_statistics)))


def fitted(emulators: Step, trajectories: Trajectories) -> Any:
    """Return emulators that hold the statistics of these data; others come back as they are.

    Parameters
    ----------
    emulators
        One emulator, or those of all seeds.
    trajectories
        The training data.
    """
    if not needs_statistics(emulators):
        return emulators
    moments = moments_of(trajectories)
    return jax.tree.map(
        lambda node: node.measured(moments) if _is_statistics(node) else node,
        emulators,
        is_leaf=_is_statistics,
    )


def _is_statistics(node: Any) -> bool:
    return isinstance(node, Statistics)


def moments_of(trajectories: Trajectories) -> Moments:
    """Return the statistics of trajectories over samples, frames and points.

    Data are added up in double precision, one block of a trajectory after another, so that those
    that are read and those in memory have the same statistics, to the last bit.
    """
    states, steps = _Sums(), _Sums()
    for block, fresh in _blocks(trajectories):
        states.add(block[fresh:])
        steps.add(np.diff(block, axis=0))
    return Moments(
        mean=states.mean,
        deviation=states.deviation,
        root_mean_square=states.root_mean_square,
        step_deviation=steps.deviation,
        step_root_mean_square=steps.root_mean_square,
    )


def _blocks(
    trajectories: Trajectories,
) -> Iterator[tuple[Float[np.ndarray, "frame channel *space"], int]]:
    """Yield frames of each trajectory, the last one before them in front, and how many that is."""
    num_samples, num_frames = trajectories.shape[:2]
    size = max(1, BLOCK_BYTES // (8 * math.prod(trajectories.shape[2:])))
    held = trajectories if isinstance(trajectories, Streamed) else None
    values: Any = np.asarray(trajectories) if held is None else None
    for sample in range(num_samples):
        for first in range(0, num_frames, size):
            begin, end = max(first - 1, 0), min(first + size, num_frames)
            frames = values[sample, begin:end] if held is None else held.read(sample, begin, end)
            yield np.asarray(frames, np.float64), first - begin


class _Sums:
    """Counts, means and sums of squared deviations of each channel, block by block.

    Two sets are joined as in Chan, Golub and LeVeque (1983), doi:10.2307/2683386.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean: Any = 0.0
        self.squares: Any = 0.0

    def add(self, block: Float[np.ndarray, "frame channel *space"]) -> None:
        """Count a block."""
        channels = np.moveaxis(block, 1, 0).reshape(block.shape[1], -1)
        count = channels.shape[1]
        if not count:
            return
        mean = channels.mean(axis=1)
        squares = ((channels - mean[:, None]) ** 2).sum(axis=1)
        apart, whole = mean - self.mean, self.count + count
        self.squares = self.squares + squares + apart**2 * (self.count * count / whole)
        self.mean = self.mean + apart * (count / whole)
        self.count = whole

    @property
    def deviation(self) -> Float[np.ndarray, " channel"]:
        """The standard deviation of the population."""
        return np.sqrt(self.squares / max(1, self.count))

    @property
    def root_mean_square(self) -> Float[np.ndarray, " channel"]:
        """The root mean square."""
        return np.sqrt(self.squares / max(1, self.count) + np.square(self.mean))
