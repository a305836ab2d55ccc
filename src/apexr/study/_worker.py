"""A worker process of a Dask cluster: it gets ready, and runs experiments.

It is sent plain data, a configuration and a path, and the registered parts beyond apexr's own
(scenarios, networks, …); the worker plans the experiment again and compares its id.
"""

import asyncio
import logging
import os
import platform
import signal
import threading
import uuid
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from distributed import Worker, WorkerPlugin

from apexr import store as stores
from apexr._run import Storing
from apexr.engine import CALLBACKS, TASKS
from apexr.errors import ApexrWarning, SpecError, Terminated
from apexr.experiment import Attendants
from apexr.initial import INITIAL_CONDITIONS
from apexr.kernels import keep_compiled, prepare_host_devices, usable_cores
from apexr.metrics import METRICS
from apexr.networks import ACTIVATIONS, NETWORKS
from apexr.objectives import OBJECTIVES
from apexr.scenarios import SCENARIOS
from apexr.steppers import SOLVERS
from apexr.study._clients import FEW_CORES, keep_to_cores
from apexr.study._planned import Planned, plan_one
from apexr.study._work import Programs, Spent, remaining, run_parts, told
from apexr.training import OPTIMIZERS, SCHEDULES, ask_to_stop, asked_to_stop

_HERE = uuid.uuid4().hex
"""Tells this process from all others."""

_ONE_AT_A_TIME = threading.Lock()
_PROGRAMS = Programs()

_LEAVING = threading.Event()
"""Set when SIGTERM has asked this worker to end."""

_ADOPTED: set[str] = set()
"""Environment variables that came from the process that runs the study."""

_WHO = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_ROLE_ARN")
"""Environment variables with which a worker has credentials of its own."""

_OF_THIS_MACHINE = ("_FILE", "_BUNDLE")
"""How the names of environment variables end that hold paths."""

_LOOK_SECONDS = 0.05

_REGISTRIES = {
    "scenario": SCENARIOS,
    "activation": ACTIVATIONS,
    **{
        kind.noun: kind.registry
        for kind in (
            *(NETWORKS, OBJECTIVES, TASKS, METRICS, OPTIMIZERS, SCHEDULES),
            *(INITIAL_CONDITIONS, CALLBACKS, SOLVERS),
        )
    },
}


@dataclass(frozen=True)
class Task:
    """One experiment for a worker.

    Attributes
    ----------
    id
        Its id.
    given
        Its configuration.
    parts
        The seeds of each part that is to be run; None is all that is not there by then, when
        whoever else has claimed it is through.
    study
        The study, with what its client needs if it is at a URL.
    attendants, storing
        As for :func:`apexr._run.run_stored`.
    """

    id: str
    given: Mapping[str, Any]
    parts: tuple[tuple[int, ...], ...] | None
    study: stores.Study
    attendants: Attendants
    storing: Storing


@dataclass(frozen=True)
class Outcome:
    """How an experiment ended: all that a worker sends back.

    Attributes
    ----------
    state
        ``published``; ``failed``, which is recorded in the store; ``stopped``, as asked for;
        ``taken``, by another process; ``unseen``: the worker does not see the store.
    spent
        The time that it took.
    text
        The error.
    """

    state: Literal["published", "failed", "stopped", "taken", "unseen"]
    spent: Spent | None = None
    text: str = ""


def run_task(task: Task) -> Outcome:
    """Run and publish what is not published of an experiment; return how that ended."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore", ApexrWarning)  # said where the study was planned
        if _LEAVING.is_set() or asked_to_stop():
            return Outcome("stopped")
        if not task.study.is_there():
            return Outcome("unseen", text=f"process {os.getpid()} on {platform.node()}")
        one = _planned_again(task)
        _PROGRAMS.enter(one.shape)
        with task.study.notes.claim(task.id, wait=task.parts is None) as mine:
            if not mine:
                return Outcome("taken")
            try:
                spent = _run(one, task)
            except (KeyboardInterrupt, Terminated) as stop:
                return Outcome("stopped", text=str(stop))
            except Exception as error:  # whatever it does, the others go on
                task.study.notes.record_failure(task.id, error, one.experiment.config)
                return Outcome("failed", text=told(error))
    return Outcome("published", spent)


def _planned_again(task: Task) -> Planned:
    one = plan_one(task.given)
    if one.id != task.id:
        raise SpecError(
            f"the worker takes {dict(task.given)} for the experiment {one.id}, whoever sent it for"
            f" {task.id}: let both have the same version of apexr and of your own modules"
        )
    return one


def _run(one: Planned, task: Task) -> Spent:
    parts = [one.part(seeds) for seeds in task.parts or ()]
    chosen = remaining(one, task.study, parts if task.storing.overwrite else ())
    return run_parts(one, chosen, task.study, task.attendants, task.storing)


def registered() -> list[tuple[str, str, Any]]:
    """Return what is registered in this process and is not apexr's own: kind, name, object."""
    return [
        (kind, name, held)
        for kind, registry in _REGISTRIES.items()
        for name, held in registry.loaded().items()
        if (getattr(held, "__module__", None) or "apexr").partition(".")[0] != "apexr"
    ]


def cloud_environment(study: stores.Study) -> dict[str, str]:
    """Return what the environment says of S3 (``AWS_…``), where the study is there."""
    protocols = getattr(getattr(study.place, "fs", None), "protocol", ())
    on_s3 = "s3" in ((protocols,) if isinstance(protocols, str) else protocols)
    return {
        name: value
        for name, value in os.environ.items()
        if on_s3 and name.startswith("AWS_") and not name.endswith(_OF_THIS_MACHINE)
    }


class Preparation(WorkerPlugin):
    """Gets a worker ready before its JAX starts: devices, cores, registered objects, the cache.

    It also lets SIGTERM end a worker in order: the training stops at a checkpoint, another worker
    goes on with it, and only then the process ends.

    Parameters
    ----------
    registrations
        Parts that it needs besides apexr's own.
    environment
        Variables for a worker that has none of the like: how the store is reached.
    """

    name = "apexr-study"

    def __init__(
        self, registrations: list[tuple[str, str, Any]], environment: Mapping[str, str]
    ) -> None:
        self.registrations = registrations
        self.environment = dict(environment)
        self.origin = _HERE
        self.devices = int(os.environ.get("JAX_NUM_CPU_DEVICES", usable_cores()))

    def setup(self, worker: Worker) -> None:
        """Get ready, unless the worker is a thread of the process that runs the study."""
        if self.origin == _HERE:
            return
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all processes
            if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
                _leave_on_sigterm(worker)
        _adopt(self.environment)
        keep_to_cores()
        few = self.devices <= FEW_CORES
        prepare_host_devices(self.devices if few else worker.state.nthreads)
        keep_compiled()
        for kind, name, held in self.registrations:
            if name not in _REGISTRIES[kind]:
                _REGISTRIES[kind].adopt(name)(held)

    async def teardown(self, worker: Worker) -> None:
        """Let a training stop at a checkpoint, if it is the worker that ends, and not the study."""
        if self.origin == _HERE:
            return
        _adopt({})
        if worker.status.name.startswith("clos"):
            await _stopped()


class Stopping(WorkerPlugin):
    """Says whether the trainings of all workers shall stop, also of those that come later.

    A worker that SIGTERM has ended is started again, and is given the experiment of which nobody
    had fetched the outcome. A call to the workers of that moment would not reach it, and it would
    train to the end.

    Parameters
    ----------
    wanted
        Every study begins with false: one whose process was killed may have left a true behind.
    """

    name = f"{Preparation.name}-stopping"

    def __init__(self, wanted: bool) -> None:
        self.wanted = wanted
        self.origin = _HERE

    def setup(self, worker: Worker) -> None:
        """Ask for it, or take it back."""
        ask_to_stop(self.wanted)

    def teardown(self, worker: Worker) -> None:
        """Take it back in the process that runs the study: its own trainings are not meant."""
        if self.origin == _HERE and not _ONE_AT_A_TIME.locked():
            ask_to_stop(False)


def _adopt(environment: Mapping[str, str]) -> None:
    """Take over how a store is reached, unless the worker's own environment says it."""
    while _ADOPTED:  # of the study before
        os.environ.pop(_ADOPTED.pop(), None)
    if not any(name in os.environ for name in _WHO):
        new = {name: value for name, value in environment.items() if name not in os.environ}
        os.environ.update(new)
        _ADOPTED.update(new)


async def _stopped() -> None:
    """Let the training of this process stop, and wait for it; new ones do not begin."""
    _LEAVING.set()
    ask_to_stop()
    while _ONE_AT_A_TIME.locked():
        await asyncio.sleep(_LOOK_SECONDS)


def _leave_on_sigterm(worker: Worker) -> None:
    """Let the first SIGTERM end a worker in order; whoever started it may start it again."""
    loop, leaving = asyncio.get_running_loop(), set()

    async def leave() -> None:
        for name in ("distributed", "tornado.application"):  # connections that end meanwhile
            logging.getLogger(name).setLevel(logging.CRITICAL)
        await _stopped()
        with suppress(OSError, TimeoutError):  # its scheduler may end at the same time
            await worker.close_gracefully(restart=True)
        await worker.close(nanny=False)

    def answer(*_: object) -> None:
        loop.call_soon_threadsafe(lambda: leaving.add(asyncio.ensure_future(leave())))

    signal.signal(signal.SIGTERM, answer)
