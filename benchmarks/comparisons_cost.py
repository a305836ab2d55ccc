"""The cost of decompositions and ensemble scores, in rollouts, on this machine.

Run it on a quiet machine: ``python benchmarks/comparisons_cost.py``. A rollout is that of the test
of an experiment: all its seeds and samples, with one metric; the solver's trajectories that it is
compared with do not count. The promise is at most three of them. Compiling is left out of both;
each figure is the median of several repetitions in turn.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import apexr

CASES: dict[str, dict[str, Any]] = {
    "Conv, 1D KS": {"scenario": "diff_ks_cons", "net": "Conv;26;10;relu"},
    "FNO, 1D KS": {"scenario": "diff_ks_cons", "net": "FNO;12;8;4;gelu"},
    "UNet, 2D Burgers": {
        "scenario": "diff_burgers",
        "net": "UNet;12;2;relu",
        "num_spatial_dims": 2,
        "num_points": 48,
        "num_test_samples": 10,
        "test_temporal_horizon": 100,
    },
}
COMMON = {
    "num_train_samples": 5,
    "train_temporal_horizon": 5,
    "optim_config": "adam;2;constant;1e-4",
    "record_loss_every": 1,
}
SEEDS = 5


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repetitions", type=int, default=5)
    given = arguments.parse_args()
    print(f"{'case':<20}{'rollouts':>11}{'decompose':>11}{'ensemble':>10}")
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            rollout, parts, scores = measured(case, Path(folder), given.repetitions)
        print(f"{name:<20}{rollout:>9.3f} s{parts / rollout:>11.2f}{scores / rollout:>10.2f}")


def measured(case: dict[str, Any], folder: Path, repetitions: int) -> np.ndarray:
    """Return seconds of all rollouts, of a decomposition and of ensemble scores."""
    store = folder / "one.zarr"
    options = {**case, **COMMON, "num_seeds": SEEDS, "progress": False}
    apexr.run(**options, store=store)
    columns = (
        lambda: float(apexr.run(**options).inference_seconds),
        lambda: seconds(lambda: apexr.decompose(store)),
        lambda: seconds(lambda: apexr.ensemble(store)),
    )
    for column in columns:
        column()  # compiled
    return np.median([[column() for column in columns] for _ in range(repetitions)], axis=0)


def seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
