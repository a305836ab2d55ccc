"""Random initial conditions that no scenario of the peer names by a config string."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import exponax as ex
import jax
import numpy as np

from golden._files import write_archive

ic = ex.ic
POINTS = {1: 30, 2: 12, 3: 6}
SEEDS = (0, 773)


def write_initial_more(folder: Path) -> None:
    """Write ``initial_more.npz``."""
    write_states(folder / "initial_more.npz", _generators)


def write_states(path: Path, generators: Callable[[int], dict[str, Any]]) -> None:
    """Write what generators draw in all dimensions, by the config string that means the same."""
    arrays, shapes = {}, {}
    for dims, num_points in POINTS.items():
        for config, generator in generators(dims).items():
            label = f"{dims}d/{config}"
            shapes[label] = {
                "config": config,
                "num_spatial_dims": dims,
                "num_points": num_points,
            }
            for seed in SEEDS:
                made = generator(num_points, key=jax.random.PRNGKey(seed))
                # in more dimensions the peer repeats a discontinuous state, once a dimension
                repeated = "discontinuities" in config
                arrays[f"{label}/{seed}"] = np.asarray(made)[: 1 if repeated else None]
    write_archive(path, arrays, {"cases": shapes, "seeds": SEEDS})


def _generators(dims: int) -> dict[str, Any]:
    """Return the generators by the config string that means the same."""
    fourier = ic.RandomTruncatedFourierSeries
    some = {
        "blobs": ic.RandomGaussianBlobs(dims),
        "blobs;3;true;0.2;0.7;0.001;0.02": ic.RandomGaussianBlobs(
            dims,
            num_blobs=3,
            one_complement=True,
            position_range=(0.2, 0.7),
            variance_range=(0.001, 0.02),
        ),
        "discontinuities": ic.RandomDiscontinuities(dims),
        "discontinuities;8;true;false;true;0.5;2.0": ic.RandomDiscontinuities(
            dims, num_discontinuities=8, zero_mean=True, std_one=True, value_range=(0.5, 2.0)
        ),
        "discontinuities;8;true;true": ic.RandomDiscontinuities(
            dims, num_discontinuities=8, zero_mean=True, max_one=True
        ),
        "diffused;0.001;true;false;true": ic.DiffusedNoise(dims, std_one=True),
        "grf;3.0;true;false;true": ic.GaussianRandomField(dims, std_one=True),
        "fourier;2;false;false;false;0.5;2.0;1.0;3.0;-1.0;1.5": fourier(
            dims,
            cutoff=2,
            amplitude_range=(0.5, 2.0),
            offset_range=(1.0, 3.0),
            angle_range=(-1.0, 1.5),
        ),
        "scaled;-2.5;grf;2.0;true;false": ic.ScaledICGenerator(
            ic.GaussianRandomField(dims, powerlaw_exponent=2.0), -2.5
        ),
        "channels;blobs;1;true|blobs;1": ic.RandomMultiChannelICGenerator(
            (ic.RandomGaussianBlobs(dims, one_complement=True), ic.RandomGaussianBlobs(dims))
        ),
        "channels;clamp;0.0;1.0;scaled;2.0;diffused;0.001;true;false|blobs;2|grf;3.0;true;true": (
            ic.RandomMultiChannelICGenerator(
                (
                    ic.ClampingICGenerator(ic.ScaledICGenerator(ic.DiffusedNoise(dims), 2.0)),
                    ic.RandomGaussianBlobs(dims, num_blobs=2),
                    ic.GaussianRandomField(dims, max_one=True),
                )
            )
        ),
        "clamp;-1.0;2.0;discontinuities;5": ic.ClampingICGenerator(
            ic.RandomDiscontinuities(dims, num_discontinuities=5), limits=(-1.0, 2.0)
        ),
    }
    return {**some, **(_sine_waves() if dims == 1 else {})}


def _sine_waves() -> dict[str, Any]:
    return {
        "sine_waves": ic.RandomSineWaves1d(1),
        "sine_waves;3;true": ic.RandomSineWaves1d(1, cutoff=3, max_one=True),
        "sine_waves;3;false;true": ic.RandomSineWaves1d(1, cutoff=3, std_one=True),
        "sine_waves;4;false;false;0.5;2.0;-1.0;3.0;0.1;0.4": ic.RandomSineWaves1d(
            1,
            cutoff=4,
            amplitude_range=(0.5, 2.0),
            offset_range=(-1.0, 3.0),
            phase_range=(0.1, 0.4),
        ),
    }
