"""A scenario's parts, parsed and checked before any work is done."""

import dataclasses
import functools
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jaxtyping import PRNGKeyArray
from tqdm.auto import tqdm

from apexr._digest import canonical_json, digest
from apexr._frames import SINGLE
from apexr._precision import MIXED, check_precision, computing_in
from apexr._typing import Precision
from apexr.engine import (
    TASKS,
    Callback,
    EmulatorPlan,
    OwnNetwork,
    Task,
    fitted,
    needs_statistics,
    parse_callbacks,
    skeleton,
    stacked,
)
from apexr.errors import SpecError, warn
from apexr.experiment import Experiment, Watch, execute
from apexr.initial import INITIAL_CONDITIONS, InitialCondition, for_channels
from apexr.metrics import Fields, Metric, measuring
from apexr.networks import NETWORKS, NetworkSpec
from apexr.objectives import OBJECTIVES
from apexr.scenarios import _data
from apexr.scenarios._choice import check_validation, choice
from apexr.scenarios._code import is_overridden
from apexr.scenarios._identity import specification
from apexr.scenarios._warm import warm_start
from apexr.schema import COORDINATES, RECORDS, VARIABLES, metric_names, step_dim
from apexr.training import (
    OPTIMIZERS,
    Hook,
    Keeper,
    Optimizer,
    OwnOptimizer,
    Singly,
    Trainer,
    TrainingPlan,
    count_windows,
    objective_for,
)

if TYPE_CHECKING:
    import xarray as xr

    from apexr.scenarios._base import BaseScenario

PRODUCTS = "bfloat16 factors, float32 sums"
"""What results of mixed precision say of the products in their networks."""

LAST_SEED = 2**32 - 1
MOST_SEEDS = 100_000


@dataclasses.dataclass(frozen=True)
class Request:
    """What is asked of a scenario: the rest of an experiment's configuration.

    Attributes
    ----------
    task, net, train
        Config strings as they were typed.
    start_seed, num_seeds
        The seeds.
    precision
        ``"float32"``, ``"float64"`` or ``"mixed"``; None is what JAX is set to.
    init
        ``STORE`` or ``STORE#EXPERIMENT``: weights to begin with; None draws them.
    """

    task: str = "predict"
    net: str = "Conv;34;10;relu"
    train: str = "one"
    start_seed: int = 0
    num_seeds: int = 1
    precision: Precision | None = None
    init: str | None = None

    def __post_init__(self) -> None:
        check_precision(self.precision)
        for name in ("start_seed", "num_seeds"):
            value = getattr(self, name)
            if getattr(value, "ndim", None) == 0:  # a number of NumPy or JAX
                object.__setattr__(self, name, value.item())

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, one after another.

        Raises
        ------
        SpecError
            If there are none or far too many, or they do not fit into 32 bits.
        """
        for name, value, least, most in (
            ("num_seeds", self.num_seeds, 1, MOST_SEEDS),
            ("start_seed", self.start_seed, 0, LAST_SEED),
        ):
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not least <= value <= most:
                raise SpecError(f"{name} must be an integer from {least} to {most}, got {value!r}")
        last = self.start_seed + self.num_seeds - 1
        if last > LAST_SEED:
            raise SpecError(f"seeds must be at most {LAST_SEED}, got {self.start_seed} … {last}")
        return tuple(range(self.start_seed, last + 1))


def check_scenario(scenario: "BaseScenario") -> None:
    """Parse all config strings of a scenario and hold them against each other.

    Raises
    ------
    SpecError
        For the first invalid one.
    """
    configs = [scenario.ic_config, scenario.test_ic_config] if scenario.is_simulated else []
    for condition in (INITIAL_CONDITIONS.parse(config) for config in configs if config != ""):
        for_channels(condition, scenario.num_channels)
        condition.check(scenario.grid)
    updates = optimizer(scenario).updates
    metric_names(metrics(scenario))
    check_validation(scenario, choice(scenario), callbacks(scenario))
    low, high = scenario.vlim
    if not low < high:
        raise SpecError(f"vlim must be (low, high) with low < high, got {scenario.vlim!r}")
    if scenario.num_trjs_returned > scenario.num_test_samples:
        raise SpecError(
            f"num_trjs_returned must be at most num_test_samples ({scenario.num_test_samples}),"
            f" got {scenario.num_trjs_returned}"
        )
    if 0 < scenario.subset_of < scenario.num_train_samples:
        raise SpecError(
            f"subset_of must be at least num_train_samples ({scenario.num_train_samples}), which"
            f" are taken of so many, or 0 for no subset; got {scenario.subset_of}"
        )
    if scenario.record_loss_every > updates:
        warn(
            f"record_loss_every is {scenario.record_loss_every}, but there are {updates} updates:"
            " only the loss before the first one is recorded",
        )
    if scenario.is_simulated and scenario.train_seed == scenario.test_seed:
        warn(
            f"train_seed and test_seed are both {scenario.train_seed}: the emulator is tested on"
            " initial states that it was trained on",
        )
    seeds = {"train_seed": scenario.train_seed, "test_seed": scenario.test_seed}
    shared = [name for name, seed in seeds.items() if seed == scenario.valid_seed]
    if scenario.is_simulated and scenario.num_valid_samples and shared:
        warn(
            f"valid_seed and {shared[0]} are both {scenario.valid_seed}: data for validation begin"
            " with the same initial states",
        )


def initial_condition(scenario: "BaseScenario") -> InitialCondition:
    """Return the parsed initial condition."""
    return INITIAL_CONDITIONS.parse(scenario.ic_config)


def optimizer(scenario: "BaseScenario") -> Optimizer:
    """Return the parsed optimiser."""
    return OPTIMIZERS.parse(scenario.optim_config)


def metrics(scenario: "BaseScenario", shape: tuple[int, ...] | None = None) -> dict[str, Metric]:
    """Return the metrics of the report by config string, as they measure the scenario's states.

    Parameters
    ----------
    scenario
        What says them.
    shape
        The points along each axis, where they are others than the scenario's.

    Raises
    ------
    SpecError
        If one cannot be read, means nothing for these states or does not return what it says.
    """
    grid = scenario.grid if shape is None else dataclasses.replace(scenario.grid, num_points=shape)
    fields = Fields(grid, scenario.num_channels, scenario.channel_kind)
    return measuring(scenario.report_metrics, fields)


def callbacks(scenario: "BaseScenario") -> tuple[Callback, ...]:
    """Return the parsed callbacks.

    Raises
    ------
    SpecError
        If one cannot be read, or bears the name of something that every result holds.
    """
    parsed = parse_callbacks(scenario.callbacks)
    declared = {dim for variable in RECORDS.values() for dim in variable.dims}
    new = [one.name for one in parsed if step_dim(one.name) not in declared]
    taken = [name for name in new if name in (*VARIABLES, *COORDINATES)]
    if taken:
        raise SpecError(
            f"callbacks: {taken[0]!r} is something that every result holds; register the callback"
            " under another name"
        )
    return parsed


def own_optimizer(scenario: "BaseScenario") -> Optimizer:
    """Return the optimizer of the config string, or of an overridden ``get_optimizer``."""
    parsed = optimizer(scenario)
    overridden = is_overridden(scenario, "get_optimizer")
    return OwnOptimizer(scenario.get_optimizer, parsed) if overridden else parsed


def training_plan(
    scenario: "BaseScenario", train_config: str, emulator: EmulatorPlan | None = None
) -> TrainingPlan:
    """Return the parsed training of an emulator, checked against the trajectories.

    Raises
    ------
    SpecError
        If the string cannot be read or its windows do not fit.
    """
    objective = OBJECTIVES.parse(train_config)
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


def trainer(scenario: "BaseScenario", train_config: str) -> Trainer:
    """Return the trainer on the scenario's training data."""
    plan = training_plan(scenario, train_config)
    return Trainer(_data.reference(scenario, "train"), plan)


def parsed_plan(scenario: "BaseScenario", task_config: str, network_config: str) -> EmulatorPlan:
    """Return the emulator that config strings mean, whatever a subclass overrides.

    Raises
    ------
    SpecError
        If a string cannot be read, or the network does not fit the grid.
    """
    network = NETWORKS.parse(network_config)
    network.check_with(scenario.grid, scenario.num_channels, scenario.num_constants)
    return _emulator(scenario, TASKS.parse(task_config), network)


def network_plan(scenario: "BaseScenario", task_config: str, network_config: str) -> EmulatorPlan:
    """Return the emulator with the network of an overridden ``get_network``, if it is one.

    Raises
    ------
    SpecError
        As for :func:`parsed_plan`.
    """
    if not is_overridden(scenario, "get_network"):
        return parsed_plan(scenario, task_config, network_config)

    def make(key: PRNGKeyArray) -> Any:
        return scenario.get_network(network_config, key)

    return _emulator(scenario, TASKS.parse(task_config), OwnNetwork(make, network_config))


def emulator_plan(
    scenario: "BaseScenario", task_config: str, network_config: str, precision: str = ""
) -> EmulatorPlan:
    """Return the emulator that an experiment trains: overridden methods make it where there are.

    Its network multiplies in bfloat16 where the precision is mixed.

    Raises
    ------
    SpecError
        As for :func:`parsed_plan`.
    """
    if not is_overridden(scenario, "get_neural_stepper"):
        plain = network_plan(scenario, task_config, network_config)
        return dataclasses.replace(plain, mixed=precision == MIXED)

    def make(key: PRNGKeyArray) -> Any:
        given = {"task_config": task_config, "network_config": network_config}
        return scenario.get_neural_stepper(**given, key=key)

    own = _emulator(scenario, TASKS.parse("predict"), OwnNetwork(make, network_config))
    return dataclasses.replace(own, mixed=precision == MIXED)


def _emulator(scenario: "BaseScenario", task: Task, network: NetworkSpec) -> EmulatorPlan:
    size = (scenario.grid, scenario.num_channels)
    return EmulatorPlan(
        task.around(network), task, *size, scenario.get_coarse_stepper, scenario.num_constants
    )


def built(scenario: "BaseScenario", plan: EmulatorPlan, key: PRNGKeyArray) -> Any:
    """Return an emulator drawn from a key, with the statistics of the training data it needs."""
    made = plan.build(key)
    return fitted(made, _data.reference(scenario, "train")) if needs_statistics(made) else made


def plan(
    scenario: "BaseScenario", request: Request, label: Mapping[str, Any] | None = None
) -> Experiment:
    """Return the experiment that a request means; nothing is computed yet.

    Parameters
    ----------
    scenario, request
        What is asked for.
    label
        What the result says of the scenario's parameters; by default those that differ from
        their defaults.

    Raises
    ------
    SpecError
        For anything invalid.
    """
    with computing_in(request.precision):
        return _plan(scenario, request, scenario.changed_parameters if label is None else label)


def _plan(scenario: "BaseScenario", request: Request, kwargs: Mapping[str, Any]) -> Experiment:
    identity = specification(scenario, request)
    configs = {name: identity[name] for name in ("task", "net", "train")}
    precision = identity["precision"]
    emulator = emulator_plan(scenario, configs["task"], configs["net"], precision)
    emulator.check()
    warm = None if request.init is None else warm_start(request.init, emulator, request.seeds)
    if warm is not None:
        identity = {**identity, "init": warm.digest}
        kwargs = {**kwargs, "init": warm.label}
    config = {
        "scenario": scenario.get_scenario_name(),
        **configs,
        "scenario_kwargs": _data.label(kwargs),
    }
    own_trainer = is_overridden(scenario, "get_trainer")
    readable = not own_trainer or _is_readable(configs["train"])
    training = training_plan(scenario, configs["train"] if readable else "one", emulator)
    _check_frames(scenario, emulator)
    scenario.check_experiment(emulator, training)
    return Experiment(
        emulator=emulator,
        training=training,
        metrics=metrics(scenario),
        num_kept=scenario.num_trjs_returned,
        shapes=_data.shapes(scenario),
        callbacks=callbacks(scenario),
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
        choice=choice(scenario),
        begin=None if warm is None else warm.begin,
    )


def _check_frames(scenario: "BaseScenario", emulator: EmulatorPlan) -> None:
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


def _is_readable(train_config: str) -> bool:
    """Tell whether a training is one of apexr's, and not only an overridden method's."""
    try:
        OBJECTIVES.parse(train_config)
    except SpecError:
        return False
    return True


def run(
    scenario: "BaseScenario",
    experiment: Experiment,
    *,
    progress: bool = True,
    trackers: Sequence[Hook] = (),
    keeper: Keeper | None = None,
    watch: Watch | None = None,
) -> "tuple[xr.Dataset, Any]":
    """Return the labelled result and the emulators; a single seed has no leading axis there.

    Parameters are those of :func:`apexr.experiment.execute`.

    Raises
    ------
    SpecError
        If data or training do not fit into memory.
    DivergenceError
        If the reference data are not finite.
    """
    if progress and (said := scenario.tell_data()):
        tqdm.write(said, file=sys.stderr)
    with computing_in(experiment.precision):
        given: dict[str, Any] = {"trackers": trackers, "keeper": keeper, "watch": watch}
        given |= {"experiment": experiment}
        given |= {"make_data": functools.partial(_data.finite_trajectories, scenario)}
        if scenario.num_valid_samples:
            given |= {"make_valid": functools.partial(_data.finite_valid, scenario)}
        if _data.has_train_solver(scenario):
            given |= {"by_train_solver": functools.partial(_data.by_train_solver, scenario)}
        if is_overridden(scenario, "get_trainer"):
            given |= _by_own_trainer(scenario, experiment, callable_by_all=not trackers)
        result, emulators = execute(progress=progress, **given)
        return result, stacked(emulators, experiment.seeds)


def _by_own_trainer(
    scenario: "BaseScenario", experiment: Experiment, *, callable_by_all: bool
) -> dict[str, Any]:
    """Return what an overridden ``get_trainer`` changes of the execution of an experiment.

    A trainer of apexr says data and plan, and all seeds are trained at once; another one is called
    for one seed after another.

    Raises
    ------
    SpecError
        If what it returns is no trainer, or cannot call what is to be called during the training.
    """
    own: Any = scenario.get_trainer(train_config=experiment.config["train"])
    if isinstance(own, Trainer):
        shapes = {**experiment.shapes, "train": own.trajectories.shape}
        return {
            "experiment": dataclasses.replace(experiment, training=own.plan, shapes=shapes),
            "make_data": lambda: (own.trajectories, _data.finite_test(scenario)),
        }
    if not callable(own):
        raise SpecError(
            "get_trainer must return a function (emulator, key) -> (trained emulator, losses), or"
            f" a Trainer of apexr's, got {own!r}"
        )
    if needs_statistics(skeleton(experiment.emulator)):
        raise SpecError(
            f"network {experiment.config['net']!r} measures training data of apexr's; the trainer"
            f" of {type(scenario).__name__}.get_trainer has its own. Take a network without 'norm',"
            " and give 'delta' its size: delta;SCALE;INNER"
        )
    if experiment.callbacks or not callable_by_all:
        raise SpecError(
            "callbacks and trackers are called by trainers of apexr's; that of"
            f" {type(scenario).__name__}.get_trainer is another one"
        )
    if scenario.num_valid_samples:
        raise SpecError(
            "trainers of apexr's validate (num_valid_samples, select, patience); that of"
            f" {type(scenario).__name__}.get_trainer is another one"
        )
    return {
        "make_data": lambda: (None, _data.finite_test(scenario)),
        "train_by": Singly(own, experiment.training),
    }
