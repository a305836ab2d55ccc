"""Sets of initial states."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._fits import is_traced
from apexr.errors import SpecError
from apexr.initial._channels import for_channels
from apexr.initial._kind import InitialCondition
from apexr.kernels import Ahead, jit_once, prepare_host_devices
from apexr.spectral import Grid

MAX_SEED = 2**32

BLOCK = 10
"""States that one program draws in 1D, where they are small; of others, one at a time is faster.

Sets of every size share the program, and so have the same bits.
"""


def sample_set(
    initial_condition: InitialCondition,
    grid: Grid,
    *,
    num_samples: int,
    num_channels: int = 1,
    seed: int,
) -> Float[Array, "sample channel *space"]:
    """Return initial states, each channel drawn for itself.

    A chain of keys starts at the seed; each link gives one sample. The first samples of a set
    are therefore the same whatever its size.

    Parameters
    ----------
    initial_condition
        The initial condition; see :data:`INITIAL_CONDITIONS`. One for a single channel is drawn
        for each channel; of a sample's key, split, each gets one.
    grid
        The grid of the states.
    num_samples, num_channels
        Sizes, at least 1.
    seed
        At least 0 and below 2³².

    Raises
    ------
    SpecError
        If a number is out of its range, or the grid or the number of channels does not fit the
        initial condition.
    """
    _check_whole("seed", seed, 0, MAX_SEED)
    prepare_host_devices()
    key = jax.random.PRNGKey(np.uint32(seed))
    return sample_from(
        initial_condition, grid, key, num_samples=num_samples, num_channels=num_channels
    )


def sample_from(
    initial_condition: InitialCondition,
    grid: Grid,
    key: PRNGKeyArray,
    *,
    num_samples: int,
    num_channels: int = 1,
) -> Float[Array, "sample channel *space"]:
    """Return the initial states that :func:`sample_set` draws, from a key in place of a seed."""
    _check_whole("num_samples", num_samples, 1)
    _check_whole("num_channels", num_channels, 1)
    condition = for_channels(initial_condition, num_channels)
    initial_condition.check(grid)
    traced = is_traced(key)  # what is compiled already takes no options of its own
    draw = _sample_block if traced else _drawing(grid, num_channels)
    blocks = []
    for _ in range(0, num_samples, _block(grid)):
        key, states = draw(condition, grid, key)
        blocks.append(states)
    if traced:
        return jnp.concatenate(blocks)[:num_samples]
    # By way of the host: on the device, each number of blocks would have a program of its own.
    return jax.device_put(np.concatenate(blocks)[:num_samples])


def compile_samples(
    initial_condition: InitialCondition, grid: Grid, *, num_channels: int = 1
) -> Ahead:
    """Compile what :func:`sample_set` runs, while others work."""
    condition = for_channels(initial_condition, num_channels)
    key = jax.eval_shape(jax.random.PRNGKey, 0)
    return Ahead(_drawing(grid, num_channels).lower(condition, grid, key))


def _check_whole(name: str, value: Any, minimum: int, end: int | None = None) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < minimum or (end is not None and value >= end):
        limit = "" if end is None else f" and below {end}"
        raise SpecError(f"{name} must be an integer of at least {minimum}{limit}, got {value!r}")


def _sample_block(
    initial_condition: InitialCondition, grid: Grid, key: PRNGKeyArray
) -> tuple[PRNGKeyArray, Array]:
    """Return the next states of a chain of keys, and the chain's key behind them."""

    def link(chain: PRNGKeyArray, _: None) -> tuple[PRNGKeyArray, PRNGKeyArray]:
        chain, sample_key = jax.random.split(chain)
        return chain, sample_key

    def draw(sample_key: PRNGKeyArray) -> Array:
        return initial_condition.sample(grid, sample_key)

    chain, sample_keys = jax.lax.scan(link, key, length=_block(grid))
    return chain, jax.vmap(draw)(sample_keys)


_draw = jit_once(_sample_block, static_argnames=("initial_condition", "grid"))


def _block(grid: Grid) -> int:
    return BLOCK if grid.num_spatial_dims == 1 else 1


def _drawing(grid: Grid, num_channels: int) -> Any:
    """Return the jitted function that draws a block."""
    return _draw(_block(grid) * num_channels * math.prod(grid.shape))
