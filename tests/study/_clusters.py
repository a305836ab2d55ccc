"""A Dask cluster as others start one: a scheduler and worker processes by their own commands."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil

from _tiny import compiled_once, units
from apexr import store as stores

TIMES = ("train_seconds", "compile_seconds", "inference_seconds")


class Cluster:
    """A scheduler and two workers in processes of their own.

    Attributes
    ----------
    address
        Of the scheduler.
    scheduler, workers
        The processes of the commands; those that train are children of the workers.
    """

    def __init__(self, folder):
        self._folder = folder
        # no way to a store but what the client sends
        bare = {name: os.environ[name] for name in os.environ if not name.startswith("AWS_")}
        self._environment = bare | compiled_once()
        told = folder / "scheduler.json"
        self.scheduler = self._start(
            *("scheduler", "--host", "127.0.0.1", "--port", 0, "--no-dashboard"),
            *("--scheduler-file", told),
        )
        self.address = wait_for(lambda: told.exists() and json.loads(told.read_text())["address"])
        self.workers = self._start(
            *("worker", self.address, "--nworkers", 2, "--nthreads", 1, "--no-dashboard"),
            *("--local-directory", folder / "workers"),
        )

    def _start(self, *command):
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *map(str, command)],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=(self._folder / f"{command[0]}.log").open("w"),
            cwd=self._folder,
        )

    def trainers(self):
        """Return the ids of the processes that train."""
        children = psutil.Process(self.workers.pid).children()
        return [child.pid for child in children if "spawn_main" in " ".join(child.cmdline())]

    def end(self):
        for process in (self.workers, self.scheduler):
            for child in psutil.Process(process.pid).children() if process.poll() is None else ():
                child.kill()
            process.kill()
            process.wait()


@contextmanager
def running(folder):
    cluster = Cluster(folder)
    try:
        yield cluster
    finally:
        cluster.end()


def wait_for(thing, seconds=900):
    """Return what ``thing()`` gives as soon as it is true."""
    last = time.monotonic() + seconds
    while not (found := _tried(thing)):
        assert time.monotonic() < last, "it did not come"
        time.sleep(0.05)
    return found


def _tried(thing):
    try:
        return thing()
    except (OSError, ValueError):
        return None


class Command:
    """`apexr study` in a process of its own, with nothing held by this one."""

    def __init__(self, folder, study, store, *options):
        file = folder / "study.json"
        file.write_text(json.dumps(study))
        command = ("study", file, "--store", store, "--no-progress", *options)
        self.store = store
        self.process = subprocess.Popen(
            [sys.executable, "-m", "apexr", *map(str, command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=os.environ | compiled_once(),
        )

    def wait_for_training(self, count=1):
        """Wait until so many experiments are being trained."""

        def training():
            assert self.process.poll() is None, self.process.communicate()
            names = [path.name for path in self.store.glob(".locks/*")]
            return sum(
                (stores.Study.at(self.store).notes.progress(name) or (0,))[0] > 0 for name in names
            )

        wait_for(lambda: training() >= count)

    def end(self, number=None):
        """Return exit code, output and errors, after a signal if there is one."""
        if number is not None:
            self.process.send_signal(signal.Signals(number))
        out, err = self.process.communicate(timeout=900)
        return self.process.returncode, out, err


def digests(study):
    """Return what was published, by unit: digests of all files but those with times."""
    found = {}
    for unit in units(study):
        files = stores.read_manifest(unit)["files"]
        found[unit.name.removesuffix(".zip")] = {
            name: entry["blake2b"]
            for name, entry in files.items()
            if name.count("/c") and not any(part in name for part in TIMES)
        }
    return found
