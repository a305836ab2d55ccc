"""Packing units into one file each, and bringing the units of one study into another."""

import functools

from apexr.errors import StoreError
from apexr.store import _disk
from apexr.store._failures import read_failures
from apexr.store._files import make_folder, scratch, write_json
from apexr.store._layout import (
    MANIFEST,
    PACKED,
    failure_path,
    is_published,
    is_study,
    staging_folder,
    unit_of,
)
from apexr.store._local import Local
from apexr.store._manifest import verify_unit
from apexr.store._place import PathLike, Place, local, place
from apexr.store._publish import ConflictError, create_study, publish_files
from apexr.store._source import packed_into, read_all, source_of
from apexr.store._units import check_study, units_of


def pack(path: PathLike) -> int:
    """Put each unit into one file that reads as the unit did; return how many were packed.

    Raises
    ------
    StoreError
        If a unit is damaged: only what is whole is packed. Those before it are packed.
    """
    if is_study(path):
        check_study(path)
        units = units_of(path)
    else:
        units = [place(path)]
    return sum(_pack(local(unit, "packing")) for unit in units)


def _pack(unit: Local) -> bool:
    packed = unit.with_name(unit.name + PACKED)
    if unit.suffix == PACKED or (not (unit / MANIFEST).is_file() and packed.is_file()):
        return False
    verify_unit(unit)
    files = read_all(source_of(unit))
    write = functools.partial(packed_into, names=files, read=files.__getitem__)
    with scratch(staging_folder(unit)) as folder:
        _disk.write_by(folder / packed.name, write)
        _disk.sync(folder)
        _disk.rename(folder / packed.name, packed)
        _disk.sync(unit.parent)
        _disk.rename(unit, folder / unit.name)  # and with the folder it goes
        _disk.sync(unit.parent)
    return True


def merge(into: PathLike, *others: PathLike) -> int:
    """Bring the experiments of other studies into one; return how many have come.

    Parameters
    ----------
    into
        A study; it is made where there is none. What it holds already stays as it is.
    others
        Studies, which are not changed.

    Raises
    ------
    ConflictError
        If studies hold different results under one id; all others have been merged.
    StoreError
        If a study cannot be read, or an experiment is damaged; all others have been merged.
    """
    for other in others:
        check_study(other)
    make_folder(place(into).parent)
    create_study(into)
    count, problems = 0, []
    for unit in (unit for other in others for unit in units_of(other)):
        try:
            count += _copy(unit, unit_of(place(into), unit.name))
        except StoreError as error:
            problems.append(error)
    for other in others:
        _copy_failures(other, into)
    if problems:
        kind = ConflictError if any(isinstance(e, ConflictError) for e in problems) else StoreError
        raise kind(f"{count} merged, {len(problems)} not:\n" + "\n".join(map(str, problems)))
    return count


def _copy(unit: Place, target: Place) -> bool:
    verify_unit(unit)
    new = not is_published(target)
    publish_files(read_all(source_of(unit)), target)
    return new


def _copy_failures(study: PathLike, into: PathLike) -> None:
    for name, record in read_failures(study).items():
        path = failure_path(into, name)
        if not (path.exists() or is_published(unit_of(into, name))):
            write_json(path, record)
