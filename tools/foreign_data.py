"""Train on files that others' code makes: each from one command to a table and a picture.

``python tools/foreign_data.py PACKAGES OUTPUT``, where PACKAGES is the folder that this makes::

    pip install --no-deps --target PACKAGES the_well==1.2.0 neuraloperator==0.3.0

The Well's own writer makes a dummy file. The wheel of neuraloperator holds a sample of Burgers'
equation as a zip archive of raw numbers, of which these alone are read: 1200 trajectories of 17
frames on 16 points, stored column by column. For each, ``apexr inspect`` and ``apexr run`` print
what is there and the errors, and leave a store, a table and a picture in OUTPUT.
"""

import runpy
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np

WRITER = "the_well/utils/dummy_data.py"
SAMPLE = "neuralop/datasets/data/burgers_lowres.pt"
SHAPE, STRIDES = (1200, 17, 16), (1, 1200, 20400)
SETTINGS = {
    "dummy.hdf5": ["split=last;1", "batch_size=4", "optim_config=adam;200;constant;1e-3"],
    "burgers.npy": [
        'dims=["sample","time","x"]',
        "split=last;200",
        "num_train_samples=100",
        "optim_config=adam;500;warmup_cosine;0.0;3e-3;100",
    ],
}


def write_dummy(packages: Path, path: Path) -> None:
    """Have The Well's own writer make a file of random numbers."""
    runpy.run_path(str(packages / WRITER))["write_dummy_data"](str(path))


def read_sample(source: Path) -> np.ndarray:
    """Return the trajectories of the sample, ``(trajectory, frame, point)``."""
    with zipfile.ZipFile(source) as archive:
        numbers = np.frombuffer(archive.read("burgers_lowres/data/1"), "<f8")
    size = numbers.itemsize
    strides = tuple(size * stride for stride in STRIDES)
    return np.ascontiguousarray(np.lib.stride_tricks.as_strided(numbers, SHAPE, strides))


def commands(path: Path) -> list[list[str]]:
    """Return what is typed: a look at the file, a training, a table of its errors."""
    store = path.with_suffix(".zarr")
    settings = [f"source={path}", *SETTINGS[path.name]]
    chosen = [word for setting in settings for word in ("--set", setting)]
    picture = ["--plot", str(path.with_suffix(".html"))]
    looked = ["inspect", str(path)] if path.suffix == ".hdf5" else []
    run = ["run", "recorded", "--net", "Conv;16;3;relu", *chosen, "--store", str(store), *picture]
    table = ["export", str(store), "--format", "csv", "--output", str(path.with_suffix(".csv"))]
    return [command for command in (looked, run, table) if command]


def main(packages: Path, output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    write_dummy(packages, output / "dummy.hdf5")
    np.save(output / "burgers.npy", read_sample(packages / SAMPLE))
    for name in SETTINGS:
        for command in commands(output / name):
            subprocess.run([sys.executable, "-m", "apexr", *command], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
