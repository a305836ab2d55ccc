"""Which windows each update sees: a fresh permutation every epoch."""

import contextlib
import math
from collections.abc import Sequence

import jax
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from apexr.errors import SpecError
from apexr.kernels import SMALL, DrawOnHost, UnknownDrawError, can_draw_on_host, jit_once

FEW = 100
"""Permutations up to which drawing them one by one takes less time than a program's compilation."""


def batch_indices(
    keys: PRNGKeyArray, *, num_windows: int, batch_size: int, num_updates: int
) -> Int[np.ndarray, "seed update batch"]:
    """Return the windows of every mini-batch of every seed.

    Every epoch goes through a new permutation; the key of an epoch is the first half of the
    split key of the epoch before. A short last batch is filled up by repeating its last window,
    which :func:`batch_weights` takes out again.
    """
    epochs = math.ceil(num_updates / math.ceil(num_windows / batch_size))
    order = _orders(keys, num_windows, epochs).astype(np.int32)
    order = np.pad(order, ((0, 0), (0, 0), (0, -num_windows % batch_size)), mode="edge")
    return order.reshape(len(keys), -1, batch_size)[:, :num_updates]


def _orders(
    keys: PRNGKeyArray, num_windows: int, epochs: int
) -> Int[np.ndarray, "seed epoch window"]:
    """Return the permutations of all epochs, few ones without compiling for it."""
    size = len(keys) * epochs * num_windows
    if len(keys) * epochs <= FEW and size < SMALL and can_draw_on_host():
        with contextlib.suppress(UnknownDrawError):  # of another generator: compiled below
            return _orders_on_host(list(np.asarray(keys)), num_windows, epochs)
    return np.asarray(_permutations(size)(keys, num_windows, epochs))


def _next_epoch(key: PRNGKeyArray, num_windows: int) -> tuple[PRNGKeyArray, Int[Array, " window"]]:
    return jax.random.split(key)[0], jax.random.permutation(key, num_windows)


def _orders_on_host(
    keys: Sequence[np.ndarray], num_windows: int, epochs: int
) -> Int[np.ndarray, "seed epoch window"]:
    draw, orders = DrawOnHost(lambda key: _next_epoch(key, num_windows), jax.jit), []
    for _ in range(epochs):
        keys, order = draw(keys)
        orders.append(order)
    return np.stack(orders, axis=1)


def _permute(keys: PRNGKeyArray, num_windows: int, epochs: int) -> Int[Array, "seed epoch window"]:
    def one(key: PRNGKeyArray) -> Array:
        return jax.lax.scan(lambda key, _: _next_epoch(key, num_windows), key, length=epochs)[1]

    return jax.vmap(one)(keys)


_permutations = jit_once(_permute, static_argnames=("num_windows", "epochs"))


def batch_weights(
    *, num_windows: int, batch_size: int, num_updates: int
) -> Float[np.ndarray, "update batch"]:
    """Return the weight of each window of each batch in the mean: zero for filled-up places."""
    per_epoch = math.ceil(num_windows / batch_size)
    place = np.arange(per_epoch * batch_size).reshape(per_epoch, batch_size)
    held = (place < num_windows).astype(jax.dtypes.canonicalize_dtype(float))
    weights = held / held.sum(axis=1, keepdims=True)
    return np.resize(weights, (num_updates, batch_size))


def count_windows(num_samples: int, num_frames: int, window_length: int) -> int:
    """Return how many overlapping windows a set of trajectories holds.

    Raises
    ------
    SpecError
        If a window is longer than the trajectories.
    """
    if window_length > num_frames:
        raise SpecError(
            f"a training window of {window_length} frames (initial state included) does not fit"
            f" into trajectories of {num_frames} frames; unroll at most {num_frames - 1} steps"
            " or raise train_temporal_horizon"
        )
    return num_samples * (num_frames - window_length + 1)
