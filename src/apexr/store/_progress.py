"""What a study still has to do, and what is being done: files that others look at meanwhile.

A runner writes down what it has been asked for (``.plans/<digest>.json``) and takes the note away
when it is through; for each experiment that it works on it holds a lock on ``.running/<id>``, which
the system frees if the runner dies. Nothing is decided by these files; ``list_experiments`` shows
them.
"""

import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from apexr._digest import digest
from apexr.errors import StoreError
from apexr.store._files import make_folder, read_json, write_json
from apexr.store._layout import PathLike, check_id

try:
    import fcntl
except ImportError:  # not on Windows: there nothing is seen to run
    fcntl = None  # type: ignore[assignment]

PLANS = ".plans"
RUNNING = ".running"


@contextmanager
def planned(study: PathLike, entries: Sequence[Mapping[str, Any]]) -> Iterator[None]:
    """Write down what a study has been asked for until it is through; after a kill it stays.

    Parameters
    ----------
    study
        The study.
    entries
        For each experiment ``id``, ``config`` and ``seeds``.
    """
    path = Path(study) / PLANS / f"{digest(list(entries))}.json"
    write_json(path, {"experiments": [dict(entry) for entry in entries]})
    yield
    path.unlink(missing_ok=True)


def read_plans(study: PathLike) -> dict[str, dict[str, Any]]:
    """Return by id what unfinished calls have been asked for: ``config`` and ``seeds``."""
    folder = Path(study) / PLANS
    plans = sorted(folder.glob("[!.]*.json")) if folder.is_dir() else []
    found: dict[str, dict[str, Any]] = {}
    for path in plans:
        with suppress(StoreError, KeyError, TypeError):  # gone meanwhile, or not one of ours
            for entry in read_json(path)["experiments"]:
                seeds = {*found.get(entry["id"], {}).get("seeds", ()), *entry["seeds"]}
                found[entry["id"]] = {"config": dict(entry["config"]), "seeds": sorted(seeds)}
    return found


@contextmanager
def running(study: PathLike, experiment: str) -> Iterator[None]:
    """Let others see that an experiment is being worked on, for as long as this process lives."""
    path = Path(study) / RUNNING / check_id(experiment)
    make_folder(path.parent)
    with path.open("a+") as file:
        with suppress(OSError, AttributeError):  # another one works on it, or there are no locks
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.truncate(0)
            file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
            file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def read_running(study: PathLike) -> set[str]:
    """Return the ids of the experiments that a living process works on."""
    folder = Path(study) / RUNNING
    return {path.name for path in folder.iterdir() if _is_held(path)} if folder.is_dir() else set()


def _is_held(path: Path) -> bool:
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (OSError, AttributeError):
        return False
    return False
