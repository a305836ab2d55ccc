"""The units of a study, in whichever form they are published."""

from apexr.errors import StoreError
from apexr.store._files import read_json
from apexr.store._layout import (
    EXPERIMENTS,
    METADATA,
    PACKED,
    STUDY,
    STUDY_FORMAT,
    check_id,
    is_published,
    is_study,
)
from apexr.store._manifest import check_version
from apexr.store._place import PathLike, Place, at_once, entries, place
from apexr.store._remote import Remote


def check_study(path: PathLike) -> None:
    """Check that a folder is a study that this apexr can read.

    Raises
    ------
    StoreError
        If it is none, or a newer one.
    """
    if not is_study(path):
        raise StoreError(f"{path}: not an apexr study (no {STUDY})")
    marker = place(path) / STUDY
    check_version(marker, read_json(marker), STUDY_FORMAT)


def units_of(path: PathLike) -> list[Place]:
    """Return the units of a study by their folders' names, packed ones too, in order.

    Raises
    ------
    StoreError
        If something that has no name of a unit lies among them.
    """
    folder = place(path) / EXPERIMENTS
    names = {entry.name.removesuffix(PACKED) for entry in entries(folder)} - {METADATA}
    units = [folder / check_id(name) for name in sorted(names)]
    return _finished(units, folder) if isinstance(folder, Remote) else units


def _finished(units: list[Place], folder: Remote) -> list[Place]:
    """Return the units that have a manifest: in an object store, others are being uploaded."""
    there = at_once(is_published, units, folder)
    return [unit for unit, finished in zip(units, there, strict=True) if finished]
