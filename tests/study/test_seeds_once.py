"""Several processes with overlapping seeds, some of them killed: every seed exists once."""

import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import apexr
from apexr import store
from apexr._digest import canonical_json, digest, experiment_id, with_seeds
from apexr.testing import mock_experiment

pytestmark = pytest.mark.acceptance

BASE = {"scenario": "diff_adv", "num_points": 16, "batch_size": 4, "num_train_samples": 3}
NETS = ["Conv;2;1;tanh", "Conv;3;1;tanh", "Conv;4;1;tanh"]

RUNNER = """
import json, sys, time
import jax.numpy as jnp
import numpy as np
import apexr._run
from apexr.study import plan_study, run_planned
from apexr.testing import mock_experiment

def fake(scenario, experiment, _):
    time.sleep(0.02)
    seeds = experiment.seeds
    ds = mock_experiment(net=experiment.config["net"], seeds=seeds)
    for name in ("mean_nRMSE", "nRMSE", "train_loss", "sample_rollout"):
        rows = np.asarray(seeds, ds[name].dtype).reshape(-1, *[1] * (ds[name].ndim - 1))
        ds[name] = ds[name].copy(data=np.broadcast_to(rows, ds[name].shape))
    ds.attrs |= experiment.attrs
    leading = jnp.asarray(seeds, dtype=jnp.float32)[:, None] * jnp.ones(3)
    return ds, {"weight": leading[0] if len(seeds) == 1 else leading}

apexr._run.run_plan = fake
print("ready", flush=True)
for line in sys.stdin:
    path, study, packed = json.loads(line)
    failures = run_planned(plan_study(study), path, packed=packed, progress=False)
    print(len(failures), flush=True)
"""


class Runner:
    """A process that runs studies, one a line."""

    def __init__(self):
        self.begin()

    def begin(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.answer() == "ready"

    def run(self, path, seeds, packed=False):
        study = {**BASE, "net": NETS, "start_seed": min(seeds), "num_seeds": len(seeds)}
        self.process.stdin.write(json.dumps([str(path), study, packed]) + "\n")
        self.process.stdin.flush()

    def answer(self):
        return self.process.stdout.readline().strip()

    def end(self):
        self.process.kill()
        self.process.communicate()


def check_once(path, count):
    """Check that every seed lies in one unit, with the numbers that a serial run gives."""
    parts = store.Study.at(path).parts()
    assert len(parts) == len(NETS)
    for held in parts.values():
        seeds = [seed for part in held for seed in part.seeds]
        assert sorted(seeds) == list(range(count))
    study = apexr.open_study(path).load()
    assert study.seed.values.tolist() == list(range(count))
    assert (study.mean_nRMSE == study.seed).all()
    table = apexr.list_experiments(path)
    assert table.seeds.tolist() == [list(range(count))] * len(NETS)
    for name in parts:
        weights = store.read_weights(store.unit_path(path, name))["weight"]
        np.testing.assert_array_equal(weights[:, 0], np.arange(count))
    store.verify(path)


FULL = pytest.param(20, marks=pytest.mark.slow)


@pytest.mark.parametrize("processes", [2, pytest.param(4, marks=pytest.mark.slow)])
@pytest.mark.parametrize("rounds", [3, FULL])
def test_overlapping_seeds_exist_once(tmp_path, processes, rounds, record_property):
    rng = random.Random(7)
    runners = [Runner() for _ in range(processes)]
    try:
        killed = 0
        for number in range(rounds):
            path = tmp_path / f"{number}.zarr"
            wanted = [range(rng.randrange(3), rng.randrange(4, 7)) for _ in runners]
            wanted[0] = range(6)
            for runner, seeds in zip(runners, wanted, strict=True):
                runner.run(path, seeds, packed=rng.random() < 0.5)
            time.sleep(rng.random() * 0.3)
            victim = rng.randrange(processes)
            runners[victim].process.send_signal(signal.SIGKILL)
            killed += 1
            for place, runner in enumerate(runners):
                if place != victim:
                    assert runner.answer() == "0"
            runners[victim].end()
            runners[victim].begin()
            runners[victim].run(path, range(6))
            assert runners[victim].answer() == "0"
            check_once(path, 6)
        record_property("rounds, kills", [rounds, killed])
    finally:
        for runner in runners:
            runner.end()


# --- merging ---------------------------------------------------------------------------------

SPEC = {"scenario": "1d_diff_adv", "net": "Conv;2;1;tanh", "num_seeds": 1, "start_seed": 0}
ID = experiment_id(SPEC)


def publish(path, seeds, shift=0.0):
    """Publish one part whose numbers follow from its seeds."""
    store.create_study(path)
    ds = mock_experiment(seeds=seeds, diverged=[s for s in seeds if s == 4])
    rows = np.asarray(seeds, "f4")[:, None] + shift
    for name in ("mean_nRMSE", "nRMSE", "sample_rollout", "train_loss"):
        shape = ds[name].shape
        ds[name] = ds[name].copy(
            data=np.broadcast_to(rows.reshape(-1, *[1] * (len(shape) - 1)), shape)
        )
    spec = with_seeds(SPEC, seeds)
    ds.attrs |= {"experiment_id": digest(spec), "specification": canonical_json(spec)}
    leading = np.asarray(seeds, "f4")[:, None] * np.ones(3, "f4")
    weights = {"w": leading[0] if len(seeds) == 1 else leading}
    store.publish_experiment(ds, weights, store.unit_path(path, digest(spec)))
    return path


def test_merging_brings_the_seeds_that_are_missing(tmp_path):
    into = publish(tmp_path / "a.zarr", (1, 2))
    other = publish(tmp_path / "b.zarr", (0, 1, 2, 3, 4))
    assert store.merge(into, other) == 1
    parts = store.Study.at(into).parts()[ID]
    assert sorted(part.seeds for part in parts) == [(0,), (1, 2), (3, 4)]
    assert apexr.open_study(into).mean_nRMSE[0, :, 0].values.tolist() == [0, 1, 2, 3, 4]
    assert store.read_weights(store.unit_path(into, ID))["w"][:, 0].tolist() == [0, 1, 2, 3, 4]
    assert store.merge(into, other) == 0
    assert apexr.list_experiments(into).num_diverged.tolist() == [1]
    store.verify(into)


def test_merging_names_seeds_with_other_numbers(tmp_path):
    into = publish(tmp_path / "a.zarr", (0, 1))
    other = publish(tmp_path / "b.zarr", (1, 2), shift=0.5)
    with pytest.raises(store.ConflictError, match=f"{ID} is there with other numbers for seeds 1 "):
        store.merge(into, other)
    assert [part.seeds for part in store.Study.at(into).parts()[ID]] == [(0, 1)]


def test_a_seed_in_two_units_counts_once(tmp_path):
    """As writers without locks may leave it."""
    path = publish(publish(tmp_path / "a.zarr", (3, 4)), (4, 5))
    row = apexr.list_experiments(path).iloc[0]
    assert (row.seeds, row.num_diverged) == ([3, 4, 5], 1)
    assert apexr.open_study(path).sizes["seed"] == 3
