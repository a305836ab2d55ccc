"""Measure how a study is read: ``python benchmarks/store/measure.py STUDY``.

Prints one JSON object for each question, each answered in a process of its own: the first opening
(which makes the index), opening, the median over seeds at ten time steps for all experiments, the
largest number of all predictions and of all references (fields, which no index holds), and what
publishing one more takes. ``seconds`` are wall time, ``processor_seconds`` those of all cores;
``peak_mb`` is what the process holds at most beyond its imports.
"""

import json
import resource
import statistics
import subprocess
import sys
import time
import uuid
from pathlib import Path

import apexr
from apexr import store
from apexr.testing import mock_experiment

STEPS = [1, 2, 3, 5, 10, 20, 50, 100, 150, 200]
REPEATS = 3


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def opening(study: Path) -> dict[str, object]:
    return {"experiments": apexr.open_study(study).sizes["experiment"]}


def median(study: Path) -> dict[str, object]:
    ds = apexr.open_study(study)
    steps = [step for step in STEPS if step in ds.time.values]
    values = ds.mean_nRMSE.sel(time=steps).median("seed").values
    return {"shape": list(values.shape)}


def fields(study: Path) -> dict[str, object]:
    ds = apexr.open_study(study)
    seconds = {}
    for name in ("sample_rollout", "sample_reference"):
        start = time.process_time()
        values = abs(ds[name]).max([dim for dim in ds[name].dims if dim != "experiment"]).values
        seconds[name] = round(time.process_time() - start, 2)
    return {"shape": list(values.shape), "of_each": seconds}


def adding(study: Path) -> dict[str, object]:
    seconds = []
    for _ in range(20):
        unit = store.unit_path(study, uuid.uuid4().hex)
        ds = mock_experiment(seeds=tuple(range(10)), num_times=200, num_losses=100)
        start = time.perf_counter()
        store.publish_experiment(ds, {}, unit)
        seconds.append(time.perf_counter() - start)
        for path in sorted(unit.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        unit.rmdir()
    return {"milliseconds": round(1000 * statistics.median(seconds), 1)}


QUESTIONS = {"opening": opening, "median": median, "fields": fields, "adding": adding}


def ask(question: str, study: Path) -> None:
    store.is_study(study)
    before, start, used = peak(), time.perf_counter(), time.process_time()
    answer = QUESTIONS[question](study)
    told = {
        "seconds": round(time.perf_counter() - start, 2),
        "processor_seconds": round(time.process_time() - used, 2),
        "peak_mb": round(peak() - before),
    }
    print(json.dumps({"question": question, **answer, **told}), flush=True)


def measure(study: Path) -> None:
    questions = ["opening"] * (1 + REPEATS) + ["median"] * REPEATS
    questions += ["fields"] * REPEATS + ["adding"] * REPEATS
    for question in questions:
        subprocess.run([sys.executable, __file__, question, str(study)], check=True)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        measure(Path(sys.argv[1]))
    else:
        ask(sys.argv[1], Path(sys.argv[2]))
