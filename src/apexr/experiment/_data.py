"""Reference data of scenarios: made once per process, checked, labeled."""

import dataclasses
import json
import math
from collections.abc import Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from apexr import labels
from apexr._digest import canonical_json
from apexr._precision import current_precision
from apexr.engine import STREAMED_BYTES
from apexr.errors import DivergenceError, ShapeError, SpecError
from apexr.experiment import disk_cache
from apexr.experiment._kept import Kept, a_part_of_memory
from apexr.experiment._resolution import look_at
from apexr.initial import InitialCondition, compile_samples, sample_from, sample_set
from apexr.kernels import Ahead
from apexr.recipe import (
    SCENARIOS,
    Recipe,
    Split,
    code_of,
    is_ours,
    is_overridden,
    own_method,
    plain_parameters,
    scenario_key,
)
from apexr.steppers import Stepper, compile_simulation, repeat, rollout, simulate
from apexr.training import Streamed

if TYPE_CHECKING:
    import xarray as xr

Solver = Literal["reference", "coarse"]

LITTLE = 10_000_000
"""Values of reference data up to which they are made on one device."""

_KEPT = Kept(4, a_part_of_memory)
"""Sets of trajectories for reuse: data for training and for testing of two scenarios."""

_ABOUT_DATA = ("produce_data", "get_train_data", "get_test_data", "get_valid_data")
"""Methods that data come from."""


def trajectories(scenario: Recipe, split: Split, solver: Solver) -> Any:
    """Return trajectories with their initial states; equal requests share one array.

    Recorded ones that are too large for memory are read when they are needed.
    """
    source = scenario.recorded_data(split) if solver == "reference" else None
    if source is not None and _is_streamed(scenario, split, source):
        return source
    key = _key(scenario, split, solver)
    if key is None:
        return _trajectories(scenario, split, solver)
    return _KEPT.get(key, lambda: _trajectories(scenario, split, solver))


def _key(scenario: Recipe, split: Split, solver: Solver) -> Hashable | None:
    """Return what trajectories depend on; None where a parameter is no plain data."""
    try:
        told = canonical_json(scenario.data_parameters(split))
    except (TypeError, ValueError):
        return None
    return type(scenario), told, split, solver, current_precision()


def compile_data(scenario: Recipe) -> list[Ahead]:
    """Compile the programs that make trajectories, while others work.

    Little work compiles for longest; data that are much, kept, or not ours have no program here.
    """
    if not scenario.is_simulated:
        return []
    reference = scenario.get_ref_stepper()
    steppers: dict[Split, Any] = {"train": scenario.get_train_stepper(), "test": reference}
    if scenario.num_valid_samples:
        steppers["valid"] = reference
    ours = all(isinstance(stepper, Stepper) for stepper in steppers.values())
    if is_overridden(scenario, "produce_data") or not ours:
        return []
    programs: list[Ahead] = []
    conditions: list[InitialCondition] = []
    for split, stepper in steppers.items():
        samples, frames = num_drawn(scenario, split), shapes(scenario)[split][1]
        much = _is_much(scenario, (samples, *shapes(scenario)[split][1:]))
        key = _key(scenario, split, "reference")
        if is_overridden(scenario, f"get_{split}_data") or key in _KEPT or much:
            continue
        condition = initial_condition(scenario, split)
        if condition not in conditions:
            conditions.append(condition)
            channels = scenario.num_channels
            programs.append(compile_samples(condition, scenario.grid, num_channels=channels))
        apart = split == "train" and has_train_solver(scenario)  # another solver warms these up
        warmup = {"num_warmup_steps": 0 if apart else scenario.num_warmup_steps}
        programs.append(compile_simulation(stepper, samples, frames - 1, **warmup))
    return programs


def _is_streamed(scenario: Recipe, split: Split, source: Streamed) -> bool:
    limit = scenario.memory_of_data if split == "train" else STREAMED_BYTES
    return limit is not None and source.nbytes > limit


def _trajectories(scenario: Recipe, split: Split, solver: Solver) -> Array:
    """Return trajectories, simulated or read."""
    source = scenario.recorded_data(split) if solver == "reference" else None
    if source is not None:
        return jnp.asarray(source[:])
    steps = shapes(scenario)[split][1] - 1
    coarse = solver == "coarse"
    warm = scenario.get_coarse_stepper() if coarse else scenario.get_ref_stepper()
    stepper = scenario.get_train_stepper() if split == "train" and not coarse else warm
    produce = own_method(scenario, "produce_data")
    if produce is not None:
        seed = getattr(scenario, f"{split}_seed")
        own = produce(
            stepper=stepper,
            num_samples=num_drawn(scenario, split),
            num_warmup_steps=scenario.num_warmup_steps,
            temporal_horizon=steps,
            key=jax.random.PRNGKey(np.uint32(seed)),
        )
        return _checked(scenario, split, "produce_data", own, num_drawn(scenario, split))

    def make() -> Array:
        states, warmup = drawn(scenario, split, warm), scenario.num_warmup_steps
        if has_train_solver(scenario) and warmup and split == "train" and not coarse:
            states, warmup = simulated(warm, states, 0, warmup)[:, 0], 0
        return simulated(stepper, states, steps, warmup)

    shape = (num_drawn(scenario, split), *shapes(scenario)[split][1:])
    if _is_much(scenario, shape) and _is_known(scenario):
        about = {**json.loads(data_attributes(scenario)["specification"])}
        about |= {"parameters": scenario.data_parameters(split), "split": split, "solver": solver}
        made = jnp.asarray(disk_cache.kept(about, shape, make))
    else:
        made = make()
    if not coarse:
        look_at(scenario, stepper, made)
    return made


def _is_much(scenario: Recipe, shape: tuple[int, ...]) -> bool:
    """Tell whether trajectories of this shape take much work, with their warm-up."""
    num_steps = shape[1] - 1 + scenario.num_warmup_steps
    return shape[0] * num_steps * math.prod(shape[2:]) > LITTLE


def _is_known(scenario: Recipe) -> bool:
    """Tell whether a scenario is one of apexr's, with no code of the user's in its data."""
    ours = SCENARIOS.loaded().get(scenario_key(type(scenario))) is type(scenario)
    splits: tuple[Split, ...] = ("train", "test")
    parts = [cls for split in splits for cls in _classes(initial_condition(scenario, split))]
    parts += map(type, scenario.solvers.values())
    return ours and all(is_ours(cls) for cls in (type(scenario), *parts))


def _classes(condition: Any) -> Iterator[type]:
    """Yield the class of an initial condition and those of what it is made of."""
    yield type(condition)
    if dataclasses.is_dataclass(condition):
        for field in dataclasses.fields(condition):
            parts = getattr(condition, field.name)
            for part in parts if isinstance(parts, list | tuple) else (parts,):
                yield from _classes(part) if dataclasses.is_dataclass(part) else ()


def drawn(scenario: Recipe, split: Split, stepper: Any) -> Array:
    """Return the states that trajectories start from, before any warm-up."""
    states = sample_set(
        initial_condition(scenario, split),
        scenario.grid,
        num_samples=num_drawn(scenario, split),
        num_channels=scenario.num_channels,
        seed=getattr(scenario, f"{split}_seed"),
    )
    return initial(scenario, stepper, states[: num_used(scenario, split)])


def num_used(scenario: Recipe, split: Split) -> int:
    """Return how many trajectories are used."""
    return shapes(scenario)[split][0]


def num_drawn(scenario: Recipe, split: Split) -> int:
    """Return how many trajectories are drawn, of which the first ones are used."""
    return (
        scenario.subset_of if split == "train" and scenario.subset_of else num_used(scenario, split)
    )


def initial_condition(scenario: Recipe, split: Split) -> InitialCondition:
    """Return the distribution of the initial states, that of the test where it is another one."""
    if split == "test" and scenario.test_ic_config:
        return scenario.parsed_conditions[1]
    return scenario.get_ic_generator()


def has_train_solver(scenario: Recipe) -> bool:
    """Tell whether training data come from another solver than test data."""
    chosen = [getattr(scenario, name, "") for name in ("train_solver", "test_solver")]
    return chosen[0] != chosen[1]


def by_train_solver(scenario: Recipe, test: Array) -> Array:
    """Return what the solver of the training data makes of the test states, without these.

    Parameters
    ----------
    scenario
        The scenario that states the solver.
    test
        The test trajectories, with their initial states.
    """
    steps = test.shape[1] - 1
    return simulated(scenario.get_train_stepper(), test[:, 0], steps, 0)[:, 1:]


def initial(scenario: Recipe, stepper: Any, states: Array) -> Array:
    """Return drawn states as the scenario's numerics have them: exact ones have no other waves."""
    exact = scenario.numerics_attributes.get("numerics") == "exact"
    return stepper.project(states) if exact and isinstance(stepper, Stepper) else states


def produced(
    scenario: Recipe,
    stepper: Any,
    key: PRNGKeyArray,
    *,
    num_samples: int,
    num_warmup_steps: int,
    temporal_horizon: int,
) -> "xr.DataArray":
    """Return trajectories from a key, labeled; see :meth:`BaseScenario.produce_data`."""
    states = sample_from(
        scenario.get_ic_generator(),
        scenario.grid,
        key,
        num_samples=num_samples,
        num_channels=scenario.num_channels,
    )
    states = initial(scenario, stepper, states)
    values = np.asarray(simulated(stepper, states, temporal_horizon, num_warmup_steps))
    return labels.trajectories(values, scenario.axes, attrs=provenance(scenario))


def reference(scenario: Recipe, split: Split) -> Float[Array, "sample time channel *space"]:
    """Return the trajectories of the reference solver, or what an overridden method gives.

    Raises
    ------
    ShapeError
        If an overridden method gives something else than such trajectories.
    """
    name = f"get_{split}_data"
    own = own_method(scenario, name)
    if own is not None:
        return _checked(scenario, split, name, own())
    return trajectories(scenario, split, "reference")


def labelled_reference(scenario: Recipe, split: Split) -> "xr.DataArray":
    """Return what :func:`reference` gives, with its labels."""
    values = np.asarray(reference(scenario, split))[:, :, : scenario.num_channels]
    attrs = {**provenance(scenario), "split": split, "solver": "reference"}
    return labels.trajectories(values, scenario.axes, name="trajectories", attrs=attrs)


def _checked(
    scenario: Recipe, split: Split, method: str, made: Any, num_samples: int | None = None
) -> Array:
    """Return trajectories that a method of the user's gave, compared with the scenario's sizes.

    Of ``num_samples`` that it was asked for, those that are used; by default just these.
    """
    dims = ("sample", "time", "channel", *scenario.axes.space)
    if set(dims) == set(getattr(made, "dims", ())):
        made = made.transpose(*dims)
    used, *rest = shapes(scenario)[split]
    wanted = (used if num_samples is None else num_samples, *rest)
    try:
        values = np.asarray(made)
        real = values.dtype.kind in "fiu"
    except Exception as error:  # frameworks raise what they like
        raise ShapeError(f"{method}: NumPy cannot read {type(made).__name__} ({error})") from error
    if not real or values.shape != wanted:
        sizes = ", ".join(map(str, wanted))
        raise ShapeError(
            f"{method} of {type(scenario).__name__} must give real trajectories of shape ({sizes}),"
            f" which are ({', '.join(dims)}) by num_{split}_samples, {split}_temporal_horizon + 1,"
            f" num_channels and num_points; got {values.dtype} of shape {values.shape}"
        )
    return jnp.asarray(values[:used], dtype=jax.dtypes.canonicalize_dtype(float))


def shapes(scenario: Recipe) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the trajectories for training and testing, and those for validation."""
    state = (scenario.num_channels + scenario.num_constants, *scenario.grid.shape)
    held = {
        "train": (scenario.num_train_samples, scenario.train_temporal_horizon + 1, *state),
        "test": (scenario.num_test_samples, scenario.test_temporal_horizon + 1, *state),
    }
    if scenario.num_valid_samples:
        steps = scenario.valid_temporal_horizon or scenario.train_temporal_horizon
        held["valid"] = (scenario.num_valid_samples, steps + 1, *state)
    return held


def simulated(stepper: Any, states: Array, num_steps: int, num_warmup_steps: int) -> Array:
    """Return trajectories of apexr's steppers or of any function of one state."""
    if isinstance(stepper, Stepper):
        devices = _devices(states.size * (num_steps + num_warmup_steps))
        made = simulate(
            stepper, states, num_steps, num_warmup_steps=num_warmup_steps, devices=devices
        )
        return made if len(devices) == 1 else jnp.asarray(np.asarray(made))

    warm, roll = repeat(stepper, num_warmup_steps), rollout(stepper, num_steps, include_init=True)
    trajectory = jax.jit(lambda state: roll(warm(state)))
    return jax.lax.map(trajectory, states)


def _devices(num_values: int) -> "list[jax.Device]":
    """Return all devices for much work, one for little: more take longer to compile for."""
    devices = jax.local_devices()
    return devices if num_values > LITTLE else devices[:1]


def finite_test(scenario: Recipe) -> Array:
    """Return the test trajectories, as :func:`finite_trajectories` does."""
    data = reference(scenario, "test")
    _require_finite(scenario, "test", data)
    return data


def require_valid(scenario: Recipe) -> None:
    """Refuse to give data for validation where there are none.

    Raises
    ------
    SpecError
        Saying how to have some.
    """
    if not scenario.num_valid_samples:
        raise SpecError("there are no data for validation: give num_valid_samples")


def finite_valid(scenario: Recipe) -> Array:
    """Return the trajectories for validation, as :func:`finite_trajectories` does."""
    data = reference(scenario, "valid")
    _require_finite(scenario, "valid", data)
    return data


def finite_trajectories(scenario: Recipe) -> tuple[Array, Array]:
    """Return the training and the test trajectories of the reference solver.

    Raises
    ------
    DivergenceError
        If they are not finite.
    """
    for program in compile_data(scenario):
        program.result()
    return finite_when_compiled(scenario)


def finite_when_compiled(scenario: Recipe) -> tuple[Array, Array]:
    """Return what :func:`finite_trajectories` does, once :func:`compile_data` has results."""
    splits: tuple[Split, Split] = ("train", "test")
    train, test = (reference(scenario, split) for split in splits)
    _require_finite(scenario, "train", train)
    _require_finite(scenario, "test", test)
    return train, test


def _require_finite(scenario: Recipe, split: Split, data: Array) -> None:
    """Refuse reference data that became NaN or infinite.

    Raises
    ------
    DivergenceError
        Naming the scenario, the sample and step at fault and what helps.
    """
    if not scenario.is_simulated:  # recorded ones have been looked at before any work
        return
    finite = np.isfinite(np.asarray(data)).all(axis=tuple(range(2, data.ndim)))
    if finite.all():
        return
    sample, step = np.argwhere(~finite)[0]
    count = int((~finite.all(axis=1)).sum())
    raise DivergenceError(
        f"{scenario.get_scenario_name()}: {count} of {len(finite)} {split} trajectories of the"
        f" reference solver diverge, the first at step {step} of sample {sample}. Take smaller"
        " steps (num_substeps), milder coefficients or more points"
    )


def labeled(scenario: Recipe, split: Split, solver: Solver) -> "xr.DataArray":
    """Return trajectories with their labels."""
    values = np.asarray(trajectories(scenario, split, solver))[:, :, : scenario.num_channels]
    attrs = {**provenance(scenario), "split": split, "solver": solver}
    return labels.trajectories(values, scenario.axes, name="trajectories", attrs=attrs)


def initial_states(scenario: Recipe, split: Split, solver: Solver) -> "xr.DataArray":
    """Return the initial states of trajectories with their labels."""
    values = np.asarray(trajectories(scenario, split, solver))[:, 0, : scenario.num_channels]
    attrs = {**provenance(scenario), "split": split, "solver": solver}
    return labels.states(values, scenario.axes, name="initial_states", attrs=attrs)


def label(parameters: Mapping[str, Any]) -> str:
    """Return parameters as JSON text, the form in which results carry them."""
    return json.dumps(dict(parameters), sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    """Return a value of NumPy or a sequence as Python's own."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else list(value)


def data_attributes(scenario: Recipe) -> dict[str, Any]:
    """Return what the attributes of a scenario's data say: key, parameters, seeds, numerics.

    ``specification`` is the canonical JSON of all that the numbers depend on.
    """
    key = scenario_key(type(scenario))
    identity = {
        "scenario": key,
        "parameters": scenario.data_parameters("train"),
        "precision": current_precision(),
    }
    code = {name: print_ for name, print_ in code_of(scenario).items() if name in _ABOUT_DATA}
    if code:
        identity["overridden"] = code
    return {
        **provenance(scenario),
        "scenario_key": key,
        "parameters": canonical_json(plain_parameters(scenario)),
        "specification": canonical_json(identity),
    }


def provenance(scenario: Recipe) -> dict[str, Any]:
    """Return what attributes say of the origin of data."""
    known = scenario.numerics_attributes
    if not scenario.is_simulated:
        return {"scenario": scenario.get_scenario_name(), **known}
    seeds = {"train_seed": scenario.train_seed, "test_seed": scenario.test_seed}
    return {"scenario": scenario.get_scenario_name(), **seeds, **known}
