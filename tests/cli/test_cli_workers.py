"""`apexr study` on several processes, interrupted, and before it starts."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import apexr
from _tiny import NET, SIZES, compiled_once
from apexr import store as stores

LONG = {**SIZES, "optim_config": "adam;10_000;constant;1e-3", "record_loss_every": 20}
CODE = "from apexr.cli import main\nif __name__ == '__main__':\n    main()\n"


def write(folder, **study):
    file = folder / "study.json"
    file.write_text(json.dumps(study))
    return file


def test_twelve_seeds_after_ten_train_two(apexr_command, tmp_path):
    store, study = tmp_path / "study.zarr", {"scenario": "diff_adv", **SIZES}
    nets = [NET, "FNO;2;2;1;gelu"]
    file = write(tmp_path, **study, net=nets, num_seeds=10)
    assert apexr_command("study", file, "--store", store, "--no-progress").code == 0
    before = stores.Study.at(store).parts()

    write(tmp_path, **study, net=nets, num_seeds=12)
    said = apexr_command("study", file, "--store", store, "--workers", 2)
    assert said.code == 0, said.err
    assert "2 experiments, 0 finished, 2 to run" in said.err
    assert f"2 of 2 experiments published in {store}" in said.out
    new = {
        name: set(parts) - set(before[name])
        for name, parts in stores.Study.at(store).parts().items()
    }
    assert [[part.seeds for part in parts] for parts in new.values()] == [[(10, 11)]] * 2
    assert apexr.open_study(store).seed.values.tolist() == list(range(12))


def test_a_dry_run_says_what_lies_ahead(apexr_command, tmp_path):
    store = tmp_path / "study.zarr"
    file = write(tmp_path, scenario="diff_adv", net=[NET, "Conv;3;1;tanh"], **SIZES)
    said = apexr_command("study", file, "--store", store, "--dry-run")
    assert said.code == 0
    assert said.out.startswith("2 experiments, 0 finished, 2 to run\n2 shapes, each compiled once")
    assert not store.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--workers", 0), "workers must be a number of at least 1, got 0"),
        (("--workers", 2, "--slurm", 3), "give one of --workers and --slurm"),
        (("--slurm", 2, "--slurm-option", "cores"), "expected KEY=VALUE, got 'cores'"),
        (("--scheduler", "nowhere"), "no Dask scheduler answers at 'nowhere'"),
    ],
)
def test_wrong_clusters_are_refused(apexr_command, tmp_path, options, said):
    file = write(tmp_path, scenario="diff_adv", net=NET, **SIZES)
    done = apexr_command("study", file, "--store", tmp_path / "study.zarr", *options)
    assert done.code == 2
    assert said in done.err.replace("\n", " ")
    assert not (tmp_path / "study.zarr").exists()


def start(file, store, *options):
    """Start the command as a shell would: with a group of processes of its own."""
    command = ("study", file, "--store", store, "--no-progress", *options)
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | compiled_once(),
    )


def wait_for_training(process, store):
    """Wait until an experiment is being trained; tell whether the command runs still."""
    while process.poll() is None:
        locks = list(store.glob(".locks/*"))
        if any((stores.Study.at(store).notes.progress(lock.name) or (0,))[0] > 0 for lock in locks):
            return True
        time.sleep(0.02)
    return False


def interrupted(file, store, delay, *options, number=signal.SIGINT):
    """Run the command, interrupt it in a training, and return its exit code and what it said.

    The signal goes to all processes of the group, as a terminal and batch systems send it.
    """
    process = start(file, store, *options)
    try:
        if wait_for_training(process, store):
            time.sleep(delay)
            os.killpg(process.pid, number)
        return process.wait(timeout=300), process.stderr.read()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def assert_equal_studies(first, second):
    first, second = apexr.open_study(first), apexr.open_study(second)
    for name in ("train_loss", "mean_nRMSE", "diverged_at"):
        np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.acceptance
@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_a_study_goes_on_after_ctrl_c(tmp_path, times):
    rng, store = random.Random(4), tmp_path / "study.zarr"
    study = {"scenario": "diff_adv", "net": NET, "train_seed": [0, 1], **LONG}
    file = write(tmp_path, **study)
    ended = []
    for _ in range(times):
        ended.append(interrupted(file, store, rng.uniform(0, 0.5)))
        assert ended[-1][0] in (0, 130), ended[-1]
        assert "Traceback" not in ended[-1][1]
    assert ended[0][0] == 130
    far = r"stopped after \d+ of 10000 updates|[01] of 2 experiments published"  # or between two
    assert re.search(f"interrupted: ({far}); the same call goes on from there", ended[0][1])
    apexr.run_study(study, store, progress=False)
    assert not list(store.glob("checkpoints/*"))
    apexr.run_study(study, tmp_path / "whole.zarr", progress=False)
    assert_equal_studies(store, tmp_path / "whole.zarr")


def test_workers_make_checkpoints_after_ctrl_c(tmp_path):
    store = tmp_path / "study.zarr"
    long = {**LONG, "optim_config": "adam;600_000;constant;1e-3"}
    study = {"scenario": "diff_adv", "net": NET, "train_seed": [0, 1], **long}
    code, said = interrupted(write(tmp_path, **study), store, 1.0, "--workers", 2)
    assert code == 130, said
    assert "0 of 2 experiments published; the same call goes on from there" in said
    assert list(store.glob("checkpoints/*/*.ckpt"))
    table = apexr.list_experiments(store)
    assert table["state"].tolist() == ["pending"] * 2


@pytest.mark.acceptance
@pytest.mark.parametrize("options", [(), ("--workers", 2)])
def test_sigterm_ends_a_study_at_checkpoints(tmp_path, options):
    store = tmp_path / "study.zarr"
    long = {**LONG, "optim_config": "adam;600_000;constant;1e-3"}
    file = write(tmp_path, scenario="diff_adv", net=NET, train_seed=[0, 1], **long)
    code, said = interrupted(file, store, 0.3, *options, number=signal.SIGTERM)
    assert code == 143, said
    far = "0 of 2 experiments published" if options else r"stopped after \d+ of 600000 updates"
    assert re.search(f"terminated: {far}; the same call goes on from there", said)
    assert "Traceback" not in said
    assert list(store.glob("checkpoints/*/*.ckpt"))
    assert apexr.list_experiments(store)["state"].tolist() == ["pending"] * 2
