"""The cost of making trajectories: compiled, warm, the best of several calls."""

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from apexr._parts import split
from apexr._typing import Step
from apexr.steppers import Stepper, simulation
from apexr.training import as_batched

FEWEST_REPEATS = 5
LEAST_SECONDS = 0.2
"""A clock repeats until it has called so often, and for so long."""


@dataclasses.dataclass(frozen=True)
class Clocked:
    """The cost of making trajectories.

    Attributes
    ----------
    latency
        Seconds for a trajectory, one at a time.
    throughput
        Trajectories a second, all at once.
    compile_seconds
        Of both programs together.
    """

    latency: float
    throughput: float
    compile_seconds: float


def clock_solver(
    stepper: Stepper, states: Float[np.ndarray, "sample channel *space"], num_steps: int
) -> Clocked:
    """Return the cost of a solver's trajectories, all frames of them, initial states included."""
    devices = jax.local_devices()
    return clocked(
        simulation(stepper, states[:1], num_steps),
        simulation(stepper, states, num_steps, devices=devices if len(states) > 1 else None),
        len(states),
    )


def clock_emulator(
    emulator: Step, states: Float[np.ndarray, "sample channel *space"], num_steps: int
) -> Clocked:
    """Return the cost of an emulator's trajectories; ``emulator`` is that of one seed."""
    devices = jax.local_devices()
    spare = -len(states) % len(devices)
    batch = np.concatenate([states, states[:1].repeat(spare, axis=0)])
    return clocked(
        _rollout(emulator, states[:1], num_steps, devices[:1]),
        _rollout(emulator, batch, num_steps, devices),
        len(states),
    )


def _rollout(
    emulator: Any, states: np.ndarray, num_steps: int, devices: Sequence[jax.Device]
) -> Callable[[], Array]:
    own, shared, structure = split(emulator)
    mesh = jax.sharding.Mesh(np.array(devices), ("sample",))
    whole, part = jax.sharding.PartitionSpec(), jax.sharding.PartitionSpec(None, "sample")

    def on_device(own: Any, shared: Any, states: Array) -> Array:
        emulate = as_batched(structure.filled(own, shared))

        def step(state: Array, _: None) -> tuple[Array, Array]:
            later = emulate(state)
            return later, later

        frames: Array = jax.lax.scan(step, states, length=num_steps)[1]
        return jnp.moveaxis(frames, 0, 2)

    roll = jax.jit(
        jax.shard_map(
            on_device, mesh=mesh, in_specs=(whole, whole, part), out_specs=part, check_vma=False
        )
    )
    place = jax.sharding.NamedSharding
    arrays = jax.device_put((own, shared), place(mesh, whole))
    start = jax.device_put(np.moveaxis(states, 0, 1), place(mesh, part))
    return lambda: roll(*arrays, start)


def clocked(one: Callable[[], Any], batch: Callable[[], Any], size: int) -> Clocked:
    """Return the cost of two programs, for one trajectory and for a batch of some size."""
    first = [_seconds(program) for program in (one, batch)]
    best = [best_of(program) for program in (one, batch)]
    compiling = sum(first) - sum(best)
    return Clocked(best[0], size / best[1], max(compiling, 0.0))


def best_of(program: Callable[[], Any]) -> float:
    """Return the shortest time of a warm program: of at least five calls, and for a while."""
    times: list[float] = []
    while len(times) < FEWEST_REPEATS or sum(times) < LEAST_SECONDS:
        times.append(_seconds(program))
    return min(times)


def _seconds(program: Callable[[], Any]) -> float:
    started = time.perf_counter()
    jax.block_until_ready(program())
    return time.perf_counter() - started
