"""Claims: at most one living process runs an experiment of a study.

The lock's file tells how far the one who holds it is.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from apexr.store._files import make_folder
from apexr.store._layout import LOCKS, PathLike, check_id
from apexr.store._locks import hold, is_held

_NOTE = 64
"""Characters of a note: always as many, so that a new one covers the old one."""


@contextmanager
def claim(study: PathLike, experiment: str, *, wait: bool = True) -> Iterator[bool]:
    """Claim an experiment while the block runs; yield whether it is claimed.

    The claim ends with the process, however that ends.

    Parameters
    ----------
    study, experiment
        Where, and the id.
    wait
        Whether to wait while another process has it, or to yield False at once.
    """
    folder = Path(study).absolute() / LOCKS
    make_folder(folder)
    with hold(folder / check_id(experiment), wait=wait) as mine:
        if mine:
            os.truncate(folder / experiment, 0)  # what one who died has noted
        yield mine


def claimed(study: PathLike) -> set[str]:
    """Return the ids of the experiments that a living process has claimed."""
    folder = Path(study) / LOCKS
    return {path.name for path in folder.iterdir() if is_held(path)} if folder.is_dir() else set()


def note_progress(study: PathLike, experiment: str, done: int, total: int) -> None:
    """Note how many updates of a claimed experiment are done."""
    path = Path(study) / LOCKS / check_id(experiment)
    with suppress(OSError), path.open("r+") as file:  # gone where nobody has claimed it
        file.write(json.dumps([done, total]).ljust(_NOTE))


def read_progress(study: PathLike, experiment: str) -> tuple[int, int] | None:
    """Return what was noted of an experiment that runs: updates done, and all; None without."""
    path = Path(study) / LOCKS / check_id(experiment)
    with suppress(OSError, ValueError, TypeError, RecursionError), path.open() as file:
        done, total = json.loads(file.read(_NOTE))
        return int(done), int(total)
    return None
