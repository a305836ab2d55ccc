"""What happens in a worker process of a Dask cluster: it gets ready, and runs experiments.

What is sent is plain data, a configuration and a path, and what is registered beyond apexr's own
(scenarios, networks, …); the worker plans the experiment again and compares its id.
"""

import os
import signal
import threading
import time
import uuid
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from distributed import Worker, WorkerPlugin

from apexr import store as stores
from apexr._compile import keep_compiled
from apexr._devices import prepare_host_devices, usable_cores
from apexr.engine import CALLBACKS, TASKS
from apexr.errors import ApexrWarning, SpecError
from apexr.initial import INITIAL_CONDITIONS
from apexr.metrics import METRICS
from apexr.networks import ACTIVATIONS, NETWORKS
from apexr.objectives import OBJECTIVES
from apexr.scenarios import SCENARIOS
from apexr.study._clients import FEW_CORES, keep_to_cores
from apexr.study._configs import Planned, plan_one
from apexr.study._work import Programs, remaining, run_parts, told
from apexr.training import OPTIMIZERS, SCHEDULES, ask_to_stop

_HERE = uuid.uuid4().hex
"""Tells this process from all others."""

_ONE_AT_A_TIME = threading.Lock()
_PROGRAMS = Programs()

_REGISTRIES = {
    "scenario": SCENARIOS,
    "activation": ACTIVATIONS,
    **{
        kind.noun: kind.registry
        for kind in (
            *(NETWORKS, OBJECTIVES, TASKS, METRICS, OPTIMIZERS, SCHEDULES),
            *(INITIAL_CONDITIONS, CALLBACKS),
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
    store
        Path of the study.
    options
        ``overwrite``, ``checkpoint_seconds``.
    """

    id: str
    given: Mapping[str, Any]
    parts: tuple[tuple[int, ...], ...] | None
    store: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """How an experiment ended: all that a worker sends back.

    Attributes
    ----------
    state
        ``published``; ``failed``, which is recorded in the store; ``stopped``, as asked for;
        ``taken``, by another process.
    seconds
        What it took.
    text
        The error.
    """

    state: Literal["published", "failed", "stopped", "taken"]
    seconds: float = 0.0
    text: str = ""


def run_task(task: Task) -> Outcome:
    """Run and publish what is not published of an experiment; return how that ended."""
    start = time.perf_counter()
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore", ApexrWarning)  # said where the study was planned
        one = _planned_again(task)
        _PROGRAMS.enter(one.shape)
        with stores.claim(task.store, task.id, wait=task.parts is None) as mine:
            if not mine:
                return Outcome("taken")
            try:
                _run(one, task)
            except KeyboardInterrupt as stop:
                return Outcome("stopped", text=str(stop))
            except Exception as error:  # whatever it does, the others go on
                stores.record_failure(task.store, task.id, error, one.experiment.config)
                return Outcome("failed", text=told(error))
    return Outcome("published", time.perf_counter() - start)


def _planned_again(task: Task) -> Planned:
    one = plan_one(task.given)
    if one.id != task.id:
        raise SpecError(
            f"the worker takes {dict(task.given)} for the experiment {one.id}, whoever sent it for"
            f" {task.id}: let both have the same version of apexr and of your own modules"
        )
    return one


def _run(one: Planned, task: Task) -> None:
    chosen = (
        remaining(one, task.store)
        if task.parts is None
        else [one.part(seeds) for seeds in task.parts]
    )
    run_parts(one, chosen, task.store, progress=False, **task.options)


def registered() -> list[tuple[str, str, Any]]:
    """Return what is registered in this process and is not apexr's own: kind, name, object."""
    return [
        (kind, name, held)
        for kind, registry in _REGISTRIES.items()
        for name, held in registry.loaded().items()
        if (getattr(held, "__module__", None) or "apexr").partition(".")[0] != "apexr"
    ]


class Preparation(WorkerPlugin):
    """Gets a worker ready before its JAX starts: devices, cores, registered objects, the cache.

    Parameters
    ----------
    registrations
        What it shall know besides apexr's own.
    """

    name = "apexr-study"

    def __init__(self, registrations: list[tuple[str, str, Any]]) -> None:
        self.registrations = registrations
        self.origin = _HERE
        self.devices = int(os.environ.get("JAX_NUM_CPU_DEVICES", usable_cores()))

    def setup(self, worker: Worker) -> None:
        """Get ready, unless the worker is a thread of the process that runs the study."""
        ask_to_stop(False)
        if self.origin == _HERE:
            return
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all processes
        keep_to_cores()
        few = self.devices <= FEW_CORES
        prepare_host_devices(self.devices if few else worker.state.nthreads)
        keep_compiled()
        for kind, name, held in self.registrations:
            if name not in _REGISTRIES[kind]:
                _REGISTRIES[kind].adopt(name)(held)
