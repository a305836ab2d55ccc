"""Clusters that others made, by commands in processes of their own; nothing is held by this one."""

import json
import os
import signal
import urllib.request

import distributed
import numpy as np
import pytest
from _clusters import Command, digests, running

import apexr
from _s3 import BUCKET, serving
from _tiny import NET, SIZES, python
from apexr import store as stores
from apexr.errors import ClusterError
from apexr.study import _clients, connect, plan_study, run_planned

LONG = {"optim_config": "adam;3_000;constant;1e-3", "record_loss_every": 20}
STUDY = {**SIZES, **LONG, "net": NET, "scenario": "diff_adv", "train_seed": [0, 1, 2]}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with running(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """The study as one process runs it."""
    store = tmp_path_factory.mktemp("serial") / "study.zarr"
    assert not run_planned(plan_study(STUDY), store, progress=False)
    return store


@pytest.mark.acceptance
def test_the_command_on_a_scheduler_and_a_worker_that_is_asked_to_end(cluster, serial, tmp_path):
    """Another worker goes on with what the one had done, and no number changes."""
    command = Command(tmp_path, STUDY, tmp_path / "study.zarr", "--scheduler", cluster.address)
    command.wait_for_training(2)
    os.kill(cluster.trainers()[0], signal.SIGTERM)
    code, out, err = command.end()
    assert code == 0, err
    assert f"3 of 3 experiments published in {tmp_path / 'study.zarr'}" in out
    assert digests(tmp_path / "study.zarr") == digests(serial)


ON_S3 = """
import json, os, sys
import distributed
import apexr
from apexr.study import connect

address, endpoint, bucket, study = sys.argv[1:5]
study = json.loads(study)
with connect(address) as client:
    try:
        distributed.default_client()
    except ValueError:
        print("no default client")
    keys = {"key": "testing", "secret": "testing", "client_kwargs": {"region_name": "us-east-1"}}
    place = apexr.store.at(f"s3://{bucket}/place.zarr", endpoint_url=endpoint, **keys)
    held = apexr.run_study(study, place, client=client, progress=False)
    held.train_loss.to_netcdf("place.nc")
    os.environ |= {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "testing"}
    os.environ |= {"AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
    held = apexr.run_study(study, f"s3://{bucket}/url.zarr", client=client, progress=False)
    held.train_loss.to_netcdf("url.nc")
"""


@pytest.mark.acceptance
def test_an_object_store_and_a_client_that_is_no_default(cluster, serial, tmp_path):
    """Credentials of the call, or of the client's environment, reach workers that have none."""
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "")
    with serving() as endpoint:
        bucket = urllib.request.Request(f"{endpoint}/{BUCKET}", method="PUT")
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(bucket).close()
        said = python(
            *(ON_S3, cluster.address, endpoint, BUCKET, json.dumps(STUDY)),
            cwd=tmp_path,
            env=proxies,
            timeout=900,
        )
    assert "no default client" in said
    whole = apexr.open_study(serial).train_loss
    for name in ("place", "url"):
        with apexr.study._run.xr.open_dataarray(tmp_path / f"{name}.nc") as losses:
            np.testing.assert_array_equal(losses, whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["place.nc", "url.nc"]


@pytest.mark.acceptance
def test_a_store_that_workers_do_not_see_is_said(cluster):
    with connect(cluster.address) as client, pytest.raises(apexr.errors.StoreError) as caught:
        apexr.run_study(STUDY, "memory://study.zarr", client=client, progress=False)
    assert "a worker does not see this study" in str(caught.value)


@pytest.mark.acceptance
def test_the_scheduler_is_killed_and_the_command_goes_on(serial, tmp_path):
    store = tmp_path / "study.zarr"
    endless = {**STUDY, "optim_config": "adam;2_000_000;constant;1e-3"}
    with running(tmp_path) as cluster:
        command = Command(tmp_path, endless, store, "--scheduler", cluster.address)
        command.wait_for_training(1)
        cluster.scheduler.kill()
        code, _, err = command.end()
    assert code == 1, err
    lines = [line for line in err.splitlines() if line.startswith("error:")]
    assert lines == [
        "error: the connection to the scheduler is lost; 0 of 3 experiments published, the same"
        " call goes on from there"
    ]
    assert "Traceback" not in err
    command = Command(tmp_path, STUDY, store)
    assert command.end()[0] == 0
    held = digests(store)
    assert {name: held[name] for name in digests(serial)} == digests(serial)


ADAPTIVE = """
import json, os, sys, threading, time
from pathlib import Path
import dask
import psutil
from distributed import Client, LocalCluster
from apexr.study import local_cluster, plan_study, run_planned
from apexr.study._worker import Stopping
from apexr.training import asked_to_stop

folder, study = Path(sys.argv[1]), json.loads(sys.argv[2])

class Worker:
    # notes in which process it is called, and waits for a second one, which may start slowly
    def start(self, subject):
        def note(moment):
            (folder / f"{subject.id}-{os.getpid()}").touch()
            until = time.monotonic() + 120
            while len(workers()) < 2 and time.monotonic() < until:
                time.sleep(0.05)
        note.every = 500
        return note

def first_killed():
    while True:
        for child in psutil.Process().children():
            if "spawn_main" in " ".join(child.cmdline()):
                return child.kill()
        time.sleep(0.01)

def workers():
    return {path.name.rpartition("-")[2] for path in folder.iterdir()}

def clear():
    for path in folder.iterdir():
        path.unlink()

if __name__ == "__main__":
    quick = {"distributed.adaptive.interval": "200ms", "distributed.adaptive.target-duration": "5s"}
    with dask.config.set(quick), LocalCluster(
        n_workers=0, threads_per_worker=1, dashboard_address=":0", host="127.0.0.1"
    ) as cluster, Client(cluster, set_as_default=False) as client:
        for least in (0, 1):
            cluster.adapt(minimum=least, maximum=2)
            planned = plan_study({**study, "test_seed": least})
            failures = run_planned(
                planned, folder.parent / "study.zarr", client=client, trackers=[Worker()]
            )
            print(len(failures), len(workers()) > 1)
            clear()
            cluster.scale(0)
    threading.Thread(target=first_killed, daemon=True).start()
    with local_cluster(2) as cluster, Client(cluster, set_as_default=False) as client:
        client.wait_for_workers(2)
        print(len(client.nthreads()), repr(cluster.dashboard_link), repr(client.dashboard_link))
    with LocalCluster(1, dashboard_address=":0") as cluster, Client(cluster) as client:
        client.register_plugin(Stopping(True))  # as one whose process was killed leaves it
        cluster.scale(2)
        client.wait_for_workers(2)
        print(list(client.run(asked_to_stop).values()))
        planned = plan_study({**study, "test_seed": 2})
        print(len(run_planned(planned, folder.parent / "study.zarr", client=client)))
"""


@pytest.mark.acceptance
def test_clusters_grow_wait_for_killed_workers_and_stop_those_that_come_late(tmp_path):
    folder = tmp_path / "seen"
    folder.mkdir()
    script = tmp_path / "script.py"
    script.write_text(ADAPTIVE)
    run = f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')"
    told = python(run, folder, json.dumps(STUDY), timeout=900).splitlines()
    assert told == ["0 True", "0 True", "2 '' ''", "[True, True]", "0"]
    assert stores.verify(tmp_path / "study.zarr") == 9


def test_more_than_five_workers_are_counted():
    options = {"processes": False, "threads_per_worker": 1, "dashboard_address": ":0"}
    with (
        distributed.LocalCluster(n_workers=7, **options) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        client.wait_for_workers(7)
        assert _clients.count_workers(client) == 7
        assert _clients.memory_of_workers(client) > 0


@pytest.mark.parametrize("failures", [2, 100])
def test_a_busy_machine_is_tried_again(monkeypatch, failures):
    """Dask asserts that its thread has started within ten seconds."""
    tried = []

    def client(address, **_):
        tried.append(address)
        if len(tried) <= failures:
            raise AssertionError
        return "a client"

    monkeypatch.setattr(distributed, "Client", client)
    if failures < _clients.ATTEMPTS:
        assert connect("tcp://10.0.0.1:8786") == "a client"
    else:
        with pytest.raises(ClusterError, match=r"Dask does not start .* tried 5 times"):
            connect("tcp://10.0.0.1:8786")
