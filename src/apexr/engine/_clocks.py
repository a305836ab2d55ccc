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

ROUNDS = 5
"""A clock is read so often, the programs of all clocks in turn."""
LEAST_SECONDS = 0.05
"""In a round, a program is called until so long has passed."""


@dataclasses.dataclass(frozen=True)
class Programs:
    """The programs of a clock.

    Attributes
    ----------
    one, batch
        Make a trajectory, and all at once.
    size
        How many those are.
    """

    one: Callable[[], Any]
    batch: Callable[[], Any]
    size: int


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


def solver_programs(
    stepper: Stepper, states: Float[np.ndarray, "sample channel *space"], num_steps: int
) -> Programs:
    """Return the programs of a solver: all frames of trajectories, initial states included."""
    devices = jax.local_devices()
    return Programs(
        simulation(stepper, states[:1], num_steps),
        simulation(stepper, states, num_steps, devices=devices if len(states) > 1 else None),
        len(states),
    )


def emulator_programs(
    emulator: Step, states: Float[np.ndarray, "sample channel *space"], num_steps: int
) -> Programs:
    """Return the programs of an emulator; ``emulator`` is that of one seed."""
    devices = jax.local_devices()
    spare = -len(states) % len(devices)
    batch = np.concatenate([states, states[:1].repeat(spare, axis=0)])
    return Programs(
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


def clocked(clocks: Sequence[Programs]) -> list[Clocked]:
    """Return the cost of each: its shortest times.

    The machine has slow moments, longer than most programs. All clocks are read in turn, several
    times, so that such a moment spoils one reading of each at most.
    """
    first = [[_seconds(program) for program in (each.one, each.batch)] for each in clocks]
    rounds = [
        [[_best_of(program) for program in (each.one, each.batch)] for each in clocks]
        for _ in range(ROUNDS)
    ]
    best = np.min(rounds, axis=0)
    compiling = np.maximum(np.sum(first, axis=1) - best.sum(axis=1), 0.0)
    return [
        Clocked(float(one), each.size / float(batch), float(seconds))
        for each, (one, batch), seconds in zip(clocks, best, compiling, strict=True)
    ]


def _best_of(program: Callable[[], Any]) -> float:
    """Return the shortest time of the calls of a round."""
    times = [_seconds(program)]
    while sum(times) < LEAST_SECONDS:
        times.append(_seconds(program))
    return min(times)


def _seconds(program: Callable[[], Any]) -> float:
    started = time.perf_counter()
    jax.block_until_ready(program())
    return time.perf_counter() - started
