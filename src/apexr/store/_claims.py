"""Claims: at most one living process runs an experiment of a study."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apexr.store._files import make_folder
from apexr.store._layout import LOCKS, PathLike, check_id
from apexr.store._locks import hold, is_held


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
        yield mine


def claimed(study: PathLike) -> set[str]:
    """Return the ids of the experiments that a living process has claimed."""
    folder = Path(study) / LOCKS
    return {path.name for path in folder.iterdir() if is_held(path)} if folder.is_dir() else set()
