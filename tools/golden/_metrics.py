"""Every metric on stored pairs of fields."""

from pathlib import Path
from typing import Any

import numpy as np

from golden._files import write_archive
from golden._scenario import build

PLAIN = (
    "mean_MAE",
    "mean_nMAE",
    "mean_sMAE",
    "mean_MSE",
    "mean_nMSE",
    "mean_sMSE",
    "mean_RMSE",
    "mean_nRMSE",
    "mean_sRMSE",
    "mean_H1_MAE",
    "mean_H1_nMAE",
    "mean_H1_MSE",
    "mean_H1_nMSE",
    "mean_H1_RMSE",
    "mean_H1_nRMSE",
    "mean_correlation",
)
FOURIER = ("MAE", "nMAE", "MSE", "nMSE", "RMSE", "nRMSE")
ARGUMENTS = ("0;5;0", "0;3;1", "1;2;0", "2;3;2", "1;3;0.5")
NAMES = (*PLAIN, *(f"mean_fourier_{name};{args}" for name in FOURIER for args in ARGUMENTS))
NUM_SAMPLES = 3
POINTS = {1: (32, 31), 2: (16, 15), 3: (8, 7)}


def write_metrics(folder: Path) -> None:
    """Write ``metrics.npz``."""
    arrays: dict[str, Any] = {}
    for dims, sizes in POINTS.items():
        for num_points in sizes:
            for num_channels in (1, 2):
                label = f"{dims}d_c{num_channels}_n{num_points}"
                shape = (NUM_SAMPLES, num_channels, *[num_points] * dims)
                arrays |= _score(label, dims, *_pair(shape))
    arrays |= _score("1d_c1_n64_smooth", 1, *_smooth_pair(64))
    write_archive(folder / "metrics.npz", arrays, {"names": NAMES})


def _score(label: str, dims: int, pred: np.ndarray, ref: np.ndarray) -> dict[str, Any]:
    scenario = build("diff_adv", num_spatial_dims=dims, report_metrics=",".join(NAMES))
    metrics = scenario.get_metric_fns()
    scores = np.array([metrics[name](pred, ref) for name in NAMES])
    return {f"{label}/pred": pred, f"{label}/ref": ref, f"{label}/scores": scores}


def _pair(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return a random field with an offset, disturbed and as it was."""
    generator = np.random.default_rng(shape)
    ref = generator.standard_normal(shape, np.float32) + np.float32(0.25)
    return ref + np.float32(0.3) * generator.standard_normal(shape, np.float32), ref


def _smooth_pair(num_points: int) -> tuple[np.ndarray, np.ndarray]:
    """Return band-limited waves, whose empty modes fall below the threshold of the metrics."""
    x = 2 * np.pi * np.arange(num_points) / num_points
    waves = np.arange(1, NUM_SAMPLES + 1)[:, None, None] * x
    common = 0.3 * np.sin(x) + 0.2 * np.cos(2 * x) + 0.1 * np.cos(3 * x)
    pred, ref = 0.9 * np.sin(waves + 0.1), np.sin(waves) + common
    return pred.astype(np.float32), ref.astype(np.float32)
