"""Freshly drawn emulators, one for every seed."""

import dataclasses
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

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
        shape = (self.num_channels, *(self.grid.num_points,) * self.grid.num_spatial_dims)
        state = jax.ShapeDtypeStruct(shape, jnp.zeros(()).dtype)

        def step(state: Array) -> Array:
            made: Array = self.build(jax.random.PRNGKey(0))(state)
            return made

        given = jax.eval_shape(step, state).shape
        if given != shape:
            raise ShapeError(
                f"network {str(self.network)!r} maps {shape} to {given}; an emulator must give"
                " the shape that it gets"
            )


@partial(jax.jit, static_argnames=("plan",))
def _draw(seeds: Array, plan: EmulatorPlan) -> tuple[Any, Array]:
    def one(seed: Array) -> tuple[Any, Array]:
        init_key, shuffle_key = jax.random.split(jax.random.PRNGKey(seed))
        return eqx.filter(plan.build(init_key), eqx.is_array), shuffle_key

    return jax.vmap(one)(seeds)


def draw_emulators(seeds: list[int], plan: EmulatorPlan) -> tuple[Any, Array]:
    """Return the emulators of all seeds, their arrays leading with the seeds, and shuffle keys.

    The key of a seed is split in two: the first half draws the weights, the second the
    mini-batches.
    """
    arrays, shuffle_keys = _draw(jnp.asarray(seeds, dtype=jnp.uint32), plan)
    skeleton = eqx.filter_eval_shape(plan.build, jax.random.PRNGKey(0))
    static = eqx.filter(skeleton, lambda leaf: not isinstance(leaf, jax.ShapeDtypeStruct))
    return eqx.combine(arrays, static), shuffle_keys


def select_seed(emulators: Any, index: int) -> Any:
    """Return the emulator of one seed."""
    arrays, static = eqx.partition(emulators, eqx.is_array)
    return eqx.combine(jax.tree.map(lambda array: array[index], arrays), static)


def count_parameters(plan: EmulatorPlan) -> int:
    """Return how many trainable numbers one emulator's network has."""
    build = partial(plan.network.build, plan.grid, plan.num_channels)
    shapes = eqx.filter_eval_shape(build, jax.random.PRNGKey(0))
    leaves = jax.tree.leaves(shapes)
    return sum(math.prod(leaf.shape) for leaf in leaves if hasattr(leaf, "shape"))
