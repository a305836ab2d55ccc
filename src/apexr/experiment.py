"""One experiment: from plain parts to a labelled result and the trained emulators."""

import contextlib
import dataclasses
import importlib
import importlib.metadata
import platform
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float
from tqdm.auto import tqdm

from apexr import labels
from apexr.engine import (
    EmulatorPlan,
    Evaluated,
    count_parameters,
    draw_emulators,
    evaluate,
)
from apexr.metrics import Metric
from apexr.schema import identifier, trajectory_name
from apexr.training import Report, Trained, TrainingPlan, train

_RECORDED_PACKAGES = ("apexr", "jax", "equinox", "optax", "numpy", "xarray", "zarr")


@dataclasses.dataclass(frozen=True)
class Experiment:
    """All that an experiment is made of, besides its data.

    Attributes
    ----------
    emulator, training
        What is trained, and how.
    metrics
        Metrics of the rollout by config string.
    num_kept
        Test trajectories that the result holds whole.
    seeds
        One network is drawn and trained for each.
    axes
        Labels of the states.
    config
        ``scenario``, ``task``, ``net``, ``train``, ``scenario_kwargs`` as they were typed.
    attrs
        Further attributes of the result.
    """

    emulator: EmulatorPlan
    training: TrainingPlan
    metrics: dict[str, Metric]
    num_kept: int
    seeds: tuple[int, ...]
    axes: labels.Axes
    config: Mapping[str, str]
    attrs: Mapping[str, Any]


def execute(
    experiment: Experiment,
    train_trajectories: Float[Array, "sample frame channel *space"],
    test_trajectories: Float[Array, "sample frame channel *space"],
    *,
    progress: bool = True,
) -> tuple[xr.Dataset, Any]:
    """Return the labelled result and the emulators, whose arrays lead with the seeds.

    Parameters
    ----------
    experiment
        What to do.
    train_trajectories, test_trajectories
        Reference data with initial states.
    progress
        Whether to show a progress bar.
    """
    _import_meanwhile("dask.array")  # labels need it, and it is slow to import
    emulators, shuffle_keys = draw_emulators(list(experiment.seeds), experiment.emulator)
    with progress_bar(experiment, shown=progress) as report:
        trained = train(emulators, train_trajectories, shuffle_keys, experiment.training, report)
    tested = evaluate(trained.emulators, test_trajectories, experiment.metrics, experiment.num_kept)
    arrays = {
        **_training_arrays(experiment, trained),
        **_test_arrays(experiment, tested, np.asarray(test_trajectories[: experiment.num_kept])),
        "compile_seconds": trained.compile_seconds + tested.compile_seconds,
    }
    result = labels.experiment(
        arrays,
        experiment.axes,
        seeds=experiment.seeds,
        update_steps=trained.update_steps,
        config=experiment.config,
        metrics={identifier(config): config for config in experiment.metrics},
        attrs={**machine(), **experiment.attrs},
    )
    return result, trained.emulators


def _import_meanwhile(module: str) -> None:
    """Import a module in the background, while compiled code runs."""
    threading.Thread(target=importlib.import_module, args=(module,), daemon=True).start()


def _training_arrays(experiment: Experiment, trained: Trained) -> dict[str, Any]:
    return {
        "train_loss": trained.losses,
        "diverged_at": trained.diverged_at,
        "train_seconds": trained.train_seconds,
        "num_parameters": count_parameters(experiment.emulator),
    }


def _test_arrays(
    experiment: Experiment, tested: Evaluated, kept: Float[np.ndarray, "sample frame ..."]
) -> dict[str, Any]:
    arrays = metric_arrays(tested.errors)
    arrays["sample_rollout"] = tested.rollouts
    arrays["sample_reference"] = kept[:, 1:]
    arrays["initial_state"] = kept[:, 0]
    arrays["inference_seconds"] = tested.inference_seconds
    return arrays


def metric_arrays(errors: dict[str, Float[np.ndarray, "seed test_sample time"]]) -> dict[str, Any]:
    """Return each metric as mean over the test samples and as one number a trajectory."""
    arrays: dict[str, Any] = {}
    for config, values in errors.items():
        arrays[identifier(config)] = values.mean(axis=1)
        arrays[trajectory_name(config)] = values
    return arrays


@contextlib.contextmanager
def progress_bar(experiment: Experiment, *, shown: bool) -> Iterator[Report]:
    """Give the function that a training reports to, drawn as a bar on standard error."""
    total = experiment.training.optimizer.updates
    name = f"{experiment.config['scenario']} {experiment.config['net']}"
    seeds = f"{len(experiment.seeds)} seed{'s' if len(experiment.seeds) > 1 else ''}"
    with tqdm(total=total, desc=f"{name}, {seeds}", unit="update", disable=not shown) as bar:

        def report(done: int, losses: Float[np.ndarray, " seed"]) -> None:
            bar.update(done - bar.n)
            bar.set_postfix(loss=f"{np.median(losses):.1e}", refresh=False)

        yield report
        bar.update(total - bar.n)


def machine() -> dict[str, Any]:
    """Return with what and where a result is made, as attributes."""
    versions = {f"{name}_version": importlib.metadata.version(name) for name in _RECORDED_PACKAGES}
    device = jax.local_devices()[0]
    return {
        **versions,
        "python_version": platform.python_version(),
        "device": f"{jax.local_device_count()} x {device.platform}: {device.device_kind}",
        "precision": jnp.zeros(()).dtype.name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
