"""From a recipe and a request to an experiment: all checked, nothing computed."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from jaxtyping import PRNGKeyArray

from apexr._digest import canonical_json, digest
from apexr._frames import SINGLE
from apexr._precision import MIXED, computing_in
from apexr.engine import (
    TASKS,
    EmulatorPlan,
    OwnNetwork,
    Task,
    fitted,
    needs_statistics,
    skeleton,
)
from apexr.errors import SpecError, warn
from apexr.experiment import _data
from apexr.experiment._experiment import Experiment
from apexr.experiment._warm import warm_start
from apexr.metrics import Metric, measuring
from apexr.networks import NETWORKS, NetworkSpec
from apexr.objectives import OBJECTIVES, Objective
from apexr.recipe import (
    ParsedRequest,
    Recipe,
    Request,
    own_method,
    parse_request,
    specification,
)
from apexr.training import (
    Optimizer,
    OwnOptimizer,
    Trainer,
    TrainingPlan,
    count_windows,
    objective_for,
)

T = TypeVar("T")

PRODUCTS = "bfloat16 factors, float32 sums"
"""The note in results of mixed precision about the products in their networks."""


def metrics(scenario: Recipe, shape: tuple[int, ...] | None = None) -> dict[str, Metric]:
    """Return the metrics of the report by config string, as they measure the scenario's states.

    Parameters
    ----------
    scenario
        The scenario that states them.
    shape
        The points along each axis, where they are others than the scenario's.

    Raises
    ------
    SpecError
        If one cannot be read, means nothing for these states or does not return what it says.
    """
    if shape is None or shape == scenario.grid.shape:
        return scenario.parsed_protocol.metrics
    grid = dataclasses.replace(scenario.grid, num_points=shape)
    return measuring(
        scenario.report_metrics, dataclasses.replace(scenario.fields_of_states, grid=grid)
    )


def own_optimizer(scenario: Recipe) -> Optimizer:
    """Return the optimizer of the config string, or of an overridden ``get_optimizer``."""
    parsed = scenario.parsed_protocol.optimizer
    own = own_method(scenario, "get_optimizer")
    return parsed if own is None else OwnOptimizer(own, parsed)


def training_plan(
    scenario: Recipe, objective: Objective, emulator: EmulatorPlan | None = None
) -> TrainingPlan:
    """Return the training of an emulator, checked against the trajectories.

    Raises
    ------
    SpecError
        If its windows do not fit.
    """
    train_config = str(objective)
    if emulator is not None:
        objective = objective_for(skeleton(emulator), objective)
    sizes = (scenario.num_train_samples, scenario.train_temporal_horizon + 1)
    try:
        num_windows = count_windows(*sizes, objective.window_length)
    except SpecError as error:
        one = emulator is None or emulator.frames == SINGLE
        given = "" if one or emulator is None else f" of a network with {emulator.frames}"
        raise SpecError(f"training config {train_config!r}{given}: {error}") from None
    if "valid" in _data.shapes(scenario):
        samples, frames = _data.shapes(scenario)["valid"][:2]
        try:
            count_windows(samples, frames, objective.plain.window_length)
        except SpecError as error:
            raise SpecError(f"training config {train_config!r}, for validation: {error}") from None
    if scenario.batch_size > num_windows:
        warn(
            f"batch_size {scenario.batch_size} is larger than the {num_windows} training windows:"
            " each batch is the full data",
        )
    return TrainingPlan(
        objective,
        own_optimizer(scenario),
        min(scenario.batch_size, num_windows),
        scenario.record_loss_every,
        scenario.get_train_stepper,
        scenario.memory_of_data,
    )


def trainer(scenario: Recipe, train_config: str) -> Trainer:
    """Return the trainer on the scenario's training data."""
    plan = training_plan(scenario, OBJECTIVES.parse(train_config))
    return Trainer(_data.reference(scenario, "train"), plan)


def parsed_plan(scenario: Recipe, task: Task, network: NetworkSpec) -> EmulatorPlan:
    """Return the emulator of apexr's own, whatever a subclass overrides.

    Raises
    ------
    SpecError
        If the network does not fit the grid.
    """
    network.check_with(scenario.grid, scenario.num_channels, scenario.num_constants)
    return _emulator(scenario, task, network)


def read_plan(scenario: Recipe, task_config: str, network_config: str) -> EmulatorPlan:
    """Return :func:`parsed_plan` of config strings.

    Raises
    ------
    SpecError
        If a string cannot be read, or the network does not fit the grid.
    """
    network = NETWORKS.parse(network_config)
    return parsed_plan(scenario, TASKS.parse(task_config), network)


def network_plan(scenario: Recipe, task_config: str, network_config: str) -> EmulatorPlan:
    """Return the emulator with the network of an overridden ``get_network``, if it is one.

    Raises
    ------
    SpecError
        As for :func:`read_plan`.
    """
    own = _own_network(scenario, network_config)
    if own is None:
        return read_plan(scenario, task_config, network_config)
    return _emulator(scenario, TASKS.parse(task_config), own)


def emulator_plan(
    scenario: Recipe, task_config: str, network_config: str, precision: str = ""
) -> EmulatorPlan:
    """Return the emulator that an experiment trains: overridden methods make it where there are.

    Its network multiplies in bfloat16 where the precision is mixed.

    Raises
    ------
    SpecError
        As for :func:`read_plan`.
    """
    request = Request(task_config, network_config)
    return _trained(scenario, parse_request(scenario, request), precision)


def _trained(scenario: Recipe, parsed: ParsedRequest, precision: str) -> EmulatorPlan:
    """Return the emulator of a request; overridden methods get its config strings."""
    whole = own_method(scenario, "get_neural_stepper")
    if whole is not None:
        stepper, given = whole, {"task_config": parsed.task, "network_config": parsed.net}

        def make(key: PRNGKeyArray) -> Any:
            return stepper(**given, key=key)

        plain = _emulator(scenario, TASKS.parse("predict"), OwnNetwork(make, parsed.net))
    elif (own := _own_network(scenario, parsed.net)) is not None:
        plain = _emulator(scenario, _there(parsed.parsed_task), own)
    else:
        plain = parsed_plan(scenario, _there(parsed.parsed_task), _there(parsed.network))
    return dataclasses.replace(plain, mixed=precision == MIXED)


def _own_network(scenario: Recipe, network_config: str) -> OwnNetwork | None:
    """Return the network of an overridden ``get_network``."""
    own = own_method(scenario, "get_network")
    if own is None:
        return None
    get_network = own

    def make(key: PRNGKeyArray) -> Any:
        return get_network(network_config, key)

    return OwnNetwork(make, network_config)


def _there(parsed: T | None) -> T:
    """Return what a config string means, which only overridden methods may leave open."""
    if parsed is None:
        raise SpecError("a config string that only code of the user's reads means nothing here")
    return parsed


def _emulator(scenario: Recipe, task: Task, network: NetworkSpec) -> EmulatorPlan:
    size = (scenario.grid, scenario.num_channels)
    return EmulatorPlan(
        task.around(network), task, *size, scenario.get_coarse_stepper, scenario.num_constants
    )


def built(scenario: Recipe, plan: EmulatorPlan, key: PRNGKeyArray) -> Any:
    """Return an emulator drawn from a key, with the statistics of the training data it needs."""
    made = plan.build(key)
    return fitted(made, _data.reference(scenario, "train")) if needs_statistics(made) else made


def plan(scenario: Recipe, request: Request, label: Mapping[str, Any] | None = None) -> Experiment:
    """Return the experiment that a request means; nothing is computed yet.

    Parameters
    ----------
    scenario, request
        The request.
    label
        The scenario's parameters in the result; by default those that differ from
        their defaults.

    Raises
    ------
    SpecError
        For anything invalid.
    """
    with computing_in(request.precision):
        return _plan(scenario, request, scenario.changed_parameters if label is None else label)


def _plan(scenario: Recipe, request: Request, kwargs: Mapping[str, Any]) -> Experiment:
    parsed = parse_request(scenario, request)
    identity = specification(scenario, request, parsed)
    precision = identity["precision"]
    emulator = _trained(scenario, parsed, precision)
    emulator.check()
    warm = None if request.init is None else warm_start(request.init, emulator, request.seeds)
    if warm is not None:
        identity = {**identity, "init": warm.digest}
        kwargs = {**kwargs, "init": warm.label}
    config = {
        "scenario": scenario.get_scenario_name(),
        **{name: identity[name] for name in ("task", "net", "train")},
        "scenario_kwargs": _data.label(kwargs),
    }
    objective = OBJECTIVES.parse("one") if parsed.objective is None else parsed.objective
    training = training_plan(scenario, objective, emulator)
    _check_frames(scenario, emulator)
    scenario.check_experiment(emulator, training)
    protocol = scenario.parsed_protocol
    return Experiment(
        emulator=emulator,
        training=training,
        metrics=protocol.metrics,
        num_kept=scenario.num_trjs_returned,
        shapes=_data.shapes(scenario),
        callbacks=protocol.callbacks,
        seeds=request.seeds,
        axes=scenario.axes,
        config=config,
        attrs={
            **_data.provenance(scenario),
            **({"precision": MIXED, "products": PRODUCTS} if precision == MIXED else {}),
            **({} if warm is None else {"init": warm.text, "init_digest": warm.digest}),
            **emulator.task.attributes,
            "experiment_id": digest(identity),
            "specification": canonical_json(identity),
        },
        precision=precision,
        choice=protocol.choice,
        begin=None if warm is None else warm.begin,
    )


def _check_frames(scenario: Recipe, emulator: EmulatorPlan) -> None:
    """Refuse test trajectories of which nothing is left to predict.

    Raises
    ------
    SpecError
        If all frames are given.
    """
    given, horizon = emulator.frames.given, scenario.test_temporal_horizon
    if given > horizon:
        raise SpecError(
            f"network {str(emulator.network)!r} is given the steps 0 … {given - 1}, and the test"
            f" trajectories end with step {horizon}; raise test_temporal_horizon to at least"
            f" {given}, or take a shorter history"
        )
