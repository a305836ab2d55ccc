"""Packing units into one file each."""

from apexr.store import _disk
from apexr.store._files import scratch, write_packed
from apexr.store._layout import MANIFEST, PACKED, is_study, staging_folder
from apexr.store._local import Local
from apexr.store._manifest import verify_unit
from apexr.store._place import PathLike, local, place
from apexr.store._source import read_all, source_of
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
    with scratch(staging_folder(unit)) as folder:
        write_packed(folder / packed.name, read_all(source_of(unit)))
        _disk.rename(folder / packed.name, packed)
        _disk.sync(unit.parent)
        _disk.rename(unit, folder / unit.name)  # and with the folder it goes
        _disk.sync(unit.parent)
    return True
