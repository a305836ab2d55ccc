"""Knowledge of objectives that add noise: how far training data spread, and keys of their own."""

import dataclasses
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from apexr.training._chunk import Constants, Static
from apexr.training._stream import Streamed

_NOISE = 0x4E4F4953
"""Tells the keys of the noise from those of the mini-batches, which are split from the same."""


def with_spread(
    constants: Constants,
    trajectories: Float[Array, "sample frame channel *space"] | Streamed,
    static: Static,
) -> Constants:
    """Return constants that hold the spread of the data, where the objective needs it."""
    if not static.objective.is_noisy:
        return constants
    spread = jax.device_put(spread_of(trajectories), static.everywhere)
    return dataclasses.replace(constants, spread=spread)


def spread_of(
    trajectories: Float[Array, "sample frame channel *space"] | Streamed,
) -> Float[np.ndarray, " channel"]:
    """Return the standard deviation of each channel over all trajectories, one after another."""
    streamed = isinstance(trajectories, Streamed)
    held: Any = trajectories if streamed else np.asarray(trajectories)
    total: Any = 0.0
    squares: Any = 0.0
    for sample in range(held.shape[0]):
        states = np.asarray((held[sample : sample + 1] if streamed else held[sample][None])[0])
        states = states.astype(np.float64)
        axes = (0, *range(2, states.ndim))
        total = total + states.mean(axis=axes)
        squares = squares + (states**2).mean(axis=axes)
    variance = squares / held.shape[0] - (total / held.shape[0]) ** 2
    return np.sqrt(np.maximum(variance, 0)).astype(jax.dtypes.canonicalize_dtype(float))


def noise_keys(shuffle_keys: PRNGKeyArray) -> np.ndarray:
    """Return the key of each seed from which the noise of its updates is drawn."""
    return np.asarray(jax.vmap(lambda key: jax.random.fold_in(key, _NOISE))(shuffle_keys))
