"""Make a NumPy file of the Burgers sample in the wheel of neuraloperator 0.3.0.

``python tools/neuraloperator_sample.py WHEEL_OR_PT OUTPUT.npy``, with the wheel that
``pip download --no-deps neuraloperator==0.3.0`` gives. Of the sample, a zip archive of raw numbers,
these alone are read: 1200 trajectories of 17 frames on 16 points, stored column by column. Then
``apexr.Recorded("OUTPUT.npy", dims=("sample", "time", "x"))`` trains on it.
"""

import io
import sys
import zipfile

import numpy as np

SAMPLE = "neuralop/datasets/data/burgers_lowres.pt"
SHAPE, STRIDES = (1200, 17, 16), (1, 1200, 20400)


def read(path: str) -> np.ndarray:
    source = path
    if path.endswith(".whl"):
        with zipfile.ZipFile(path) as wheel:
            source = io.BytesIO(wheel.read(SAMPLE))
    with zipfile.ZipFile(source) as archive:
        numbers = np.frombuffer(archive.read("burgers_lowres/data/1"), "<f8")
    size = numbers.itemsize
    strides = tuple(size * stride for stride in STRIDES)
    return np.ascontiguousarray(np.lib.stride_tricks.as_strided(numbers, SHAPE, strides))


if __name__ == "__main__":
    np.save(sys.argv[2], read(sys.argv[1]))
