"""Ladders of solvers that are made up, with costs in closed form."""

import numpy as np
import xarray as xr

TIMES, SAMPLES = 8, 4
SCALE, ORDER = 2e-4, 2.0
DATA = 3.0


def ladder(errors=None, seconds=None, kwargs="{}"):
    """Return a ladder with ``cost = c error^(-1/p)``, the errors growing linearly in time."""
    errors = np.geomspace(3.0, 1e-3, 7) if errors is None else np.asarray(errors, float)
    seconds = SCALE * errors ** (-1 / ORDER) if seconds is None else np.asarray(seconds, float)
    growth = np.arange(1, TIMES + 1) / np.arange(1, TIMES + 1).mean()
    mean = errors[:, None] * growth
    spread = np.linspace(0.5, 1.5, SAMPLES)
    attrs = {"config": "mean_nRMSE", "long_name": "mean nRMSE"}
    return xr.Dataset(
        {
            "mean_nRMSE": (("rung", "time"), mean, attrs),
            "nRMSE": (("rung", "test_sample", "time"), mean[:, None] * spread[:, None], attrs),
            "throughput": ("rung", 1 / seconds),
            "latency": ("rung", 10 * seconds),
            "data_seconds": DATA,
        },
        {
            "rung": np.arange(len(errors)),
            "time": np.arange(1, TIMES + 1),
            "test_sample": np.arange(SAMPLES),
            "solver": ("rung", np.array(["etdrk;2"] * len(errors), dtype=object)),
            "scenario": "1d_diff_adv",
            "scenario_kwargs": kwargs,
        },
        {"rule_equal_accuracy": "equal", "rule_efficient_solver": "met", "efficient_solver": 1},
    )
