"""Freshly drawn emulators, one for every seed."""

import contextlib
import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from apexr._frames import Frames
from apexr._parts import split, without_fixed
from apexr._precision import current_precision
from apexr._typing import Step
from apexr.engine._conditioned import Conditioned
from apexr.engine._mixed import Mixed
from apexr.engine._own import OwnNetwork
from apexr.engine._tasks import Task
from apexr.errors import ShapeError
from apexr.kernels import SMALL, DrawOnHost, UnknownDrawError, can_draw_on_host, jit_once
from apexr.networks import NetworkSpec
from apexr.spectral import Grid


@dataclasses.dataclass(frozen=True)
class EmulatorPlan:
    """The plan of an emulator.

    Attributes
    ----------
    network, task
        Parsed configurations.
    grid, num_channels
        The form of its states.
    coarse_stepper
        Gives the coarse solver, for tasks that correct one.
    num_constants
        Channels behind those of the state that the network is given and that do not change.
    mixed
        Whether the products of the network have factors in bfloat16.
    """

    network: NetworkSpec
    task: Task
    grid: Grid
    num_channels: int
    coarse_stepper: Callable[[], Any]
    num_constants: int = 0
    mixed: bool = False

    @property
    def frames(self) -> Frames:
        """How many frames the emulator is given, and how many it makes at a call."""
        return self.network.frames

    @property
    def num_inputs(self) -> int:
        """All channels of the emulator's state, those of all its frames."""
        return self.frames.held * self.num_channels + self.num_constants

    @property
    def made_from(self) -> tuple[NetworkSpec, Grid, int, int]:
        """The arguments from which the network is built, besides a key."""
        return self.network, self.grid, self.num_channels, self.num_constants

    def build(self, key: PRNGKeyArray) -> Any:
        """Return one emulator with weights drawn from the key.

        Raises
        ------
        SpecError
            If the architecture does not fit the grid.
        """
        sizes = (self.grid, self.num_channels, self.num_constants)
        self.network.check_with(*sizes)
        return self.compose(self.network.build_with(*sizes, key))

    def compose(self, network: Step) -> Any:
        """Return the emulator of a network, or of the networks of many seeds."""
        network = Mixed(network) if self.mixed else network
        emulator = self.task.compose(network, self.coarse_stepper)
        if not self.num_constants:
            return emulator
        return Conditioned(emulator, self.num_channels, self.frames)

    def receptive_field(self) -> tuple[tuple[float, float], ...]:
        """Return for each axis how many points (back, forward) one output point sees."""
        field = self.network.receptive_field(self.grid)
        return self.task.receptive_field(field, self.coarse_stepper, self.grid)

    def check(self) -> None:
        """Build nothing, but find out whether the emulator keeps the shape of a state.

        Raises
        ------
        SpecError
            If the architecture does not fit the grid.
        ShapeError
            If the emulator does not map states to states.
        """
        shape = (self.num_inputs, *self.grid.shape)
        state = jax.ShapeDtypeStruct(shape, jax.dtypes.canonicalize_dtype(float))
        given = eqx.filter_eval_shape(lambda emulator, u: emulator(u), skeleton(self), state).shape
        if given != shape:
            raise ShapeError(
                f"network {str(self.network)!r} maps {shape} to {given}; an emulator must give"
                " the shape that it gets"
            )


def skeleton(plan: EmulatorPlan) -> Any:
    """Return an emulator with shapes in place of the arrays of its network."""
    if isinstance(plan.network, OwnNetwork):
        return plan.compose(plan.network.shapes())
    return plan.compose(_shapes(*plan.made_from))


def outline_emulators(plan: EmulatorPlan, num_seeds: int) -> Any | None:
    """Return emulators of all seeds with shapes in place of their own arrays.

    None for the networks of a function: what is compiled in is known when they are made.
    """
    if isinstance(plan.network, OwnNetwork):
        return None
    return plan.compose(
        jax.tree.map(
            lambda leaf: (
                jax.ShapeDtypeStruct((num_seeds, *leaf.shape), leaf.dtype)
                if _is_shape(leaf)
                else leaf
            ),
            _shapes(*plan.made_from),
            is_leaf=_is_shape,
        )
    )


@functools.lru_cache(maxsize=64)
def _shapes(network: NetworkSpec, grid: Grid, num_channels: int, num_constants: int) -> Any:
    """Return a network with shapes in place of its arrays."""
    build = functools.partial(network.build_with, grid, num_channels, num_constants)
    return eqx.filter_eval_shape(build, jax.ShapeDtypeStruct((2,), np.uint32))


def _is_shape(leaf: Any) -> bool:
    return isinstance(leaf, jax.ShapeDtypeStruct)


def _build_all(
    seeds: Any, network: NetworkSpec, grid: Grid, num_channels: int, num_constants: int
) -> tuple[Any, Array]:
    def one(seed: Array) -> tuple[Any, Array]:
        init_key, shuffle_key = jax.random.split(jax.random.PRNGKey(seed))
        built = network.build_with(grid, num_channels, num_constants, init_key)
        return eqx.filter(built, eqx.is_array), shuffle_key

    return jax.vmap(one)(seeds)


@functools.lru_cache(maxsize=64)
def _on_host(
    network: NetworkSpec, grid: Grid, num_channels: int, num_constants: int, precision: str
) -> DrawOnHost:
    """Return what draws a network's weights and a shuffle key from a seed's key."""

    def one(key: PRNGKeyArray) -> tuple[Any, Array]:
        init_key, shuffle_key = jax.random.split(key)
        built = network.build_with(grid, num_channels, num_constants, init_key)
        return eqx.filter(built, eqx.is_array), shuffle_key

    return DrawOnHost(one, lambda rest: jit_once(rest)(0))


_draw = jit_once(_build_all, static_argnames=("network", "grid", "num_channels", "num_constants"))


def draw_emulators(seeds: list[int], plan: EmulatorPlan) -> tuple[Any, Array]:
    """Return the emulators of all seeds, their weights leading with the seeds, and shuffle keys.

    The key of a seed is split in two: the first half draws the weights, the second the
    mini-batches. The arrays of a solver are shared by the seeds and do not lead with them.
    """
    if isinstance(plan.network, OwnNetwork):
        networks, shuffle_keys = plan.network.draw(seeds)
        return plan.compose(networks), shuffle_keys
    arrays, shuffle_keys = _drawn(seeds, plan)
    rest = eqx.filter(_shapes(*plan.made_from), _is_shape, inverse=True)
    return plan.compose(eqx.combine(arrays, rest)), shuffle_keys


def draws_on_host(plan: EmulatorPlan, num_seeds: int) -> bool:
    """Tell whether emulators are few numbers, which are drawn without compiling for it."""
    if isinstance(plan.network, OwnNetwork):
        return False
    return num_seeds * count_parameters(plan) < SMALL and can_draw_on_host()


def _drawn(seeds: list[int], plan: EmulatorPlan) -> tuple[Any, Array]:
    """Return the arrays of all seeds and their shuffle keys, few ones without compiling for it."""
    if draws_on_host(plan, len(seeds)):
        keys = [np.array([0, seed], np.uint32) for seed in seeds]
        with contextlib.suppress(UnknownDrawError):  # of another generator, say: compiled below
            drawn = _on_host(*plan.made_from, current_precision())(keys)
            return jax.device_put(drawn)  # type: ignore[no-any-return]
    size = len(seeds) * count_parameters(plan)
    made: tuple[Any, Array] = _draw(size)(np.asarray(seeds, dtype=np.uint32), *plan.made_from)
    return made


def count_parameters(plan: EmulatorPlan) -> int:
    """Return how many trainable numbers one emulator's network has."""
    if isinstance(plan.network, OwnNetwork):
        own = split(plan.network.shapes(), _is_shape).own
    else:
        own = eqx.filter(_shapes(*plan.made_from), _is_shape)
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(without_fixed(own)))


@functools.lru_cache(maxsize=1024)
def count_operations(
    network: NetworkSpec, grid: Grid, num_channels: int, num_constants: int = 0
) -> float:
    """Return the floating-point operations of a network for one state, by the compiler's count.

    Nothing is compiled. Where the compiler does not count, every weight meets every point once.
    """
    if isinstance(network, OwnNetwork):
        module = network.shapes()
    else:
        module = _shapes(network, grid, num_channels, num_constants)
    arrays, rest = eqx.partition(module, _is_shape)
    shape = (network.frames.held * num_channels + num_constants, *grid.shape)
    state = jax.ShapeDtypeStruct(shape, jax.dtypes.canonicalize_dtype(float))
    lowered = jax.jit(lambda arrays, u: eqx.combine(arrays, rest)(u)).lower(arrays, state)
    counted = lowered.cost_analysis() or {}
    weights = sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(arrays))
    return float(counted.get("flops", 0.0)) or 2.0 * weights * math.prod(grid.shape)
