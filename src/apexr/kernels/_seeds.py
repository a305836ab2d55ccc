"""The seeds of a device: one after another, or as many at once as its memory holds.

On a CPU the arrays of one seed stay in the cache. An accelerator is not filled by a small network,
and batched seeds cost it little more than one.
"""

import math
from collections.abc import Callable
from typing import Any

import jax

SHARE = 0.5
"""Part of a device's memory that what the gradients of a batch of seeds need may take."""


def map_seeds(one: Callable[[Any], Any], seeds: Any, at_once: int) -> Any:
    """Return a function's results for all seeds, which the leaves of ``seeds`` lead with.

    Parameters
    ----------
    one
        Takes the arrays of one seed.
    seeds
        Those of all.
    at_once
        How many seeds make a batch; it divides their number. One means one after another.
    """
    count = _count(seeds)
    if at_once == 1:
        return jax.lax.map(one, seeds)
    if at_once == count:
        return jax.vmap(one)(seeds)
    groups = jax.tree.map(lambda a: a.reshape(-1, at_once, *a.shape[1:]), seeds)
    made = jax.lax.map(jax.vmap(one), groups)
    return jax.tree.map(lambda a: a.reshape(count, *a.shape[2:]), made)


def _count(seeds: Any) -> int:
    return int(jax.tree.leaves(seeds)[0].shape[0])


def seeds_at_once(count: int, each: int, room: float) -> int:
    """Return the largest number of seeds that divides ``count`` and fits.

    Parameters
    ----------
    count
        Seeds of a device.
    each
        Bytes that one of them needs.
    room
        Bytes that all of a batch may take.
    """
    fitting = (size for size in range(count, 1, -1) if count % size == 0 and size * each <= room)
    return next(fitting, 1)


def gradient_bytes(loss: Callable[[Any], Any], params: Any) -> int:
    """Return the bytes that a gradient keeps from the way forward; nothing is computed.

    Their gradients take about as much again.
    """
    kept = jax.eval_shape(lambda params: jax.vjp(loss, params)[1], params)
    sizes = (leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(kept))
    return 2 * sum(sizes)


def room_for_gradients() -> float:
    """Return the bytes that batched seeds may take on a device; endless where it tells no limit.

    It does not depend on what else is in the memory at the moment: one training has one form.
    """
    told = jax.local_devices()[0].memory_stats() or {}
    return SHARE * told.get("bytes_limit", math.inf)
