"""Verify and repair: every byte of a store is checked; what is damaged is put aside."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from apexr.errors import StoreError
from apexr.store import _disk
from apexr.store._files import make_folder, read_json
from apexr.store._layout import (
    DAMAGED,
    EXPERIMENTS,
    FAILURES,
    INDEX,
    PACKED,
    STUDY,
    PathLike,
    check_id,
    is_published,
    is_study,
    packed_path,
)
from apexr.store._manifest import verify_unit
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

    moved: dict[str, Path]
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
    problems = dict(_problems(Path(path)))
    if problems:
        raise StoreError("\n".join(problems.values()))
    return len(_entries(Path(path) / EXPERIMENTS))


def repair(path: PathLike) -> Repaired:
    """Put aside what is damaged, so that it is run again, and sweep what died writers have left.

    Nothing is deleted but unfinished writings and the index, which is made anew when it is needed.
    Damaged experiments of a study lie in its folder ``.damaged`` afterwards, a damaged single unit
    beside its place.

    Raises
    ------
    StoreError
        If nothing that apexr has written is there.
    """
    target = Path(path).absolute()
    if not _looks_like_study(target):
        return _repair_unit(target)
    moved = {}
    if (target / STUDY).exists() and not _is_sound(target / STUDY):
        moved[f"{target / STUDY}: damaged"] = _put_aside(target / STUDY, target / DAMAGED)
    swept = sweep_study(target)
    if not is_study(target):
        write_marker(target)
    create_study(target)
    for entry, problem in _problems(target):
        moved[problem] = _put_aside(entry, target / DAMAGED)
    _disk.remove(target / INDEX)
    return Repaired(moved, swept)


def _repair_unit(unit: Path) -> Repaired:
    if not is_published(unit):
        raise StoreError(f"{unit}: no store of apexr is here")
    swept = sweep_unit(unit)
    held = unit if unit.exists() else packed_path(unit)
    problem = _problem(held)
    moved = {problem: _put_aside(held, held.parent, f"{DAMAGED}-")} if problem else {}
    return Repaired(moved, swept)


def _problems(study: Path) -> Iterator[tuple[Path, str]]:
    """Yield everything in a study that is not as it was written, and what is wrong with it."""
    for entry in _entries(study / EXPERIMENTS):
        if problem := _problem(entry, in_study=True):
            yield entry, problem
    for entry in _entries(study / FAILURES):
        if not _is_sound(entry):
            yield entry, f"{entry}: not readable"
    for entry in _entries(study / INDEX):
        if problem := _problem(entry, in_study=True):
            yield entry, problem


def _problem(entry: Path, *, in_study: bool = False) -> str:
    try:
        if in_study:
            check_id(entry.name.removesuffix(PACKED))
        if entry.is_symlink():
            raise StoreError(f"{entry}: symbolic links are not allowed in a store")
        verify_unit(entry)
    except (StoreError, OSError) as error:
        return str(error)
    return ""


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _is_sound(path: Path) -> bool:
    try:
        read_json(path)
    except StoreError:
        return False
    return True


def _looks_like_study(folder: Path) -> bool:
    return is_study(folder) or (folder / EXPERIMENTS).is_dir()


def _put_aside(entry: Path, folder: Path, prefix: str = "") -> Path:
    make_folder(folder)
    place = folder / f"{prefix}{entry.name}-{uuid.uuid4().hex}"
    _disk.rename(entry, place)
    _disk.sync(folder)
    _disk.sync(entry.parent)
    return place
