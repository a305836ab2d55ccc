"""What writers that died have left: found by their free locks, and removed."""

from collections.abc import Iterable
from contextlib import suppress

from apexr.errors import StoreError
from apexr.store import _disk
from apexr.store._layout import STAGING, is_staged
from apexr.store._local import Local
from apexr.store._locks import abandoned
from apexr.store._place import Place, entries
from apexr.store._remote import Remote


def sweep_study(study: Place) -> int:
    """Remove the abandoned staging folders of a study; return how many there were."""
    if isinstance(study, Remote):  # nothing tells who died
        return 0
    return _sweep(one for one in _entries(study / STAGING) if is_staged(one.name))


def sweep_unit(unit: Local) -> int:
    """Remove what killed writers of a single unit left beside it; return how many there were."""
    return _sweep(one for one in _entries(unit.parent) if is_staged(one.name, unit.name))


def _entries(folder: Local) -> list[Local]:
    return [entry for entry in entries(folder) if isinstance(entry, Local)]


def _sweep(folders: Iterable[Local]) -> int:
    count = 0
    for folder in folders:
        with suppress(StoreError):  # what is no folder is not ours
            if not folder.is_dir():
                continue
            with abandoned(folder) as mine:
                if mine:
                    _disk.remove(folder)
                    count += 1
    return count
