"""What writers that died have left: found by their free locks, and removed."""

from collections.abc import Iterable
from pathlib import Path

from apexr.store import _disk
from apexr.store._layout import STAGING
from apexr.store._locks import abandoned
from apexr.store._place import Place, Remote


def sweep_study(study: Place) -> int:
    """Remove the abandoned staging folders of a study; return how many there were."""
    if isinstance(study, Remote):  # nothing tells who died
        return 0
    folder = study / STAGING
    return _sweep(sorted(folder.iterdir())) if folder.is_dir() else 0


def sweep_unit(unit: Path) -> int:
    """Remove what died writers of a single unit have left beside it; return how many there were."""
    start = f"{STAGING}-{unit.name}-"
    beside = unit.parent.iterdir() if unit.parent.is_dir() else ()
    return _sweep(sorted(path for path in beside if path.name.startswith(start)))


def _sweep(folders: Iterable[Path]) -> int:
    count = 0
    for folder in folders:
        if folder.is_dir() and not folder.is_symlink():
            with abandoned(folder) as mine:
                if mine:
                    _disk.remove(folder)
                    count += 1
    return count
