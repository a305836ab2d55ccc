"""Subjects of a comparison: emulators of a store, a result, this process, or foreign functions."""

import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import numpy as np
import xarray as xr

from apexr._frames import SINGLE, frames_of
from apexr._parts import split
from apexr._precision import computing_in, current_precision
from apexr._trained import networks_of
from apexr.engine import Stacked, unstacked
from apexr.errors import MissingVariableError, ShapeError, SpecError
from apexr.experiment._data import label
from apexr.scenarios import BaseScenario, resolve, scenario_dict
from apexr.schema import CONFIG_COORDS
from apexr.steppers import Solver, as_solver
from apexr.steppers._arrays import default_float
from apexr.store import Study, is_study, open_experiment

EXTERNAL = "external"
"""The name in results of an emulator that no store holds."""


@dataclasses.dataclass(frozen=True)
class Subject:
    """Emulators of one kind, and the scenario with which they are compared.

    Attributes
    ----------
    emulators
        A module whose trainable arrays lead with the seeds.
    seeds
        Their labels.
    scenario
        The scenario, with its reference solver and its test states.
    config
        The labels that identify the experiment.
    precision
        In which the emulators were trained, float32 or float64.
    """

    emulators: Any
    seeds: tuple[int, ...]
    scenario: BaseScenario
    config: Mapping[str, str]
    precision: str


def read_subject(
    source: Any, scenario: str | BaseScenario | None, experiment: str | None = None
) -> Subject:
    """Return what the first arguments of a comparison mean.

    Raises
    ------
    SpecError
        If they mean nothing, or a scenario is missing or given where the store names it.
    ShapeError
        If the emulators do not take states of the scenario.
    StoreError
        If the store cannot be read.
    """
    if isinstance(source, xr.Dataset):
        source = _store_of(source)
    if is_path(source):
        return _of_single_frames(_stored(source, scenario, experiment))
    _check_frames(source)
    if experiment is not None:
        raise SpecError(f"experiment is the id of one in a study, and {_named(source)} is none")
    if scenario is None:
        raise SpecError(
            f"scenario is missing: {_named(source)} does not say which equation it emulates; give"
            ' a key such as "diff_burgers", or a scenario object'
        )
    chosen = resolve(scenario, {})
    emulators, seeds = _in_memory(source, chosen)
    config = {
        "scenario": chosen.get_scenario_name(),
        "task": "predict",
        "net": EXTERNAL,
        "train": "none",
        "scenario_kwargs": label(chosen.changed_parameters),
    }
    return Subject(emulators, seeds, chosen, config, current_precision())


def _of_single_frames(subject: Subject) -> Subject:
    _check_frames(subject.emulators)
    return subject


def _check_frames(emulators: Any) -> None:
    """Refuse emulators of several frames.

    Raises
    ------
    SpecError
        With what they are, and where their errors stand.
    """
    frames = frames_of(emulators)
    if frames != SINGLE:
        raise SpecError(
            f"comparisons hold one step of an emulator against one of a solver; this one has"
            f" {frames}, and its steps begin with other states. Its errors along time are those of"
            " apexr.run"
        )


def is_path(source: Any) -> bool:
    """Tell whether something names a store: text or a path, also of a remote store."""
    return isinstance(source, str | os.PathLike)


def _store_of(result: xr.Dataset) -> str:
    """Return the store that a result was opened from."""
    found = result.encoding.get("source")
    if not isinstance(found, str):
        raise MissingVariableError(
            "the Dataset does not say which store its networks are in; give the path of the"
            " store, or the networks and the scenario"
        )
    return found


def _stored(store: Any, scenario: str | BaseScenario | None, experiment: str | None) -> Subject:
    if experiment is None and is_study(store):
        raise SpecError(
            f"{store} is a study; name one experiment of it by its id (see `apexr show {store}`)"
        )
    unit = store
    if experiment is not None:
        study = Study.at(store)
        unit = study.unit(study.full_id(experiment))
    result = open_experiment(unit)
    try:
        specification = json.loads(result.attrs["specification"])
        key, parameters = specification["scenario"], specification["parameters"]
        precision = specification["precision"]
    except (KeyError, TypeError, ValueError) as error:
        raise SpecError(f"{store}: does not say which experiment it is of ({error})") from error
    chosen = scenario_dict[key](**parameters) if scenario is None else resolve(scenario, {})
    seeds = tuple(result["seed"].values.tolist())
    with computing_in(precision):
        emulators = unstacked(networks_of(unit, result))
        leading = with_seeds(emulators) if len(seeds) == 1 else emulators
    config = {name: str(result[name].item()) for name in CONFIG_COORDS}
    return Subject(leading, seeds, chosen, config, precision)


def with_seeds(emulator: Any) -> Any:
    """Return the emulator of one seed with arrays that lead with the seeds."""
    own, shared, structure = split(emulator)
    return structure.filled(jax.tree.map(lambda array: array[None], own), shared)


def _in_memory(source: Any, scenario: BaseScenario) -> tuple[Any, tuple[int, ...]]:
    """Return emulators of this process with their seeds in front, and what these are called.

    Raises
    ------
    SpecError
        If it is nothing that can be called.
    ShapeError
        If it does not take a state to a state.
    """
    if not callable(source) or isinstance(source, type):
        raise SpecError(
            "source must be a store, a result opened from one, emulators, or a function of a"
            f" state (channel, *space), got {_named(source)}"
        )
    state = jax.ShapeDtypeStruct((scenario.num_channels, *scenario.grid.shape), default_float())
    if isinstance(source, Stacked):
        _check_takes(source[0], state)
        return unstacked(source), source.seeds
    if isinstance(source, eqx.Module) and jax.tree.leaves(split(source).own):
        _check_takes(source, state)
        return with_seeds(source), (0,)
    return _of_function(source, state), (0,)


def _of_function(function: Any, state: jax.ShapeDtypeStruct) -> Solver:
    """Return any function of a state as one of batches: by JAX, or by NumPy on the host."""
    solver = as_solver(function)
    batch = jax.ShapeDtypeStruct((state.shape[0], 1, *state.shape[1:]), state.dtype)
    try:
        made: Any = eqx.filter_eval_shape(solver.batched, batch)
    except Exception:  # of another framework, or plain Python: it is tried with numbers
        return _on_host(function, state)
    shape = getattr(made, "shape", None)
    of_one = made if shape is None else jax.ShapeDtypeStruct((*shape[:1], *shape[2:]), made.dtype)
    _check_keeps_shape(function, of_one, state)
    return solver


def _on_host(function: Any, state: jax.ShapeDtypeStruct) -> Solver:
    """Return a function that JAX cannot trace, called with NumPy arrays one state at a time.

    Raises
    ------
    ShapeError
        If it fails on a state, or gives something else than a state.
    """

    def call(u: Any) -> np.ndarray:
        return np.asarray(function(np.asarray(u)))

    try:
        made = call(np.zeros(state.shape, state.dtype))
    except Exception as error:  # frameworks raise what they like
        raise ShapeError(
            f"{_named(function)} fails on a state {state.shape} ({type(error).__name__}: {error});"
            " it must take one state (channel, *space), as a JAX or NumPy array, and return the"
            " next one"
        ) from error
    _check_keeps_shape(function, made, state)

    def step(u: jax.Array) -> jax.Array:
        def on_host(u: Any) -> np.ndarray:
            return call(u).astype(state.dtype)

        return jax.pure_callback(on_host, state, u, vmap_method="sequential")  # type: ignore[no-any-return]

    return as_solver(step)


def _check_takes(network: Any, state: jax.ShapeDtypeStruct) -> None:
    try:
        made = eqx.filter_eval_shape(network, state)
    except Exception as error:  # a network for other states raises what it likes
        raise ShapeError(
            f"{_named(network)} does not take a state {state.shape} of the scenario"
            f" ({type(error).__name__}: {error})"
        ) from error
    _check_keeps_shape(network, made, state)


def _check_keeps_shape(emulator: Any, made: Any, state: jax.ShapeDtypeStruct) -> None:
    shape = getattr(made, "shape", None)
    if shape != state.shape:
        got = type(made).__name__ if shape is None else shape
        raise ShapeError(f"{_named(emulator)} must take a state {state.shape} to such, got {got}")


def _named(given: Any) -> str:
    """Return what a message calls an object: short, whatever it holds."""
    return getattr(given, "__qualname__", None) or f"a {type(given).__name__}"
