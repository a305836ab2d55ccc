"""Verify and repair: every byte of a store is checked; what is damaged is put aside."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from apexr.errors import StoreError
from apexr.store import _disk
from apexr.store._claims import claimed
from apexr.store._files import make_folder, read_json
from apexr.store._layout import (
    CHECKPOINTS,
    DAMAGED,
    EXPERIMENTS,
    FAILURES,
    INDEX,
    PACKED,
    STUDY,
    check_id,
    is_published,
    is_study,
    packed_path,
)
from apexr.store._manifest import verify_unit
from apexr.store._place import PathLike, Place, Remote, entries, place
from apexr.store._publish import create_study, write_marker
from apexr.store._staging import sweep_study, sweep_unit
from apexr.store._units import check_study


@dataclass(frozen=True)
class Repaired:
    """What a repair has done.

    Attributes
    ----------
    moved
        Where each damaged thing lies now, by what was wrong with it.
    swept
        How many unfinished writings were removed.
    """

    moved: dict[str, Place]
    swept: int


def verify(path: PathLike) -> int:
    """Check every byte of a store against its manifests; return the number of units checked.

    Parameters
    ----------
    path
        One unit, or a study.

    Raises
    ------
    StoreError
        Naming every file that is damaged.
    """
    if not is_study(path):
        verify_unit(path)
        return 1
    check_study(path)
    problems = dict(_problems(place(path)))
    if problems:
        raise StoreError("\n".join(problems.values()))
    return len({unit.name.removesuffix(PACKED) for unit in _units(place(path))})


def repair(path: PathLike) -> Repaired:
    """Put aside what is damaged, so that it is run again, and sweep what died writers have left.

    Nothing is deleted but unfinished writings, checkpoints of what is published, and the index,
    which is made anew when it is needed.
    Damaged experiments of a study lie in its folder ``.damaged`` afterwards, a damaged single unit
    beside its place.

    Raises
    ------
    StoreError
        If nothing that apexr has written is there.
    """
    target = place(path).absolute()
    if not _looks_like_study(target):
        return _repair_unit(target)
    moved = {}
    if (target / STUDY).exists() and not _is_sound(target / STUDY):
        moved[f"{target / STUDY}: damaged"] = _put_aside(target / STUDY, target / DAMAGED)
    swept = sweep_study(target)
    if not is_study(target):
        write_marker(target)
    create_study(target)
    problems = dict(_problems(target))
    for entry, problem in problems.items():
        moved[problem] = _put_aside(entry, target / DAMAGED)
        twin = packed_path(entry)  # left by a writer that died: as old, or older
        if twin not in problems and twin.exists():
            _put_aside(twin, target / DAMAGED)
    _disk.remove(target / INDEX)
    _drop_checkpoints(target)
    return Repaired(moved, swept)


def _drop_checkpoints(study: Place) -> None:
    """Remove the checkpoints of experiments that are published, unless something runs there."""
    if not claimed(study):
        for entry in entries(study / CHECKPOINTS):
            if is_published(study / EXPERIMENTS / entry.name):
                _disk.remove(entry)


def _repair_unit(unit: Place) -> Repaired:
    if not is_published(unit):
        raise StoreError(f"{unit}: no store of apexr is here")
    swept = 0 if isinstance(unit, Remote) else sweep_unit(unit)
    held = unit if unit.exists() else packed_path(unit)
    problem = _problem(held)
    moved = {problem: _put_aside(held, held.parent, f"{DAMAGED}-")} if problem else {}
    return Repaired(moved, swept)


def _problems(study: Place) -> Iterator[tuple[Place, str]]:
    """Yield everything in a study that is not as it was written, and what is wrong with it."""
    for entry in _units(study):
        if problem := _problem(entry, in_study=True):
            yield entry, problem
    for entry in entries(study / FAILURES):
        if not _is_sound(entry):
            yield entry, f"{entry}: not readable"
    for entry in entries(study / INDEX):
        if problem := _problem(entry, in_study=True):
            yield entry, problem


def _problem(entry: Place, *, in_study: bool = False) -> str:
    try:
        if in_study:
            check_id(entry.name.removesuffix(PACKED))
        if entry.is_symlink():
            raise StoreError(f"{entry}: symbolic links are not allowed in a store")
        verify_unit(entry)
    except (StoreError, OSError) as error:
        return str(error)
    return ""


def _units(study: Place) -> list[Place]:
    """Return what lies among the experiments; of object stores what is published."""
    found = entries(study / EXPERIMENTS)
    return [u for u in found if is_published(u)] if isinstance(study, Remote) else found


def _is_sound(path: Place) -> bool:
    try:
        read_json(path)
    except StoreError:
        return False
    return True


def _looks_like_study(folder: Place) -> bool:
    return is_study(folder) or (folder / EXPERIMENTS).is_dir()


def _put_aside(entry: Place, folder: Place, prefix: str = "") -> Place:
    make_folder(folder)
    aside = folder / f"{prefix}{entry.name}-{uuid.uuid4().hex}"
    _disk.rename(entry, aside)
    _disk.sync(folder)
    _disk.sync(entry.parent)
    return aside
