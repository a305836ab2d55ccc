"""Run one experiment, read it where it is finished, or score rollouts that others made."""

import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import xarray as xr

from apexr._doors import checked
from apexr._typing import PathInput, Precision
from apexr.engine import named_weights
from apexr.errors import SpecError, StoreError
from apexr.experiment import Attendants, Experiment, circumstances
from apexr.kernels import prepare_host_devices
from apexr.scenarios import (
    BaseScenario,
    Request,
    check_storable,
    meaning,
    plan,
    resolve,
    score,
)
from apexr.scenarios import run as run_plan
from apexr.trackers import Watcher, as_trackers

CHECKPOINT_SECONDS = 60.0
"""Time from one checkpoint to the next where nothing is said."""

_BESIDE = (
    "task",
    "net",
    "train",
    "start_seed",
    "num_seeds",
    "precision",
    "init",
    "store",
    "packed",
    "checkpoint_seconds",
    "trackers",
    "progress",
)
"""Keywords in addition to those of the scenario."""


_OWN = (
    "scenario",
    "task",
    "net",
    "train",
    "start_seed",
    "num_seeds",
    "precision",
    "init",
    "checkpoint_seconds",
)
"""Parameters that are parsed with more to say than what kind of thing they are."""


@functools.partial(checked, own=_OWN)
def run(
    scenario: str | BaseScenario,
    *,
    task: str = "predict",
    net: str = "Conv;34;10;relu",
    train: str = "one",
    start_seed: int = 0,
    num_seeds: int = 1,
    precision: Precision | None = None,
    init: str | None = None,
    store: PathInput | None = None,
    packed: bool = False,
    checkpoint_seconds: float | None = CHECKPOINT_SECONDS,
    trackers: Sequence[Watcher | str] = (),
    progress: bool = True,
    **scenario_kwargs: Any,
) -> xr.Dataset:
    """Return the result of training and testing emulators of one scenario.

    Parameters
    ----------
    scenario
        A key such as ``"diff_adv"`` (see ``apexr list scenarios``), or a scenario object.
    task, net, train
        Config strings.
    start_seed, num_seeds
        The seeds of initial weights and mini-batches; data do not depend on them.
    precision
        ``"float32"`` or ``"float64"``, of everything that is computed; by default what JAX is
        set to. Random numbers, and so data and weights, differ between the two. ``"mixed"`` is
        float32 in which the networks round the factors of their products to bfloat16: for
        devices that multiply those fast, and to see what it costs in accuracy.
    init
        Where the weights lie that the training begins with: ``"pre.zarr"``, or
        ``"study.zarr#ID"`` for an experiment of a study. Each seed begins with its own; network
        and task must be the same. The digest of all weights there is part of the identity of the
        experiment, not their path. By default weights are drawn.
    store
        A Zarr store for result and weights. Where it holds this very experiment, finished,
        that is read and nothing is run. Where it holds a checkpoint, the training goes on from
        there, and gives what it would have given at one go.
    packed
        Whether the store becomes one file instead of a folder of some fifty: ``adv.zarr.zip`` for
        ``store="adv.zarr"``. Both names open it.
    checkpoint_seconds
        Time from one checkpoint to the next, if there is a store; None makes one only after
        Ctrl-C. They lie next to the store and are removed when the result is published.
    trackers
        Objects that are called with a :class:`apexr.training.Moment` before updates 0,
        ``every``, 2 ``every``, …, where ``every`` is their attribute; see
        :func:`apexr.training.tracker`. Or loggers: ``"tensorboard"``, ``"mlflow"``, ``"wandb"``,
        see :mod:`apexr.trackers`. Records are named by the scenario's parameter
        ``callbacks`` instead.
    progress
        Whether to show a progress bar.
    **scenario_kwargs
        Parameters of the scenario that differ from its defaults.

    Returns
    -------
    The result as declared in :mod:`apexr.schema`; opened lazily where there is a store.

    Raises
    ------
    SpecError
        For anything invalid, before any work.
    StoreError
        If the store cannot be written or holds something else, before any work.
    DivergenceError
        If the reference data are not finite.
    KeyboardInterrupt
        After Ctrl-C. With a store, the training ends in order, after one more checkpoint; a
        second Ctrl-C ends it at once.
    Terminated
        After SIGTERM, with a store, likewise; where nobody catches it, the exit code is 143.

    Examples
    --------
    >>> ds = apexr.run("diff_adv", net="Conv;26;10;relu", train="one", num_seeds=10)
    >>> ds.mean_nRMSE.median("seed").sel(time=[1, 10, 100])
    """
    request = Request(task, net, train, start_seed, num_seeds, precision, init)
    chosen, experiment = plan_experiment(scenario, request, scenario_kwargs)
    attendants = Attendants(progress, as_trackers(trackers))
    storing = Storing(checkpoint_seconds, packed=packed)
    if store is None:
        if packed:
            raise SpecError("packed=True says how a result is stored; give a store besides")
        return run_plan(chosen, experiment, attendants)[0]
    return run_stored(chosen, experiment, store, attendants, storing)


@functools.partial(checked, own=_OWN)
def run_experiment(
    *,
    scenario: str | BaseScenario,
    task: str,
    net: str,
    train: str,
    start_seed: int,
    num_seeds: int,
    precision: Precision | None = None,
    init: str | None = None,
    trackers: Sequence[Watcher | str] = (),
    progress: bool = True,
    **scenario_kwargs: Any,
) -> tuple[xr.Dataset, Any]:
    """Return the result of one experiment and its trained emulators.

    Parameters and errors are those of :func:`run`. The arrays of the emulators lead with the
    seeds, unless there is one seed.
    """
    request = Request(task, net, train, start_seed, num_seeds, precision, init)
    chosen, experiment = plan_experiment(scenario, request, scenario_kwargs)
    return run_plan(chosen, experiment, Attendants(progress, as_trackers(trackers)))


def plan_experiment(
    scenario: str | BaseScenario, request: Request, scenario_kwargs: dict[str, Any]
) -> tuple[BaseScenario, Experiment]:
    """Return the scenario and the checked experiment that a request means.

    Raises
    ------
    SpecError
        For anything invalid.
    """
    prepare_host_devices()
    chosen = resolve(scenario, scenario_kwargs, beside=_BESIDE)
    return chosen, plan(chosen, request)


@dataclasses.dataclass(frozen=True)
class Storing:
    """How results are stored.

    Attributes
    ----------
    checkpoint_seconds
        Time from one checkpoint of a training to the next; None makes one only after Ctrl-C.
    overwrite
        Whether a finished experiment is run again.
    compact, packed
        Those of :func:`apexr.store.publish_experiment`.

    Raises
    ------
    SpecError
        If the time is neither None nor a number of seconds.
    """

    checkpoint_seconds: float | None = CHECKPOINT_SECONDS
    overwrite: bool = False
    compact: bool = False
    packed: bool = False

    def __post_init__(self) -> None:
        seconds: Any = self.checkpoint_seconds
        number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if seconds is not None and not (number and seconds >= 0):
            raise SpecError(
                f"checkpoint_seconds must be a number of seconds, or None for none, got {seconds!r}"
            )


def run_stored(
    scenario: BaseScenario,
    experiment: Experiment,
    unit: PathInput,
    attendants: Attendants,
    storing: Storing,
) -> xr.Dataset:
    """Return an experiment from its store, run and published first if it is not there.

    Parameters
    ----------
    scenario, experiment
        The experiment to run.
    unit
        Its store.
    attendants
        Who attends the training, besides what keeps its checkpoints.
    storing
        How the result is stored.

    Raises
    ------
    StoreError
        If the store holds another experiment that is not to be overwritten.
    """
    from apexr import store as stores  # Zarr is slow to import

    check_storable(json.loads(experiment.attrs["specification"]))
    unit = stores.place(unit)
    stores.check_writable(unit)
    kept = stores.Checkpoints(unit, circumstances(experiment), storing.checkpoint_seconds)
    if stores.is_published(unit) and not storing.overwrite:
        held = _read(unit, experiment)
        with suppress(StoreError):  # the store may be readable alone
            kept.clear()  # of one that was killed when it had published
        return held
    attendants = dataclasses.replace(attendants, keeper=kept)
    result, emulators = run_plan(scenario, experiment, attendants)
    weights = named_weights(emulators)
    stores.publish_experiment(
        result,
        weights,
        unit,
        overwrite=storing.overwrite,
        compact=storing.compact,
        packed=storing.packed,
    )
    kept.clear()
    return stores.open_experiment(unit)


def _is_same(held: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Tell whether attributes are of one experiment, however its config strings are spelled."""
    if held.get("experiment_id") == asked["experiment_id"]:
        return True
    told = [json.loads(one.get("specification", "null")) for one in (held, asked)]
    return None not in told and meaning(told[0]) == meaning(told[1])


def _read(unit: PathInput, experiment: Experiment) -> xr.Dataset:
    from apexr import store as stores  # Zarr is slow to import

    held = stores.open_experiment(unit)
    if not _is_same(held.attrs, experiment.attrs):
        digests = _changed_data(held.attrs, experiment.attrs)
        if digests:
            raise StoreError(
                f"{unit} holds this experiment on other data: the content of"
                f" {experiment.attrs.get('source')} has changed since (digest {digests[0]} then,"
                f" {digests[1]} now); choose another store, or bring the old data back"
            )
        described = ", ".join(
            f"{name} {held[name].item()!r}" for name in ("scenario", "task", "net", "train")
        )
        raise StoreError(
            f"{unit} holds another experiment ({described}, seeds {held.seed.values.tolist()},"
            f" keywords {held['scenario_kwargs'].item()}); choose another store or remove it"
        )
    return held


def _changed_data(held: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """Return both digests of recorded data where two experiments differ in these alone."""
    try:
        specs = [json.loads(attrs["specification"]) for attrs in (held, asked)]
        digests = [spec["parameters"]["source"].pop("digest") for spec in specs]
    except (LookupError, TypeError, ValueError, AttributeError):
        return []
    return digests if specs[0] == specs[1] else []


@functools.partial(checked, own=("scenario",))
def evaluate(
    scenario: str | BaseScenario,
    rollout: Any,
    *,
    reference: Any = None,
    name: str = "external",
    **scenario_kwargs: Any,
) -> xr.Dataset:
    """Return the scenario's metrics of rollouts that any model made from its test states.

    Parameters
    ----------
    scenario
        A key or a scenario object.
    rollout
        Predicted trajectories without their initial states, from NumPy, JAX or any framework
        whose arrays NumPy reads: ``(test_sample, time, channel, *space)``, optionally led by
        ``seed``; the shape must be that of the test data. A DataArray is aligned by its names
        and labels instead, in whatever order they are. It may hold the initial state as time 0,
        and of test samples and time steps only some: those are scored, and the result says which
        they are. The grid, the channels and labels that the reference lacks are refused.
    reference
        True trajectories of the same form, of any number of samples, steps and points; the
        rollout then has their shape. By default the scenario's test data. A DataArray that holds
        time 0 says with which states they begin; otherwise the result has none, unless they are
        as many as the test data on the same grid.
    name
        Name of the model in the result.
    **scenario_kwargs
        Parameters of the scenario that differ from its defaults.

    Raises
    ------
    ShapeError
        If shapes, labels or grids do not fit, or what is given is no array of real numbers.
    """
    prepare_host_devices()
    chosen = resolve(scenario, scenario_kwargs, beside=_BESIDE)
    return score(chosen, rollout, reference, name)


__all__ = ["evaluate", "run", "run_experiment"]
