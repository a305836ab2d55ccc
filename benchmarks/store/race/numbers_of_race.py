"""The numbers of the race of files, the same on both sides, and how a side is measured."""

import json
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

EXPERIMENTS, SEEDS, STEPS, LOSSES, UPDATES, POINTS = 20, 10, 200, 100, 10_000, 160
NET = "Conv;26;10;relu"


def results() -> Iterator[dict[str, np.ndarray]]:
    """Yield for each experiment losses, errors and one rollout a seed, initial state included."""
    for number in range(EXPERIMENTS):
        rng = np.random.default_rng(number)
        time_steps = np.arange(1, STEPS + 1) / STEPS
        yield {
            "train_loss": _noisy(rng, np.exp(-np.arange(LOSSES) / 30), (SEEDS, LOSSES)),
            "mean_nRMSE": _noisy(rng, time_steps, (SEEDS, STEPS)),
            "sample_rollout": _rollout(rng)[:, :, None].astype(np.float32),
        }


def _rollout(rng: np.random.Generator) -> np.ndarray:
    """Return fields as emulators of advection give them: smooth, ever further from the truth."""
    x = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    waves, t = np.arange(1, 6), np.arange(STEPS + 1)[:, None, None] / STEPS
    amplitudes, phases = rng.uniform(-1, 1, 5), rng.uniform(0, 2 * np.pi, 5)
    drift, decay = rng.normal(0, 0.3, (2, SEEDS, 1, 1, 5))
    moved = waves * (x[:, None] - 3 * t * (1 + drift)) + phases
    return (amplitudes * np.exp(-decay * t) * np.sin(moved)).sum(-1)


def _noisy(rng: np.random.Generator, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return (values * (1 + 0.1 * rng.standard_normal(shape))).astype(np.float32)


def measured(task: str, act: Callable[[], int], folder: Path) -> None:
    """Print time and memory of an act that returns the number of rows or experiments."""
    before, start = _peak(), time.perf_counter()
    count = act()
    seconds = time.perf_counter() - start
    figures = {f"{task}_seconds": seconds, f"{task}_peak_mb": max(_peak() - before, 0.1)}
    if task == "write":
        figures["bytes"] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert count == (EXPERIMENTS if task == "write" else EXPERIMENTS * SEEDS * STEPS)
    print(json.dumps(figures))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
