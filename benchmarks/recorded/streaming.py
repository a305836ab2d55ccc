"""Streaming of training data: its peak memory, and an update's time against data in memory.

``python benchmarks/recorded/streaming.py [--gigabytes 10] [--budget 2GB]`` writes a sparse file of
that size in the layout of PDEBench, of which some trajectories have numbers, and trains on it in a
process of its own with the budget. The ratio of an update's time is that of trainings of equal size
that alternate, one on data in memory and one that streams them from a file that is cached.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

POINTS, FRAMES = 256, 51


def write(path: Path, gigabytes: float, samples_with_numbers: int = 20) -> int:
    """Write the file and return how many trajectories it has; most of it is a hole."""
    each = FRAMES * POINTS * POINTS * 4
    samples = max(2, int(gigabytes * 1e9 / each))
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        tensor = file.create_dataset("tensor", (samples, FRAMES, POINTS, POINTS), "f4")
        for place in range(min(samples, samples_with_numbers)):
            tensor[place] = rng.normal(size=tensor.shape[1:])
        tensor[samples - 1, -1, -1, -1] = 0  # the file has its size, whatever is written
        for name in "xy":
            file[f"{name}-coordinate"] = np.arange(POINTS) / POINTS
        file["t-coordinate"] = np.arange(FRAMES) * 0.1
    return samples


def train(path: str, budget: str | None, updates: int, net: str, samples: int) -> dict:
    """Return the time of an update and the peak memory of a training."""
    import apexr

    scenario = apexr.Recorded(
        path,
        split="last;2",
        data_memory=budget,
        num_train_samples=samples,
        num_test_samples=1,
        test_temporal_horizon=2,
        batch_size=4,
        record_loss_every=20,
        optim_config=f"adam;{updates};constant;1e-3",
    )
    result = apexr.run(scenario, net=net, train="one", progress=False)
    return {
        "update": float(result.train_seconds) / updates,
        "loss": result.train_loss.values.tolist(),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def in_a_process(**options) -> dict:
    text = json.dumps(options)
    command = [sys.executable, __file__, "--one", text]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=10)
    parser.add_argument("--budget", default="2GB")
    parser.add_argument("--updates", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--net", default="Conv;16;3;relu")
    parser.add_argument("--folder", default=None)
    parser.add_argument("--one", default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(train(**json.loads(options.one))))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / "sparse.hdf5"
        samples = write(path, options.gigabytes)
        size, disk = path.stat().st_size, path.stat().st_blocks * 512
        print(f"{size / 1e9:.1f} GB, {samples} trajectories, {disk / 1e9:.2f} GB on the disk")
        common = {"path": str(path), "updates": options.updates, "net": options.net}
        whole = in_a_process(**common, budget=options.budget, samples=0)
        print(f"all of it, budget {options.budget}: peak {whole['peak'] / 1e9:.2f} GB")
        some = {**common, "samples": 20}
        ratios = []
        for _ in range(options.rounds):
            held = in_a_process(**some, budget=None)
            streamed = in_a_process(**some, budget="100MB")
            assert held["loss"] == streamed["loss"]
            ratios.append(streamed["update"] / held["update"])
        told = ", ".join(f"{ratio:.3f}" for ratio in ratios)
        print(f"update, streamed / in memory: {statistics.median(ratios):.3f} of {told}")


if __name__ == "__main__":
    main()
