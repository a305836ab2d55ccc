"""Claims: at most one living process runs an experiment of a study.

The lock's file tells how far the one who holds it is.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from apexr.errors import StoreError
from apexr.store._files import make_folder
from apexr.store._layout import LOCKS, check_id, is_id
from apexr.store._local import Local
from apexr.store._locks import hold, is_held
from apexr.store._place import PathLike, entries, place
from apexr.store._remote import Remote

_NOTE = 64
"""Characters of a note: always as many, so that a new one covers the old one."""


@contextmanager
def claim(study: PathLike, experiment: str, *, wait: bool = True) -> Iterator[bool]:
    """Claim an experiment while the block runs; yield whether it is claimed.

    The claim ends with the process, however that ends. Object stores have no locks: there every
    claim is granted, and the one who runs the study must share out the experiments.

    Parameters
    ----------
    study, experiment
        Where, and the id.
    wait
        Whether to wait while another process has it, or to yield False at once.
    """
    folder = place(study) / LOCKS
    if isinstance(folder, Remote):
        yield True
        return
    make_folder(folder)
    with hold(folder / check_id(experiment), wait=wait) as mine:
        if mine:
            _write(folder / experiment, "")  # what one who died has noted
        yield mine


def claimed(study: PathLike) -> set[str]:
    """Return the ids of the experiments that a living process has claimed."""
    folder = place(study) / LOCKS
    if isinstance(folder, Remote):
        return set()
    held = set()
    for path in entries(folder):
        with suppress(StoreError):  # what is no file is nobody's lock
            if isinstance(path, Local) and is_id(path.name) and is_held(path):
                held.add(path.name)
    return held


def note_progress(study: PathLike, experiment: str, done: int, total: int) -> None:
    """Note how many updates of a claimed experiment are done."""
    path = place(study) / LOCKS / check_id(experiment)
    if isinstance(path, Remote):
        return
    with suppress(OSError):  # gone where nobody has claimed it
        _write(path, json.dumps([done, total]).ljust(_NOTE))


def _write(path: Local, note: str) -> None:
    """Write a note over the one before; an empty one removes it."""
    with os.fdopen(path.descriptor(os.O_RDWR), "r+") as file:
        if os.fstat(file.fileno()).st_nlink > 1:
            raise StoreError(f"{path}: has other names besides, which is not allowed in a store")
        file.write(note)
        if not note:
            file.truncate()


def read_progress(study: PathLike, experiment: str) -> tuple[int, int] | None:
    """Return what was noted of an experiment that runs: updates done, and all; None without."""
    path = place(study) / LOCKS / check_id(experiment)
    if isinstance(path, Remote):
        return None
    with suppress(OSError, ValueError, TypeError, RecursionError), path.reading() as file:
        done, total = json.loads(file.read(_NOTE))
        return int(done), int(total)
    return None
