"""Where workers run: cores and GPUs shared out, SLURM job scripts, wrong numbers."""

import pytest

from _tiny import python
from apexr.errors import SpecError
from apexr.study import connect, local_cluster, slurm_cluster
from apexr.study._clients import CORES, worker_environments


@pytest.fixture(autouse=True)
def _no_choice_of_devices(monkeypatch):
    monkeypatch.delenv("JAX_NUM_CPU_DEVICES", raising=False)


def test_many_cores_are_shared_out():
    found = worker_environments(8, range(64), [])
    groups = [environment[CORES].split(",") for environment in found]
    assert sorted(int(core) for group in groups for core in group) == list(range(64))
    for environment in found:
        assert environment["JAX_NUM_CPU_DEVICES"] == environment["OMP_NUM_THREADS"] == "8"
        assert "CUDA_VISIBLE_DEVICES" not in environment


def test_few_cores_are_everybodys():
    for environment in worker_environments(3, (0, 1), []):
        assert (environment[CORES], environment["JAX_NUM_CPU_DEVICES"]) == ("0,1", "2")


def test_cores_by_number():
    found = worker_environments(3, range(4), [], cores_each=2)
    assert [environment[CORES] for environment in found] == ["0,1", "2,3", "0,1"]


def test_a_choice_of_devices_is_kept(monkeypatch):
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", "1")
    assert worker_environments(1, range(8), [])[0]["JAX_NUM_CPU_DEVICES"] == "1"


def test_each_worker_sees_one_gpu():
    found = worker_environments(4, range(64), ["0", "1"])
    assert [one["CUDA_VISIBLE_DEVICES"] for one in found] == ["0", "1", "0", "1"]
    assert {one["XLA_PYTHON_CLIENT_MEM_FRACTION"] for one in found} == {"0.45"}
    alone = worker_environments(2, range(64), ["3", "5"])
    assert [one["CUDA_VISIBLE_DEVICES"] for one in alone] == ["3", "5"]
    assert not any("XLA_PYTHON_CLIENT_MEM_FRACTION" in one for one in alone)


@pytest.mark.quick
def test_the_job_script_for_slurm():
    with slurm_cluster(
        0,
        cores=8,
        memory="32GB",
        gpus=1,
        walltime="12:00:00",
        queue="gpu",
        account="pde",
        prologue=["module load cuda"],
        scheduler_options={"dashboard_address": ":0"},
    ) as cluster:
        script = cluster.job_script()
    for line in (
        *("#SBATCH -p gpu", "#SBATCH -A pde", "#SBATCH -t 12:00:00", "#SBATCH --gres=gpu:1"),
        *("#SBATCH --cpus-per-task=8", "#SBATCH --mem=30G"),
        *("export JAX_NUM_CPU_DEVICES=8", "export OMP_NUM_THREADS=8", "module load cuda"),
    ):
        assert line in script.splitlines()
    (command,) = [line for line in script.splitlines() if "distributed.cli.dask_worker" in line]
    assert "--nthreads 1 " in command
    assert "--nanny" in command


@pytest.mark.parametrize("number", [0, -1, 1.5, True, "2"])
def test_wrong_numbers_of_workers_are_refused(number):
    with pytest.raises(SpecError, match="workers must be a number of at least 1"):
        local_cluster(number)


def test_wrong_jobs_are_refused():
    with pytest.raises(SpecError, match="cores must be a number of at least 1, got 0"):
        slurm_cluster(1, cores=0)


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1:9"])
def test_no_scheduler_is_said(address, monkeypatch):
    monkeypatch.setattr("apexr.study._clients.CONNECT_SECONDS", 1)
    with pytest.raises(SpecError, match="no Dask scheduler answers at"):
        connect(address)


FORGOTTEN = """
import gc, os, threading
from distributed import Client, LocalCluster
from apexr.study import connect

class Garbage:
    def __init__(self, held): self.held, self.itself = held, self

try:
    Client("nonsense", set_as_default=False)
except ValueError as error:
    forgotten = Garbage(error)  # holds the client
cluster = LocalCluster(1, processes=False, dashboard_address=None)
start = threading.Thread.__init__

def making(self, *args, **kwargs):
    global forgotten
    forgotten = None
    if gc.isenabled():  # as Python itself does now and then
        gc.collect()
    start(self, *args, **kwargs)

threading.Thread.__init__ = making
connect(cluster.scheduler_address)
print("connected", flush=True)
os._exit(0)
"""


def test_a_client_that_was_never_closed_does_not_stop_the_next_one(tmp_path):
    """Collected while another one starts, it would wait for a lock of this very thread."""
    assert "connected" in python(FORGOTTEN, cwd=tmp_path, timeout=120)
