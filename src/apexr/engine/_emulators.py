"""Freshly drawn emulators, one for every seed."""

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from apexr._compile import jit_once
from apexr.engine._tasks import Task
from apexr.errors import ShapeError
from apexr.networks import NetworkSpec
from apexr.spectral import Grid


@dataclasses.dataclass(frozen=True)
class EmulatorPlan:
    """What an emulator is made of.

    Attributes
    ----------
    network, task
        Parsed configurations.
    grid, num_channels
        What its states look like.
    coarse_stepper
        Gives the coarse solver, for tasks that correct one.
    """

    network: NetworkSpec
    task: Task
    grid: Grid
    num_channels: int
    coarse_stepper: Callable[[], Any]

    def build(self, key: PRNGKeyArray) -> Any:
        """Return one emulator with weights drawn from the key.

        Raises
        ------
        SpecError
            If the architecture does not fit the grid.
        """
        self.network.check(self.grid, self.num_channels)
        network = self.network.build(self.grid, self.num_channels, key)
        return self.task.compose(network, self.coarse_stepper)

    def check(self) -> None:
        """Build nothing, but find out whether the emulator keeps the shape of a state.

        Raises
        ------
        SpecError
            If the architecture does not fit the grid.
        ShapeError
            If the emulator does not map states to states.
        """
        shape = (self.num_channels, *self.grid.shape)
        state = jax.ShapeDtypeStruct(shape, jax.dtypes.canonicalize_dtype(float))
        given = eqx.filter_eval_shape(lambda emulator, u: emulator(u), skeleton(self), state).shape
        if given != shape:
            raise ShapeError(
                f"network {str(self.network)!r} maps {shape} to {given}; an emulator must give"
                " the shape that it gets"
            )


@functools.lru_cache(maxsize=64)
def skeleton(plan: EmulatorPlan) -> Any:
    """Return an emulator with shapes in place of its arrays."""
    return eqx.filter_eval_shape(plan.build, jax.random.PRNGKey(0))


def _build_all(seeds: Any, plan: EmulatorPlan) -> tuple[Any, Array]:
    def one(seed: Array) -> tuple[Any, Array]:
        init_key, shuffle_key = jax.random.split(jax.random.PRNGKey(seed))
        return eqx.filter(plan.build(init_key), eqx.is_array), shuffle_key

    return jax.vmap(one)(seeds)


_draw = jit_once(_build_all, static_argnames=("plan",))


def draw_emulators(seeds: list[int], plan: EmulatorPlan) -> tuple[Any, Array]:
    """Return the emulators of all seeds, their arrays leading with the seeds, and shuffle keys.

    The key of a seed is split in two: the first half draws the weights, the second the
    mini-batches.
    """
    draw = _draw(len(seeds) * count_parameters(plan))
    arrays, shuffle_keys = draw(np.asarray(seeds, dtype=np.uint32), plan)
    static = eqx.filter(skeleton(plan), lambda leaf: not isinstance(leaf, jax.ShapeDtypeStruct))
    return eqx.combine(arrays, static), shuffle_keys


def select_seed(emulators: Any, index: int) -> Any:
    """Return the emulator of one seed."""
    arrays, static = eqx.partition(emulators, eqx.is_array)
    own = jax.tree.map(lambda array: jnp.asarray(np.asarray(array)[index]), arrays)
    return eqx.combine(own, static)


@functools.lru_cache(maxsize=64)
def count_parameters(plan: EmulatorPlan) -> int:
    """Return how many trainable numbers one emulator's network has."""
    build = functools.partial(plan.network.build, plan.grid, plan.num_channels)
    leaves = jax.tree.leaves(eqx.filter_eval_shape(build, jax.random.PRNGKey(0)))
    return sum(math.prod(leaf.shape) for leaf in leaves if isinstance(leaf, jax.ShapeDtypeStruct))
