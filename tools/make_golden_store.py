"""Make a small study as the present schema stores it: later versions must go on reading it.

``python tools/make_golden_store.py FILE.zip`` writes the folder ``study.zarr`` and the numbers
that it must read back as, ``expected.npz``. A file once made is never made again.
"""

import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

import apexr
from apexr.errors import ApexrWarning

SIZES = {
    "num_points": 16,
    "num_train_samples": 3,
    "train_temporal_horizon": 4,
    "num_test_samples": 3,
    "test_temporal_horizon": 5,
    "batch_size": 4,
    "record_loss_every": 3,
}
COMMON = {"scenario": "diff_adv", "train": "one", "start_seed": 0, "num_seeds": 2, **SIZES}
NET = "Conv;2;1;tanh"
CONFIGS = [
    {**COMMON, "net": NET, "optim_config": "adam;6;constant;1e-3"},
    {**COMMON, "net": NET, "optim_config": "adam;6;constant;1e30"},
    {**COMMON, "net": NET, "scenario": "diff_burgers", "convection_delta": -1e6},
]
"""One that is well, one that diverges, one that fails."""


def make(folder: Path) -> None:
    store = folder / "study.zarr"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ApexrWarning)
        apexr.run_study(CONFIGS, store, progress=False)
    arrays = {}
    for unit in sorted((store / "experiments").glob("*/")):
        ds = apexr.open_experiment(unit)
        name = "diverged" if (ds.diverged_at.values >= 0).any() else "well"
        arrays |= {f"{name}/{key}": ds[key].values for key in ds.data_vars}
        weights = apexr.store.read_weights(unit)
        arrays |= {f"{name}/weights/{key}": value for key, value in weights.items()}
    np.savez_compressed(folder / "expected.npz", **arrays)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        make(Path(made))
        shutil.make_archive(sys.argv[1].removesuffix(".zip"), "zip", made)
