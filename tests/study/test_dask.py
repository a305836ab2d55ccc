"""Studies on a real Dask cluster of worker processes: killed, failing, interrupted."""

import json
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import _unruly
import dask
import pytest
from _clusters import digests

import apexr
from _tiny import NET, SIZES, compiled_once, units
from apexr import cli
from apexr import store as stores
from apexr.errors import SpecError
from apexr.kernels import usable_cores
from apexr.scenarios import scenario_dict
from apexr.study import _cluster, local_cluster, plan_study, run_planned

BASE = {**SIZES, "net": NET, "scenario": "diff_adv"}


@pytest.fixture(scope="module")
def quick_start():
    """Let worker processes begin as copies of one that has imported all that they need."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(
        ["distributed.nanny", "distributed.worker", "apexr.engine", "apexr.study"]
    )
    with (
        mock.patch("distributed.utils._forkserver_preload_set", True),
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}),
    ):
        yield


@pytest.fixture(scope="module")
def cluster(quick_start):
    impatient = {"distributed.deploy.lost-worker-timeout": "1ms"}  # as if all took long to start
    with pytest.MonkeyPatch.context() as patch:
        for name, value in compiled_once().items():
            patch.setenv(name, value)  # of the workers; here JAX runs already
        with dask.config.set(impatient), local_cluster(2, memory_limit=2 * 10**9) as cluster:
            yield cluster


@pytest.fixture
def client(cluster):
    with cluster.get_client() as client:
        client.wait_for_workers(2)
        yield client


def tiny_study(count):
    """Return so many experiments of a few shapes."""
    return [
        {**BASE, "train_seed": number, "net": (NET, "Conv;3;1;tanh")[number % 2]}
        for number in range(count)
    ]


def kill_one(workers, rng):
    """Kill a random worker process with SIGKILL."""
    os.kill(rng.choice(sorted(workers.values())), signal.SIGKILL)
    return 1


def kill_by_progress(client, study, stop):
    """Kill all workers at once, and one each time two more experiments are published."""
    rng, killed, last = random.Random(3), 0, -2
    while not stop.wait(0.1):
        published = len(units(study))
        workers = client.run(os.getpid, on_error="ignore")
        if workers and published >= last + 2 and list(study.glob(".locks/*")):
            last = published
            for pid in workers.values() if not killed else ():
                os.kill(pid, signal.SIGKILL)
            killed += len(workers) if not killed else kill_one(workers, rng)
    return killed


def kill_by_clock(client, study, stop):
    """Kill a worker every five seconds, or as soon as all are there again."""
    rng, killed = random.Random(5), 0
    while not stop.wait(5.0):
        workers = {}
        while len(workers) < 3 and not stop.wait(0.2):
            workers = client.run(os.getpid, on_error="ignore")
        killed += kill_one(workers, rng) if len(workers) == 3 else 0
    return killed


def check_killed_workers(client, folder, count, kill):
    """Run a study while workers are killed, and compare it with the serial run."""
    study, store, stop = tiny_study(count), folder / "killed", threading.Event()
    with ThreadPoolExecutor() as pool:
        killed = pool.submit(kill, client, store, stop)
        try:
            failures = run_planned(
                plan_study(study), store, client=client, packed=True, progress=False
            )
        finally:
            stop.set()
    assert not failures
    assert killed.result() > 1
    assert stores.verify(store) == count
    assert not run_planned(plan_study(study), folder / "serial", progress=False)
    assert all(unit.suffix == ".zip" for unit in units(store))
    assert digests(store) == digests(folder / "serial")
    assert all(digests(folder / "serial").values())
    return killed.result()


@pytest.mark.acceptance
def test_killed_workers_lose_nothing(client, tmp_path):
    check_killed_workers(client, tmp_path, 6, kill_by_progress)


@pytest.mark.acceptance
@pytest.mark.slow
def test_workers_killed_every_five_seconds_lose_nothing(tmp_path, record_property):
    with local_cluster(3) as cluster, cluster.get_client() as client:
        client.wait_for_workers(3)
        allow_failures(client, 100)  # on a busy machine one may be killed many times
        killed = check_killed_workers(client, tmp_path, 40, kill_by_clock)
    record_property("killed", killed)


@pytest.fixture
def unruly():
    """Register scenarios in this process alone."""
    classes = {"raising": _unruly.Raising, "leaving": _unruly.Leaving, "greedy": _unruly.Greedy}
    scenario_dict.update(classes)
    yield
    for key in classes:
        del scenario_dict[key]


def allow_failures(client, count):
    client.run_on_scheduler(_set_allowed, count)


def _set_allowed(count, dask_scheduler):
    dask_scheduler.allowed_failures = count


@pytest.fixture
def exit_code(client, monkeypatch, tmp_path):
    """Return the function that runs `apexr study` on the cluster and returns its exit code."""
    monkeypatch.setattr("apexr.kernels.keep_compiled", lambda: None)
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)

    def call(study, store):
        file = tmp_path / "study.json"
        file.write_text(json.dumps(study))
        options = ("--scheduler", client.scheduler.address, "--no-progress")
        command = ("apexr", "study", file, "--store", store, *options)
        monkeypatch.setattr(sys, "argv", [*map(str, command)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return stop.value.code

    return call


def published(study):
    """Return what tells whether a unit was written again: its folder and its manifest."""
    return {u.name: (u.stat().st_ino, (u / "manifest.json").read_bytes()) for u in units(study)}


@pytest.mark.acceptance
@pytest.mark.usefixtures("unruly")
@pytest.mark.parametrize(
    ("good", "bad", "allowed"),
    [
        (1, ("raising", "leaving"), 1),
        pytest.param(6, ("raising", "leaving", "greedy"), 3, marks=pytest.mark.slow),
    ],
)
def test_failures_of_all_kinds(client, exit_code, tmp_path, good, bad, allowed):
    allow_failures(client, allowed)
    spared, store = tmp_path / "spared", tmp_path / "study"
    diverging = {**BASE, "optim_config": "adam;6;constant;1e30"}
    wrong = [{**BASE, "scenario": key} for key in bad]
    wrong[1]["spared"] = str(spared)
    study = [*wrong, diverging, *tiny_study(good)]
    assert exit_code(study, store) == 1

    table = apexr.list_experiments(store).set_index("state")
    assert sorted(table.index) == ["failed"] * len(bad) + ["published"] * (good + 1)
    assert table["num_diverged"].sum() == 1
    errors = stores.Study.at(store).notes.failures()
    assert sorted(one["error"] for one in errors.values()) == sorted(
        ["KeyError"] + ["WorkerDiedError"] * (len(bad) - 1)
    )
    died = [one for one in errors.values() if one["error"] == "WorkerDiedError"]
    assert all(one["attempts"] == allowed + 1 for one in died)
    assert all(f"died, {allowed + 1} times in a row" in one["message"] for one in died)

    before = published(store)
    spared.touch()
    assert exit_code(study, store) == 1
    assert len(stores.Study.at(store).notes.failures()) == len(bad) - 1
    after = published(store)
    assert len(after) == good + 2
    assert {name: after[name] for name in before} == before
    allow_failures(client, 3)


def seen():
    """Return what a worker sees: JAX devices, threads, pid, what is imported."""
    import jax

    from apexr.scenarios import scenario_dict

    threads = os.environ["OMP_NUM_THREADS"]
    return jax.local_device_count(), threads, os.getpid(), "of_ones_own" in scenario_dict


@pytest.mark.quick
def test_what_a_worker_sees(client, tmp_path):
    class OfOnesOwn(apexr.difficulty.Advection):
        """Of this process: sent to the workers with all that it is made of."""

        def get_ref_stepper(self):
            return super().get_ref_stepper()

    scenario_dict["of_ones_own"] = OfOnesOwn
    try:
        with _cluster._prepared(client, stores.Study.at(tmp_path)):
            found = client.run(seen)
    finally:
        del scenario_dict["of_ones_own"]
    cores = os.environ["JAX_NUM_CPU_DEVICES"]
    assert {(devices, known) for devices, _, _, known in found.values()} == {(int(cores), True)}
    assert {threads for _, threads, _, _ in found.values()} == {str(usable_cores())}
    assert len({pid for _, _, pid, _ in found.values()} - {os.getpid()}) == 2


def test_an_experiment_that_another_process_runs_comes_last(client, tmp_path):
    store = tmp_path / "study"
    stores.create_study(store)
    planned = plan_study(tiny_study(3))
    held = threading.Event()

    def hold():
        with stores.Study.at(store).notes.claim(planned[0].id):
            held.set()
            while len(units(store)) < 2:
                time.sleep(0.05)

    with ThreadPoolExecutor() as pool:
        other = pool.submit(hold)
        held.wait()
        assert not run_planned(planned, store, client=client, progress=False)
        other.result()
    assert stores.verify(store) == 3


@pytest.mark.usefixtures("no_training")
def test_what_is_no_client_is_refused(tmp_path):
    with pytest.raises(SpecError, match=r"client must be a dask.distributed.Client"):
        apexr.run_study([BASE], tmp_path / "study", client="tcp://127.0.0.1:8786")
    assert not list(tmp_path.iterdir())
