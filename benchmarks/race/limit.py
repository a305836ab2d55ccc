"""The time that the bare matrix products and Fourier transforms of a case take, and nothing else.

The program of the case is traced, not compiled: its products and transforms are counted with their
shapes, those in loops as often as these run. Then each is timed for itself, on all devices at once
as in the program: products as they are written, and of plain matrices of the same sizes, of which
the faster one counts. The ratio to what the case takes is its share of the limit.
"""

import collections
import functools
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from cases import Rollout, Training
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

OPERATIONS = ("dot_general", "fft", "conv_general_dilated")
"""What is counted. A convolution of XLA is one operation of the limit where there are any."""

AIM = 0.03
"""Seconds that a timed loop takes, about."""
ROUNDS = 5

Key = tuple[str, tuple[tuple[tuple[int, ...], str], ...], str]


def of_update(case: Training) -> float:
    """Return the seconds of one update of all seeds."""
    from apexr.engine import EmulatorPlan, Predict, outline_emulators
    from apexr.networks import NETWORKS
    from apexr.objectives import OBJECTIVES
    from apexr.scenarios import scenario_dict
    from apexr.training import OPTIMIZERS, TrainingPlan
    from apexr.training._chunk import program_of_chunk
    from apexr.training._footprint import outlined

    scenario = scenario_dict[case.scenario](**case.fields)
    plan = TrainingPlan(
        OBJECTIVES.parse(case.train),
        OPTIMIZERS.parse("adam;1;constant;1e-3"),
        batch_size=20,
        record_loss_every=1,
        reference_stepper=scenario.get_ref_stepper,
    )
    sizes = (scenario.grid, scenario.num_channels, scenario.get_ref_stepper)
    emulators = outline_emulators(
        EmulatorPlan(NETWORKS.parse(case.net), Predict(), *sizes), case.num_seeds
    )
    data = (50, 51, scenario.num_channels, *scenario.grid.shape)
    recipe, state, work = outlined(emulators, data, case.num_seeds, plan)
    return _seconds(jax.make_jaxpr(program_of_chunk(recipe))(state, work).jaxpr)


def of_step(stepper: Any, states: np.ndarray, case: Rollout) -> float:
    """Return the seconds of one step of one sample, samples shared out over the devices."""
    from apexr.steppers import simulate

    program = jax.make_jaxpr(lambda states: simulate(stepper, states, case.num_steps))(states)
    whole = _seconds(program.jaxpr) / jax.local_device_count()
    return whole / (case.num_samples * case.num_steps)


def _seconds(jaxpr: Any) -> float:
    """Return the seconds of all products and transforms of a program on one of the devices."""
    counts: collections.Counter[Key] = collections.Counter()
    equations: dict[Key, Any] = {}
    for equation, times in _counted(jaxpr, 1):
        arrays = tuple((tuple(v.aval.shape), str(v.aval.dtype)) for v in equation.invars)
        key = (equation.primitive.name, arrays, str(sorted(equation.params.items(), key=str)))
        counts[key] += times
        equations[key] = equation
    return sum(times * _time(equations[key]) for key, times in counts.items())


def _counted(jaxpr: Any, times: int) -> Iterator[tuple[Any, int]]:
    """Yield the operations of a program and how often each runs.

    A loop whose length is not known to the compiler is that over updates, of which there is one.
    """
    for equation in jaxpr.eqns:
        if equation.primitive.name in OPERATIONS:
            yield equation, times
        inner = (
            times * equation.params.get("length", 1) if equation.primitive.name == "scan" else times
        )
        for part in _programs(equation):
            yield from _counted(part, inner)


def _programs(equation: Any) -> Iterator[Any]:
    """Yield the programs within an operation; of branches the last one, which is taken."""
    for name, held in equation.params.items():
        parts = (
            held[-1:] if name == "branches" else held if isinstance(held, tuple | list) else (held,)
        )
        for part in parts:
            program = getattr(part, "jaxpr", part)
            if hasattr(program, "eqns"):
                yield program


def _time(equation: Any) -> float:
    """Return the seconds of an operation that each device does at the same time."""
    written = functools.partial(equation.primitive.bind, **equation.params)
    forms = [(written, [variable.aval for variable in equation.invars])]
    if equation.primitive.name == "dot_general":
        forms.append((jnp.matmul, _plain_matrices(equation)))
    return min(_time_form(operation, avals) for operation, avals in forms)


def _plain_matrices(equation: Any) -> list[jax.ShapeDtypeStruct]:
    """Return the factors of a product as matrices, with one axis of batches before them."""
    left, right = (variable.aval for variable in equation.invars)
    (summed, _), (batches, _) = equation.params["dimension_numbers"]
    inner = math.prod(left.shape[axis] for axis in summed)
    batch = math.prod(left.shape[axis] for axis in batches)
    rows, columns = (aval.size // (inner * batch) for aval in (left, right))
    lead = (batch,) if batch > 1 else ()
    return [
        jax.ShapeDtypeStruct((*lead, *sizes), aval.dtype)
        for sizes, aval in (((rows, inner), left), ((inner, columns), right))
    ]


def _time_form(operation: Callable[..., Any], avals: list[Any]) -> float:
    arrays = [_drawn(aval) for aval in avals]
    repeat = 1
    while True:
        loop = _loop(operation, repeat)
        jax.block_until_ready(loop(*arrays))
        taken = min(_clocked(functools.partial(loop, *arrays)) for _ in range(ROUNDS))
        if taken > AIM / 4 or repeat > 10**6:
            return taken / repeat
        repeat = math.ceil(repeat * min(100.0, AIM / max(taken, 1e-6)))


def _drawn(aval: Any) -> np.ndarray:
    values = np.random.default_rng(0).normal(size=(jax.local_device_count(), *aval.shape))
    return values.astype(aval.dtype)


def _loop(bound: Callable[..., Any], repeat: int) -> Callable[..., Any]:
    """Return the compiled loop; each turn reads a number of the one before, so that all run.

    It is written into the smallest array: where that is copied, it takes the shortest time.
    """

    def on_device(*arrays: Any) -> Any:
        given = [array[0] for array in arrays]
        place = min(range(len(given)), key=lambda number: given[number].size)

        def with_changed(changed: Any) -> Any:
            return bound(*given[:place], changed, *given[place + 1 :])

        def turn(_: int, held: tuple[Any, Any]) -> tuple[Any, Any]:
            changed, out = held
            number = out.reshape(-1)[0].real.astype(changed.dtype)
            changed = changed.reshape(-1).at[0].set(number).reshape(changed.shape)
            return changed, with_changed(changed)

        shape = jax.eval_shape(bound, *given)
        start = (given[place], jnp.zeros(shape.shape, shape.dtype))
        return jax.lax.fori_loop(0, repeat, turn, start)[1][None]

    mesh = Mesh(np.array(jax.local_devices()), ("device",))
    return jax.jit(
        jax.shard_map(
            on_device, mesh=mesh, in_specs=P("device"), out_specs=P("device"), check_vma=False
        )
    )


def _clocked(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - start
