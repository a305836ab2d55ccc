"""Verify and repair: every byte of a store is checked; what is damaged is put aside."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from apexr._files import _disk
from apexr._files._durable import make_folder, read_json
from apexr._files._layout import (
    CHECKPOINTS,
    DAMAGED,
    EXPERIMENTS,
    FAILURES,
    FORMATS,
    INDEX,
    LOCKS,
    MANIFEST,
    METADATA,
    PACKED,
    STAGING,
    STUDY,
    check_id,
    is_id,
    is_published,
    packed_path,
)
from apexr._files._local import Local
from apexr._files._place import Address, PathLike, Place, address, entries
from apexr._files._remote import Remote
from apexr.errors import StoreError
from apexr.store.runs._checkpoints import drop_checkpoints
from apexr.store.runs._notes import PLANS
from apexr.store.study._study import PARTS, Study
from apexr.store.unit._hierarchy import group_problems, keep_groups
from apexr.store.unit._manifest import read_manifest, verify_unit
from apexr.store.unit._publish import sweep_study, sweep_unit, write_marker

_FOLDERS = (EXPERIMENTS, FAILURES, STAGING, LOCKS, INDEX, DAMAGED, CHECKPOINTS, PLANS)
_BLOCK = 2**20
_LONGEST_MARK = 64


@dataclass(frozen=True)
class Repaired:
    """The actions of a repair.

    Attributes
    ----------
    moved
        Where each damaged thing lies now, by what was wrong with it.
    swept
        How many unfinished writings were removed.
    """

    moved: dict[str, Address]
    swept: int


def verify(path: PathLike | Study) -> int:
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
    study = Study.at(path)
    if not study.is_there():
        verify_unit(study.place)
        return 1
    place = Study.open(study).place
    problems = {**dict(_layout_problems(place)), **dict(_problems(place))}
    if problems:
        raise StoreError("\n".join(problems.values()))
    return len({unit.name.removesuffix(PACKED) for unit in _units(place)})


def repair(path: PathLike | Study) -> Repaired:
    """Put aside what is damaged, so that it is run again, and sweep what killed writers left.

    Nothing is deleted but unfinished writings, checkpoints of what is published, and the index,
    which is made again when it is needed; nothing that has another name than apexr gives is.
    Damaged experiments of a study lie in its folder ``.damaged`` afterward, a damaged single unit
    next to its place. Links are moved themselves, never what they lead to.

    Raises
    ------
    StoreError
        If nothing that apexr has written is there.
    """
    study = Study.at(path)
    target = study.place
    if not _is_or_was_study(target):
        return _repair_unit(target)
    moved = {}
    marker = target / STUDY
    if not _is_sound(marker):
        if marker.is_there():
            moved[f"{marker}: damaged"] = _put_aside(marker, target / DAMAGED)
        write_marker(target)
    Study.open(study)
    for entry, problem in dict(_layout_problems(target)).items():
        moved[problem] = _put_aside(entry, target / DAMAGED)
    keep_groups(target)
    swept = sweep_study(target)
    problems = dict(_problems(target))
    for entry, problem in problems.items():
        moved[problem] = _put_aside(entry, target / DAMAGED)
        twin = packed_path(entry)  # left by a writer that died: as old, or older
        if twin not in problems and twin.is_there():
            _put_aside(twin, target / DAMAGED)
    drop_index(target)
    _drop_checkpoints(study)
    return Repaired({problem: address(aside) for problem, aside in moved.items()}, swept)


def drop_index(study: Place) -> None:
    """Remove the segments of an index."""
    for entry in entries(study / INDEX):
        if is_id(entry.name):
            _disk.remove(entry)
    (study / INDEX).remove_empty()


def _drop_checkpoints(study: Study) -> None:
    """Remove the checkpoints of experiments that are published, unless something runs there."""
    if not study.notes.claimed():
        for entry in entries(study.place / CHECKPOINTS):
            mine = is_id(entry.name) and is_published(study.unit(entry.name))
            if mine and isinstance(entry, Local):
                drop_checkpoints(entry)


def _repair_unit(unit: Place) -> Repaired:
    if not (is_published(unit) and _is_ours(unit)):
        raise StoreError(f"{unit}: no store of apexr is here")
    swept = 0 if isinstance(unit, Remote) else sweep_unit(unit)
    held = unit if unit.is_there() else packed_path(unit)
    problem = _problem(held)
    if not problem:
        return Repaired({}, swept)
    return Repaired({problem: address(_put_aside(held, held.parent, f"{DAMAGED}-"))}, swept)


def _is_ours(unit: Place) -> bool:
    """Tell whether apexr has written what lies there, however damaged it may be."""
    held = unit / MANIFEST if unit.is_dir() else packed_path(unit)
    if not isinstance(held, Local):
        return True
    marks = [f'"{name}"'.encode() for name in FORMATS.values()]
    before = b""
    with held.reading() as file:
        while block := file.read(_BLOCK):
            if any(mark in before + block for mark in marks):
                return True
            before = block[-_LONGEST_MARK:]
    return False


def _problems(study: Place) -> Iterator[tuple[Place, str]]:
    """Yield everything in a study that is not as it was written, and what is wrong with it."""
    for entry in _units(study):
        if problem := _problem(entry, in_study=True):
            yield entry, problem
    for entry in _entries(study / FAILURES):
        try:
            read_json(entry)
        except StoreError as error:
            yield entry, str(error)
    for entry in _entries(study / INDEX):
        if problem := _problem(entry, in_study=True):
            yield entry, problem


def _layout_problems(study: Place) -> Iterator[tuple[Place, str]]:
    """Yield what lies where a study has a folder or a file of its own and is none."""
    yield from _others([study / name for name in _FOLDERS], "folder")
    yield from _others([study / PARTS], "file")
    yield from group_problems(study)
    for name in (LOCKS, PLANS):
        yield from _others(_entries(study / name), "file")
    yield from _others(_entries(study / STAGING), "folder")
    for folder in _entries(study / CHECKPOINTS):
        yield from _others([folder], "folder")
        yield from _others(_entries(folder), "file")


def _others(paths: Iterable[Place], kind: str) -> Iterator[tuple[Place, str]]:
    """Yield what is neither missing nor a file or a folder, as it should be."""
    for path in paths:
        try:
            wanted = path.is_file() if kind == "file" else path.is_dir()
            if not wanted and path.is_there():
                yield path, f"{path}: not a {kind}"
        except StoreError as error:
            yield path, str(error)


def _entries(folder: Place) -> list[Place]:
    """Return what lies in a folder of the study, nothing where something else has its name."""
    try:
        return entries(folder)
    except StoreError:
        return []


def _problem(entry: Place, *, in_study: bool = False) -> str:
    try:
        if in_study:
            check_id(entry.name.removesuffix(PACKED))
        verify_unit(entry)
    except (StoreError, OSError) as error:
        return str(error)
    return ""


def _units(study: Place) -> list[Place]:
    """Return what lies among the experiments; of object stores what is published."""
    found = [entry for entry in _entries(study / EXPERIMENTS) if entry.name != METADATA]
    return [u for u in found if is_published(u)] if isinstance(study, Remote) else found


def _is_sound(path: Place) -> bool:
    try:
        read_json(path)
    except StoreError:
        return False
    return True


def _is_or_was_study(folder: Place) -> bool:
    """Tell whether a folder is a study, or one whose marker is lost or damaged."""
    return _is_sound(folder / STUDY) or any(map(_is_sound_unit, _units(folder)))


def _is_sound_unit(entry: Place) -> bool:
    try:
        read_manifest(entry)
    except (StoreError, OSError):
        return False
    return is_id(entry.name.removesuffix(PACKED))


def _put_aside(entry: Place, folder: Place, prefix: str = "") -> Place:
    make_folder(folder)
    aside = folder / f"{prefix}{entry.name}-{uuid.uuid4().hex}"
    _disk.rename(entry, aside)
    _disk.sync(folder)
    _disk.sync(entry.parent)
    return aside
