"""Mock results made from the schema, and assertions about results."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dask
import numpy as np
import xarray as xr

from apexr._doors import check_all
from apexr.labels import Axes, experiment
from apexr.schema import identifier, metric_names, validate

__all__ = ["assert_valid", "mock_experiment", "no_compute"]


def assert_valid(ds: xr.Dataset) -> None:
    """Assert that a Dataset fits the schema, saying all that does not."""
    try:
        validate(ds)
    except ValueError as error:
        raise AssertionError(str(error)) from error


@contextmanager
def no_compute() -> Iterator[None]:
    """Make any computation by Dask an error, to prove that a function is lazy."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a lazy function computed")

    with dask.config.set(scheduler=refuse):
        yield


def mock_experiment(
    *,
    scenario: str = "1d_diff_adv",
    task: str = "predict",
    net: str = "Conv;26;10;relu",
    train: str = "one",
    scenario_kwargs: str = "{}",
    seeds: Sequence[int] = (0, 1, 2),
    diverged: Sequence[int] = (),
    metrics: Sequence[str] = ("mean_nRMSE",),
    num_spatial_dims: int = 1,
    num_points: int | tuple[int, ...] = 16,
    num_channels: int = 1,
    num_times: int = 8,
    num_losses: int = 5,
    loss_every: int = 100,
    num_test_samples: int = 4,
    num_samples: int = 1,
    dt: float | None = 0.1,
    domain_extent: float | tuple[float, ...] = 1.0,
    random_seed: int = 0,
) -> xr.Dataset:
    """Return a result as a run would make it: a traveling wave that the emulator gets late.

    Parameters
    ----------
    scenario, task, net, train, scenario_kwargs
        Labels of the experiment.
    seeds
        Seeds of the networks; the losses and errors differ between them.
    diverged
        Those of ``seeds`` that became NaN halfway through the training.
    metrics
        Config strings of the metrics.
    num_spatial_dims, num_points, num_channels, dt, domain_extent
        The grid.
    num_times, num_losses, loss_every, num_test_samples, num_samples
        Sizes of the other dimensions.
    random_seed
        Seed of the noise.
    """
    rng = np.random.default_rng(random_seed)
    axes = Axes(num_spatial_dims, num_points, domain_extent, dt=dt)
    quality = np.exp(rng.normal(0, 0.4, len(seeds)))[:, None]
    steps = np.arange(num_losses) * loss_every
    decay = np.exp(-np.linspace(0, 8, num_losses)) * np.exp(rng.normal(0, 0.2, num_losses))
    arrays = {
        "train_loss": quality * decay,
        **_waves(axes, num_samples, num_times, num_channels, quality),
        "train_seconds": np.asarray(12.5),
        "compile_seconds": np.asarray(1.5),
        "inference_seconds": np.asarray(0.2),
        "num_parameters": np.asarray(1234),
        "num_train_samples": np.asarray(50),
        "train_flops": np.asarray(2.5e12),
        "receptive_field": np.asarray(21.0),
        "diverged_at": np.where(np.isin(seeds, diverged), steps[num_losses // 2], -1),
    }
    growth = 1 - np.exp(-np.linspace(0.01, 1, num_times))
    names = metric_names(metrics)
    for config in metrics:
        spread = np.exp(rng.normal(0, 0.3, (len(seeds), num_test_samples, 1)))
        errors = quality[:, None] * growth * spread
        mean, twin = names[config]
        arrays[twin] = errors
        arrays[mean] = errors.mean(axis=1)
    lost = np.isin(seeds, diverged)
    arrays["train_loss"][lost, num_losses // 2 :] = np.nan
    for name in ("sample_rollout", *(name for pair in names.values() for name in pair)):
        arrays[name][lost] = np.nan
    single = {n: a.astype(np.float32) if a.ndim > 1 else a for n, a in arrays.items()}
    return experiment(
        single,
        axes,
        seeds=seeds,
        update_steps=steps,
        config={
            "scenario": scenario,
            "task": task,
            "net": net,
            "train": train,
            "scenario_kwargs": scenario_kwargs,
        },
        metrics={identifier(config): config for config in metrics},
        attrs={"scenario_key": scenario.removeprefix(f"{num_spatial_dims}d_")},
    )


def _waves(
    axes: Axes, samples: int, times: int, channels: int, quality: np.ndarray
) -> dict[str, np.ndarray]:
    """Return traveling waves, and predictions that lag behind them and fade."""
    angles = [2 * np.pi * np.arange(points) / points for points in axes.shape]
    phase = sum(np.meshgrid(*angles, indexing="ij"))
    shift = np.arange(times + 1) * 4 * np.pi / max(times, 1)
    lead = np.arange(samples)[:, None, None] + 0.5 * np.arange(channels)
    argument = (lead + shift[None, :, None])[(..., *[None] * axes.num_spatial_dims)]
    wave = np.sin(phase - argument) + 0.4 * np.cos(2 * phase + argument)
    lag = (0.02 * quality * shift)[(..., None, None, *[None] * axes.num_spatial_dims)]
    late = np.sin(phase - argument + lag[:, None, :, 0]) + 0.4 * np.cos(2 * phase + argument)
    return {
        "initial_state": wave[:, 0],
        "sample_reference": wave[:, 1:],
        "sample_rollout": (late * np.exp(-0.3 * lag[:, None, :, 0]))[:, :, 1:],
    }


check_all(globals())
