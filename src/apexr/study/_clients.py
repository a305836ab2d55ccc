"""The Dask clusters that run a study: checked, made on this machine, or asked of SLURM."""

import functools
import gc
import glob
import logging
import os
from asyncio import CancelledError
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from apexr._memory import available_memory
from apexr.errors import ClusterError, SpecError, needs
from apexr.kernels import usable_cores

if TYPE_CHECKING:
    from dask_jobqueue.slurm import SLURMCluster
    from distributed import Client, SpecCluster

_log = logging.getLogger(__name__)

FEW_CORES = 4
"""Up to so many, every worker has all cores: its numbers are those of a run in one process."""

CONNECT_SECONDS = 10

ATTEMPTS = 5
"""Times that a client or a cluster is started before it counts as failed."""

LONGEST_WAIT = "10000 days"

CORES = "APEXR_WORKER_CORES"
"""Environment variable of a worker: the cores that it keeps to, such as ``0,1,2,3``."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_GPU_MEMORY = 0.9


def check_client(client: Any) -> None:
    """Refuse what is no client of a Dask cluster; None is no cluster.

    Raises
    ------
    SpecError
        If it is something else, or works asynchronously.
    """
    if client is None:
        return
    distributed = _import("distributed")
    if not isinstance(client, distributed.Client) or client.asynchronous:
        raise SpecError(
            "client must be a dask.distributed.Client that waits for its answers (not"
            f" asynchronous), or None for this process; got {client!r}"
        )


def connect(address: str) -> "Client":
    """Return a client of the scheduler at an address such as ``tcp://10.0.0.1:8786``.

    Raises
    ------
    SpecError
        If there is none.
    ClusterError
        If this machine is too busy to start a client.
    """
    distributed = _import("distributed")
    try:
        client: Client = _started(
            lambda: distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        )
        return client
    except ClusterError:
        raise
    except (OSError, ValueError, TimeoutError) as error:
        said = str(error)
    gc.collect()  # outside of the handler, whose error holds the client that has failed
    raise SpecError(
        f"no Dask scheduler answers at {address!r} ({said}); start one with `dask scheduler`,"
        " which says its address"
    )


T = TypeVar("T")


def _started(start: Callable[[], T]) -> T:
    """Return what is started, by a later attempt where this machine is too busy for the first.

    Dask gives its own threads and processes some seconds, and asserts that they are there then.

    Raises
    ------
    ClusterError
        If the last attempt fails, too.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with _nothing_collected():
                return start()
        except (AssertionError, RuntimeError) as error:
            problem = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            _log.warning("Dask does not start (%s), attempt %d", problem, attempt)
    raise ClusterError(
        f"Dask does not start on this machine, tried {ATTEMPTS} times ({problem}); it may be too"
        " busy: try again, or with fewer workers"
    )


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Collect garbage now, and none while something of Dask starts.

    While it starts, Dask holds a lock which a client that nobody has closed takes when it is
    collected. In the same thread the one would wait for the other forever.
    """
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _answer(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except (Exception, CancelledError) as error:  # whatever Dask raises where nobody answers
        said = str(error) or type(error).__name__
        raise ClusterError(f"the scheduler of the cluster does not answer ({said})") from error


def count_workers(client: "Client") -> int:
    """Return how many workers a cluster has now.

    Raises
    ------
    ClusterError
        If its scheduler does not answer.
    """
    return len(_answer(client.nthreads))


def memory_of_workers(client: "Client") -> int | None:
    """Return the memory that the largest worker may take; None where that is not known.

    Raises
    ------
    ClusterError
        If the scheduler does not answer.
    """
    workers = _answer(lambda: client.scheduler_info(n_workers=-1))["workers"].values()
    limits = [worker["memory_limit"] for worker in workers]
    return max(limits) if limits and all(limits) else None


def local_cluster(
    workers: int, *, memory_limit: int | None = None, cores: int | None = None
) -> "SpecCluster":
    """Return a Dask cluster of worker processes on this machine.

    A worker runs one experiment at a time. On machines with more than four cores they are
    shared out: each worker keeps to its own group, and has as many JAX devices. With fewer, all
    workers have all cores, so that an experiment is computed exactly as in a single process. GPUs
    are shared out, too: each worker sees one.

    Parameters
    ----------
    workers
        How many processes.
    memory_limit
        Bytes that each may take; one that takes more is ended, and its experiment tried again.
        By default what is available now, in equal parts.
    cores
        Cores of each worker, if not an equal part.

    Returns
    -------
    The cluster, to be closed when it is not needed any more; a context manager.

    Raises
    ------
    SpecError
        For a number below one.
    ClusterError
        If this machine is too busy to start the workers.
    MissingExtraError
        If Dask's distributed scheduler is not installed.

    Examples
    --------
    >>> with local_cluster(4) as cluster, cluster.get_client() as client:
    ...     apexr.run_study("study.toml", "study.zarr", client=client)
    """
    for name, number in (("workers", workers), ("cores", 1 if cores is None else cores)):
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise SpecError(f"{name} must be a number of at least 1, got {number!r}")
    distributed = _import("distributed")
    limit = memory_limit or available_memory() // workers
    environments = worker_environments(workers, _core_numbers(), _gpus(), cores_each=cores)
    options = {"nthreads": 1, "memory_limit": limit, "config": _MEMORY, **_QUIET}
    specs = {
        number: {"cls": distributed.Nanny, "options": {**options, "env": environment}}
        for number, environment in enumerate(environments)
    }
    scheduler = {
        "cls": distributed.Scheduler,
        "options": {"host": _LOOPBACK, "dashboard": False, "dashboard_address": f"{_LOOPBACK}:0"},
    }
    start = functools.partial(
        _patient(distributed.SpecCluster),
        workers=specs,
        scheduler=scheduler,
        silence_logs=logging.CRITICAL,
    )
    cluster: SpecCluster = _started(start)
    return cluster


@functools.cache
def _patient(kind: Any) -> Any:
    """Return the kind of cluster that waits for workers that are slow to come back.

    Dask's own gives a worker up for ever when its process died and the next one is not there
    within some seconds, as on a busy machine. Its nanny lives in this process and sees to it.
    """
    import dask

    class Patient(kind):  # type: ignore[misc]
        @property
        def dashboard_link(self) -> str:
            """None: the scheduler serves no pages."""
            return ""

        def _update_worker_status(self, *told: Any) -> None:
            # Dask reads the time within. Did it call this no longer, its own patience would hold.
            with dask.config.set({"distributed.deploy.lost-worker-timeout": LONGEST_WAIT}):
                super()._update_worker_status(*told)

        def __exit__(self, *told: Any) -> None:
            try:
                super().__exit__(*told)
            except (AssertionError, OSError, TimeoutError) as error:  # on a busy machine
                _log.warning("the cluster did not end in order: %s", type(error).__name__)

    return Patient


_LOOPBACK = "127.0.0.1"
_QUIET = {"host": _LOOPBACK, "dashboard": False, "silence_logs": logging.CRITICAL}


_MEMORY = {
    # Workers hold no results of Dask: to move them to the disk or to wait for them is no help.
    f"distributed.worker.memory.{action}": False
    for action in ("target", "spill", "pause")
}


def worker_environments(
    workers: int, cores: Sequence[int], gpus: Sequence[str], *, cores_each: int | None = None
) -> list[dict[str, str]]:
    """Return the environment of each worker: threads, devices, cores, the GPU that it sees.

    Parameters
    ----------
    workers
        How many.
    cores, gpus
        Numbers of what there is.
    cores_each
        Cores of a worker, if not an equal part.
    """
    if cores_each is None and len(cores) <= FEW_CORES:
        groups: list[Sequence[int]] = [cores] * workers
    else:
        size = cores_each or max(1, len(cores) // workers)
        starts = [number * size % len(cores) for number in range(workers)]
        groups = [[*cores, *cores][start : start + size] for start in starts]
    return [
        {**_of_cores(group), **_of_gpu(number, workers, gpus)}
        for number, group in enumerate(groups)
    ]


def _of_cores(group: Sequence[int]) -> dict[str, str]:
    devices = os.environ.get("JAX_NUM_CPU_DEVICES", str(len(group)))
    return {
        **dict.fromkeys(_THREADS, str(len(group))),
        "JAX_NUM_CPU_DEVICES": devices,
        CORES: ",".join(map(str, group)),
    }


def _of_gpu(number: int, workers: int, gpus: Sequence[str]) -> dict[str, str]:
    """Return what lets a worker see one GPU, and take its part of the memory."""
    if not gpus:
        return {}
    sharing = -(-workers // len(gpus))
    share = {"XLA_PYTHON_CLIENT_MEM_FRACTION": f"{_GPU_MEMORY / sharing:.2f}"}
    return {"CUDA_VISIBLE_DEVICES": gpus[number % len(gpus)], **(share if sharing > 1 else {})}


def _core_numbers() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(usable_cores()))


def _gpus() -> list[str]:
    """Return the GPUs that this process may see, without waking them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name.strip() not in ("", "-1")]
    found = glob.glob("/dev/nvidia[0-9]*")
    return [str(number) for number in sorted(int(path[len("/dev/nvidia") :]) for path in found)]


def keep_to_cores() -> None:
    """Keep this thread, and those that it starts, to the cores that the environment names."""
    named = os.environ.get(CORES, "")
    if named and hasattr(os, "sched_setaffinity"):
        with suppress(OSError, ValueError):  # of another machine
            os.sched_setaffinity(0, {int(core) for core in named.split(",")})


def slurm_cluster(
    jobs: int,
    *,
    cores: int = 1,
    memory: str = "8GB",
    gpus: int = 0,
    walltime: str = "04:00:00",
    queue: str | None = None,
    account: str | None = None,
    prologue: Sequence[str] = (),
    **options: Any,
) -> "SLURMCluster":
    """Return a Dask cluster of SLURM jobs, each one worker that runs one experiment at a time.

    Parameters
    ----------
    jobs
        How many are submitted. Workers that come later, or end with their jobs, are no problem.
    cores, memory, gpus, walltime
        The resources of each job. A job that ends is no loss beyond the last checkpoint.
    queue, account
        SLURM's partition and account.
    prologue
        Lines of the job script before the worker starts, such as ``module load python``.
    **options
        Further keywords of ``dask_jobqueue.SLURMCluster``.

    Raises
    ------
    SpecError
        For an invalid number.
    MissingExtraError
        If dask-jobqueue is not installed.
    """
    for name, number, least in (("jobs", jobs, 0), ("cores", cores, 1), ("gpus", gpus, 0)):
        if not isinstance(number, int) or isinstance(number, bool) or number < least:
            raise SpecError(f"{name} must be a number of at least {least}, got {number!r}")
    jobqueue = _import("dask_jobqueue")
    environment = {**dict.fromkeys(_THREADS, cores), "JAX_NUM_CPU_DEVICES": cores}
    directives = [*options.pop("job_extra_directives", ())]
    directives += [f"--gres=gpu:{gpus}"] if gpus else []
    start = functools.partial(
        jobqueue.SLURMCluster,
        cores=1,  # threads of Dask's: one experiment at a time
        job_cpu=cores,
        processes=1,
        memory=memory,
        walltime=walltime,
        queue=queue,
        account=account,
        job_extra_directives=directives,
        job_script_prologue=[*_exports(environment), *_exports(_JOB_MEMORY), *prologue],
        **options,
    )
    cluster: SLURMCluster = _started(start)
    cluster.scale(jobs)
    return cluster


_JOB_MEMORY = {
    "DASK_DISTRIBUTED__WORKER__MEMORY__TARGET": False,
    "DASK_DISTRIBUTED__WORKER__MEMORY__SPILL": False,
    "DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE": False,
}


def _exports(values: Mapping[str, Any]) -> list[str]:
    return [f"export {name}={value}" for name, value in values.items()]


def _import(module: str) -> Any:
    """Return a module of the extra ``cluster``.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    import importlib

    with needs("cluster", "a study on several processes needs"):
        return importlib.import_module(module)
