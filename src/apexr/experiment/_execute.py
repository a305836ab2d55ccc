"""From plain parts to a labeled result and the trained emulators."""

import dataclasses
import functools
import importlib
import importlib.metadata
import logging
import os
import platform
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import jax
import numpy as np
import xarray as xr
from jaxtyping import Array, Float, Int, PRNGKeyArray
from tqdm.auto import tqdm

from apexr import labels
from apexr._precision import computing_in, current_precision, matmul_precision
from apexr.engine import (
    Evaluated,
    TestSet,
    compile_rollouts,
    count_operations,
    count_parameters,
    draw_emulators,
    draws_on_host,
    evaluate,
    fitted,
    outline_emulators,
    require_room_for_data,
    require_room_for_training,
    score_rollouts,
)
from apexr.errors import warn
from apexr.experiment._attend import Attendants
from apexr.experiment._experiment import Experiment
from apexr.kernels import Ahead, convolution_kernels
from apexr.metrics import Metric
from apexr.recipe import Choice
from apexr.schema import TRAIN_SOLVER, identifier, metric_names
from apexr.training import (
    NEVER,
    Footprint,
    Streamed,
    Trained,
    TrainingPlan,
    Validation,
    prepare,
    train,
)

Trajectories = Float[Array, "sample frame channel *space"]
TrainBy = Callable[[Any, PRNGKeyArray], Trained]
"""Takes emulators and shuffle keys of all seeds and trains them."""
_log = logging.getLogger(__name__)

BACKWARD = 3
"""The cost of an update in units of its rollouts: the gradient costs twice as much again."""

_RECORDED_PACKAGES = ("apexr", "jax", "equinox", "optax", "numpy", "xarray", "zarr")


@dataclasses.dataclass(frozen=True)
class Sources:
    """Where the data of an experiment come from; they are made when it is known that they fit.

    Attributes
    ----------
    make_data
        Returns trajectories for training and for testing, with initial states.
    compile_data
        Returns the programs that make them, which others compile.
    make_valid
        Returns trajectories for validation; None where there is none.
    by_train_solver
        Takes the test trajectories to those that the solver of the training data makes of their
        initial states, where that is another solver: its errors are part of the result.
    train_by
        Trains the emulators in place of apexr; nobody attends then, and no data for training are
        needed.
    """

    make_data: Callable[[], tuple[Any, Trajectories | Streamed]]
    compile_data: Callable[[], list[Ahead]] = list
    make_valid: Callable[[], Trajectories | Streamed] | None = None
    by_train_solver: Callable[[Any], Trajectories] | None = None
    train_by: TrainBy | None = None


def execute(
    experiment: Experiment, sources: Sources, attendants: Attendants
) -> tuple[xr.Dataset, Any]:
    """Return the labeled result and the emulators, whose arrays lead with the seeds.

    Parameters
    ----------
    experiment
        The experiment.
    sources
        Where its data come from.
    attendants
        Who attends the training.

    Raises
    ------
    SpecError
        If data or training do not fit into memory.
    """
    data_memory = experiment.training.data_memory
    held = require_room_for_data(experiment.shapes, len(experiment.seeds), data_memory)
    seeds, testing = list(experiment.seeds), (experiment.metrics, experiment.num_kept)
    outline = outline_emulators(experiment.emulator, len(seeds))
    # A tiny program waits for the parts of a large one, so that tiny ones are compiled first.
    at_once = outline is None or draws_on_host(experiment.emulator, len(seeds))
    drawn = draw_emulators(seeds, experiment.emulator) if at_once else None
    need = rollouts = None
    if sources.train_by is None:  # what takes longest to compile does so while the rest is made
        outline = drawn[0] if outline is None and drawn is not None else outline
        shapes = experiment.shapes
        stops = experiment.choice.patience > 0
        whole = (outline, shapes["train"], len(seeds), experiment.training)
        training = prepare(*whole, stops=stops)
        rollouts = compile_rollouts(outline, shapes["test"], *testing)
    emulators, shuffle_keys = drawn or draw_emulators(seeds, experiment.emulator)
    if experiment.begin is not None:
        emulators = experiment.begin(emulators, seeds)
    programs = sources.compile_data()
    # From here on this thread waits for the compiler, so that the interpreter is free.
    _import_meanwhile("dask.array")  # labels need it, and it is slow to import
    counted = _counting_meanwhile(experiment) if sources.train_by is None else None
    if sources.train_by is None:
        need = training.footprint()
        _say_memory(experiment, need, held, shown=attendants.progress)
    for program in programs:
        program.result()
    train_trajectories, test_trajectories = sources.make_data()
    valid_trajectories = None if sources.make_valid is None else sources.make_valid()
    if train_trajectories is not None:
        emulators = fitted(emulators, train_trajectories)
    test = TestSet(test_trajectories, experiment.metrics, experiment.num_kept)
    if valid_trajectories is not None:
        test.valid = TestSet(valid_trajectories, experiment.metrics, 1)
    with attendants.attend(experiment, test) as attendance:
        plan = experiment.training
        if sources.train_by is None:
            validation = _validation(experiment.choice, valid_trajectories)
            given = (emulators, train_trajectories, shuffle_keys)
            trained = train(*given, plan, attendance, validation)
        else:
            trained = sources.train_by(emulators, shuffle_keys)
    _tell_of_diverged(experiment.seeds, trained.diverged_at)
    compile_seconds = 0.0 if rollouts is None else rollouts.result()[1]
    tested = evaluate(trained.emulators, test_trajectories, *testing)
    arrays = {
        **_training_arrays(experiment, trained),
        "train_flops": np.nan if counted is None else counted.result(),
        **_test_arrays(experiment, tested, _predicted(experiment, test_trajectories)),
        "compile_seconds": compile_seconds
        + sum(part.compile_seconds for part in (need, trained, tested) if part is not None),
    }
    if sources.by_train_solver is not None:
        solved = sources.by_train_solver(test_trajectories)
        first = experiment.emulator.frames.given
        truth: Any = np.asarray(test_trajectories)[:, first:]
        arrays |= _train_solver_arrays(solved[:, first - 1 :], truth, experiment.metrics)
    result = labels.experiment(
        arrays,
        experiment.axes,
        seeds=experiment.seeds,
        update_steps=trained.update_steps,
        config=experiment.config,
        metrics={identifier(config): config for config in experiment.metrics},
        records=_records(experiment, trained),
        counts=_times(experiment),
        attrs={**machine(), **_size(need), **experiment.attrs},
    )
    return result, trained.emulators


def _size(need: Footprint | None) -> dict[str, int]:
    return {} if need is None else {"training_bytes": need.on_device}


def _import_meanwhile(module: str) -> None:
    """Import a module in the background, while compiled code runs."""
    threading.Thread(target=importlib.import_module, args=(module,), daemon=True).start()


def _counting_meanwhile(experiment: Experiment) -> Future[float]:
    """Count the operations of a training in the background, while compiled code runs."""

    def count() -> float:
        with computing_in(experiment.precision):
            try:
                return BACKWARD * experiment.training.optimizer.updates * operations(experiment)
            except Exception:  # a network of the user's may refuse to be traced in another thread
                return float("nan")

    with_one = ThreadPoolExecutor(1, "apexr-operations")
    counted = with_one.submit(count)
    with_one.shutdown(wait=False)
    return counted


def _say_memory(experiment: Experiment, need: Footprint, data: int, *, shown: bool) -> None:
    """Say what memory the training takes, or refuse it."""
    sizes = {"num_seeds": len(experiment.seeds), "batch_size": experiment.training.batch_size}
    said = require_room_for_training(need, data, **sizes)
    _log.info(said)
    if shown:
        tqdm.write(said, file=sys.stderr)


def _tell_of_diverged(seeds: Sequence[int], diverged_at: Int[np.ndarray, " seed"]) -> None:
    """Warn of the seeds whose loss became NaN or infinite."""
    lost = [
        f"{seed} at update {at}" for seed, at in zip(seeds, diverged_at, strict=True) if at != NEVER
    ]
    if lost:
        warn(
            f"{len(lost)} of {len(seeds)} seeds diverged: seed {', '.join(lost[:5])}"
            f"{' …' if len(lost) > 5 else ''}; the others are not affected"
        )


def _records(experiment: Experiment, trained: Trained) -> list[labels.Recorded]:
    """Return what callbacks recorded."""
    dims = {callback.name: callback.dims for callback in experiment.callbacks}
    named = [(*name.partition("/")[::2], record) for name, record in trained.records.items()]
    own = {config: metric.dims for config, metric in experiment.metrics.items()}
    return [
        labels.Recorded(callback, *record, (*dims[callback], *own.get(key, ())), key)
        for callback, key, record in named
    ]


def _validation(choice: Choice, trajectories: Trajectories | Streamed | None) -> Validation | None:
    """Return what is validated during a training, where there are data for that."""
    if trajectories is None:
        return None
    metric = choice.metric

    def score(emulators: Any) -> Float[np.ndarray, " seed"]:
        errors = evaluate(emulators, trajectories, {choice.config: metric}, 1).errors  # type: ignore[dict-item]
        values = errors[choice.config].astype(np.float64)
        return np.asarray(values.mean(axis=tuple(range(1, values.ndim))))

    perfect = 0.0 if metric is None else metric.best
    by_metric = None if metric is None else score
    return Validation(trajectories, by_metric, choice.keep_best, choice.patience, perfect)


def _validated_arrays(choice: Choice, trained: Trained) -> dict[str, Any]:
    """Return what validation found, of what was asked for."""
    validated, dtype = trained.validated, trained.losses.dtype
    if validated is None:
        return {}
    arrays: dict[str, Any] = {"valid_loss": validated.losses.astype(dtype)}
    if choice.metric is not None:
        arrays["valid_score"] = validated.scores.astype(dtype)
    if choice.keep_best:
        arrays["selected_at"] = validated.selected_at
    if choice.patience:
        arrays["stopped_at"] = validated.stopped_at
    return arrays


def _training_arrays(experiment: Experiment, trained: Trained) -> dict[str, Any]:
    return {
        "train_loss": trained.losses,
        **_validated_arrays(experiment.choice, trained),
        "diverged_at": trained.diverged_at,
        "train_seconds": trained.train_seconds,
        "num_parameters": count_parameters(experiment.emulator),
        "num_train_samples": experiment.shapes["train"][0],
        "receptive_field": _widest(experiment.emulator.receptive_field()),
    }


def operations(experiment: Experiment) -> float:
    """Return the floating-point operations of the network in one seed's rollouts of one update."""
    plan, emulator = experiment.training, experiment.emulator
    states = plan.batch_size * _mean_steps(plan)
    return states * count_operations(*emulator.made_from)


def _times(experiment: Experiment) -> dict[str, np.ndarray] | None:
    """Return the steps that are predicted, where not all are counted from the first one."""
    given = experiment.emulator.frames.given
    dims = {"test": "time", "valid": "valid_time"}
    shapes = experiment.shapes
    return (
        None
        if given == 1
        else {
            dim: np.arange(given, shapes[part][1]) for part, dim in dims.items() if part in shapes
        }
    )


def _mean_steps(plan: TrainingPlan) -> float:
    """Return how many steps an update makes of each window, on average over the training."""
    starts, updates = plan.objective.starts, plan.optimizer.updates
    if len(starts) == 1:
        return plan.objective.num_steps
    spans = zip(starts, (*starts[1:], updates), strict=True)
    return sum((end - first) * plan.objective.at(first).num_steps for first, end in spans) / updates


def _widest(reaches: Sequence[tuple[float, float]]) -> float:
    """Return the most points along an axis that one output point sees, itself among them."""
    return max(back + 1 + forward for back, forward in reaches)


def _predicted(experiment: Experiment, test: Any) -> Float[np.ndarray, "sample frame ..."]:
    """Return the trajectories that are kept, of those channels that are predicted."""
    held = test if isinstance(test, Streamed) else np.asarray(test)
    return np.asarray(held[: experiment.num_kept])[:, :, : experiment.emulator.num_channels]


def _test_arrays(
    experiment: Experiment, tested: Evaluated, kept: Float[np.ndarray, "sample frame ..."]
) -> dict[str, Any]:
    arrays = metric_arrays(tested.errors)
    arrays["sample_rollout"] = tested.rollouts
    arrays["sample_reference"] = kept[:, experiment.emulator.frames.given :]
    arrays["initial_state"] = kept[:, 0]
    arrays["inference_seconds"] = tested.inference_seconds
    return arrays


def _train_solver_arrays(
    solved: Trajectories, truth: Trajectories, metrics: dict[str, Metric]
) -> dict[str, Any]:
    """Return the errors of trajectories of the solver that made the training data."""
    errors = score_rollouts(np.asarray(solved)[None], np.asarray(truth), metrics)
    return {f"{TRAIN_SOLVER}{name}": values[0] for name, values in metric_arrays(errors).items()}


def metric_arrays(errors: dict[str, Float[np.ndarray, "..."]]) -> dict[str, Any]:
    """Return each metric as mean over the test samples and as one number a trajectory."""
    arrays: dict[str, Any] = {}
    for config, (mean, twin) in metric_names(errors).items():
        arrays[mean] = errors[config].mean(axis=1)
        arrays[twin] = errors[config]
    return arrays


def circumstances(experiment: Experiment) -> dict[str, Any]:
    """Return all that a training's numbers depend on, down to the last bit.

    Devices share sums among them, and compilers differ, so that a checkpoint made elsewhere is
    not gone on with.
    """
    made_with, products = machine(), matmul_precision()
    names = ("apexr_version", "jax_version", "equinox_version", "optax_version", "device")
    return {
        "experiment_id": experiment.attrs["experiment_id"],
        "precision": experiment.precision,
        "jaxlib_version": _version("jaxlib"),
        "machine": platform.machine(),
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        **({} if products == "default" else {"matmul_precision": products}),
        **{name: made_with[name] for name in names},
    }


_version = functools.cache(importlib.metadata.version)


def machine() -> dict[str, Any]:
    """Return with what and where a result is made, as attributes."""
    versions = {f"{name}_version": _version(name) for name in _RECORDED_PACKAGES}
    device = jax.local_devices()[0]
    return {
        **versions,
        "python_version": platform.python_version(),
        "device": f"{jax.local_device_count()} x {device.platform}: {device.device_kind}",
        "precision": current_precision(),
        "matmul_precision": matmul_precision(),
        "convolutions": convolution_kernels(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
