"""Where things lie: the only module that knows file and folder names of a store.

::

    adv.zarr/                        one experiment: the Zarr group itself ...
      manifest.json                  ... and what it must hold
    turbulence.zarr/                 trajectories alone, of the same form
    study.zarr/
      study.json                     marks a study; schema version
      zarr.json                      a Zarr group, as each folder down to a result
      experiments/zarr.json          the same
      experiments/<id>/zarr.json     the same, with the labels of the experiment
      experiments/<id>/data.zarr     one experiment
      experiments/<id>/manifest.json
      experiments/<id>.zip           the same, packed into one file
      experiments/<id>/data-<digest>.zarr   in place of data.zarr, in object stores
      failures/<id>.json             last error of an experiment, number of attempts
      .index/<segment>/              small variables of many experiments; derived, never the truth
      .staging/<id>-<random>/        being written; never read
      .locks/<id>                    held by the process that works on the experiment
      .damaged/<name>-<random>/      what ``repair`` has put aside
      .parts.json                    derived: which unit holds which seeds of which experiment
      .plans/<digest>.json           what a call that is not through has been asked for
      checkpoints/<id>/              how far the training of an unfinished experiment is
    .checkpoints-adv.zarr/           the same of a single experiment

A *unit* is the directory that is published by one rename: ``adv.zarr`` or ``experiments/<id>``. It
holds an experiment for some of its seeds, see ``_parts``.
"""

import hashlib
import os
import re
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from apexr._files._local import Local
from apexr._files._place import Address, PathLike, Place, address, place
from apexr._files._remote import Remote
from apexr.errors import StoreError

DATA = "data.zarr"
MANIFEST = "manifest.json"
METADATA = "zarr.json"
"""Zarr's name for the metadata of a group or an array."""
STUDY = "study.json"
EXPERIMENTS = "experiments"
FAILURES = "failures"
STAGING = ".staging"
LOCKS = ".locks"
INDEX = ".index"
DAMAGED = ".damaged"
PACKED = ".zip"
CHECKPOINTS = "checkpoints"
ARCHIVED, ARCHIVE_STUDY = "checksums.sha256", "study.zarr"
"""Names in a folder that ``apexr.publish`` has written."""
WEIGHTS = "weights"
ORDER = "variable_order"
"""Attribute of the Zarr group: its variables as the result listed them; a group sorts them."""

FORMATS: Mapping["UnitKind", str] = {
    "experiment": "apexr-experiment",
    "trajectories": "apexr-trajectories",
    "index": "apexr-index",
}
"""The name in a manifest of each kind of unit."""
STUDY_FORMAT = "apexr-study"

_ID = re.compile(r"[0-9a-f]{32}")
_FORMAT = re.compile(rb'"format": *"([a-z-]*)"')
"""The first bytes of a manifest."""
_STAGED = re.compile(r"[0-9a-f]{32}(\.zip)?-[0-9a-f]{32}")

UnitKind = Literal["experiment", "trajectories", "index"]


def check_id(experiment: str) -> str:
    """Return ``experiment`` if it is an id, 32 hexadecimal digits, never a path."""
    if not is_id(experiment):
        raise StoreError(f"an experiment id is 32 hexadecimal digits, got {experiment!r}")
    return experiment


def is_id(name: object) -> bool:
    """Tell whether a name is an id."""
    return isinstance(name, str) and _ID.fullmatch(name) is not None


def unit_path(study: PathLike, experiment: str) -> Address:
    """Return where the unit of an experiment lies in a study."""
    return address(unit_of(place(study), experiment))


def unit_of(study: Place, experiment: str) -> Place:
    """Return the unit of an experiment in a study."""
    return study / EXPERIMENTS / check_id(experiment)


def packed_path(unit: Place) -> Place:
    """Return the one file that holds a packed unit."""
    return unit if unit.suffix == PACKED else unit.with_name(unit.name + PACKED)


def in_study(unit: Place) -> bool:
    """Tell by its path whether a unit belongs to a study."""
    name = unit.name.removesuffix(PACKED)
    return unit.parent.name in (EXPERIMENTS, INDEX) and _ID.fullmatch(name) is not None


def data_prefix(unit: Place) -> str:
    """Return where the Zarr group of a unit begins: inside it in a study, else the unit itself."""
    return f"{DATA}/" if in_study(unit) else ""


def staging_folder(unit: Local) -> Local:
    """Return a fresh place on the same file system where ``unit`` is written first."""
    name = f"{unit.name}-{uuid.uuid4().hex}"
    if in_study(unit):
        return unit.parent.parent / STAGING / name
    return unit.parent / f"{STAGING}-{name}"


def is_staged(name: str, unit: str | None = None) -> bool:
    """Tell whether a name is that of a staging folder: in a study, or next to a single unit."""
    if unit is None:
        return _STAGED.fullmatch(name) is not None
    start, _, suffix = name.rpartition("-")
    return start == f"{STAGING}-{unit}" and is_id(suffix)


def checkpoint_folder(unit: Place) -> Local:
    """Return where the checkpoints of an experiment lie until ``unit`` is published.

    Those of an object store lie in the cache of this machine.
    """
    if isinstance(unit, Remote):
        cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        name = hashlib.blake2b(str(unit).encode(), digest_size=16).hexdigest()
        return Local((cache / "apexr").absolute()) / CHECKPOINTS / name
    if in_study(unit):
        return unit.parent.parent / CHECKPOINTS / unit.name
    return unit.parent / f".{CHECKPOINTS}-{unit.name}"


def is_study(path: PathLike) -> bool:
    """Tell whether a folder is a study."""
    return (place(path) / STUDY).is_file()


def is_published(unit: PathLike) -> bool:
    """Tell whether a unit is complete: its manifest came into sight with all the rest."""
    where = place(unit)
    return (where / MANIFEST).is_file() or packed_path(where).is_file()


def kind_of(unit: PathLike) -> UnitKind:
    """Return what a published unit holds, by its manifest; an experiment where it is damaged."""
    manifest = place(unit) / MANIFEST
    if not manifest.is_file():
        return "experiment"  # only experiments are packed
    try:
        told = _FORMAT.search(manifest.read_bytes())
    except OSError:
        return "experiment"
    name = told[1].decode() if told else ""
    return next((kind for kind, known in FORMATS.items() if known == name), "experiment")


def archive_instead(place: Place) -> str:
    """Return, for an error, where the study of a published folder lies; empty if it is none."""
    try:
        if (place / ARCHIVED).is_file() and is_study(place / ARCHIVE_STUDY):
            return f"; it is a published folder, whose study is {place / ARCHIVE_STUDY}"
    except (OSError, StoreError):
        pass
    return ""


def found_instead(place: Place) -> str:
    """Return, for an error, the thing that lies where a store was expected; empty if unknown."""
    if archive := archive_instead(place):
        return archive
    try:
        if isinstance(place, Local) and not place.is_there():
            return "; nothing is there"
        if place.is_file():
            return "; it is a file"
        if is_study(place):
            return "; it is a study"
        return "; it is a single result or other data" if is_published(place) else ""
    except (OSError, StoreError):
        return ""


def check_writable(path: PathLike, kind: UnitKind | Literal["study"] = "experiment") -> None:
    """Check, before any work, that a store of this kind can be written at ``path``.

    One of this kind that is there already is fine.

    Raises
    ------
    StoreError
        If the path holds something else, or cannot be created or written.
    """
    target = place(path)
    if isinstance(target, Remote):
        _check_objects(target, kind)
        return
    _check_content(target, kind)
    if not is_published(target):
        _check_access(target)


def _check_objects(target: Remote, kind: str) -> None:
    held = (word for word, test in _HOLDS.items() if word != "nothing" and test(target))
    _check_kind(target, kind, next(held, "nothing"))
    if kind == "trajectories":
        raise StoreError(f"{target}: trajectories are stored on this machine alone, not at a URL")
    if not in_study(target):  # a study has been written to already
        probe = target / f".{STUDY}-probe"
        probe.write_bytes(b"")
        probe.unlink(missing_ok=True)


def _check_content(target: Local, kind: str) -> None:
    if not target.is_there():
        return
    found = "a file"
    if target.is_dir():
        found = next((word for word, test in _HOLDS.items() if test(target)), "something else")
    _check_kind(target, kind, found)


def _check_kind(target: Place, kind: str, found: str) -> None:
    if found not in (kind, "nothing"):
        raise StoreError(
            f"{target}: expected an apexr {kind} or nothing, found {found}; name another path"
        )


def _check_access(target: Local) -> None:
    holder = target if is_study(target) else target.parent
    while not holder.is_there():
        holder = holder.parent
    if not holder.is_dir():
        raise StoreError(f"{target}: cannot be created, because {holder} is a file")
    if not os.access(holder, os.W_OK | os.X_OK):
        raise StoreError(f"{target}: cannot be created, no permission to write in {holder}")


def _is_empty(folder: Place) -> bool:
    """Tell whether nothing is there but what a writer that died has left of a marker."""
    return all(path.name.startswith(f".{STUDY}-") for path in folder.iterdir())


_HOLDS: Mapping[str, Callable[[Any], bool]] = {
    "nothing": _is_empty,  # first: what another process makes of it meanwhile is found by the rest
    "experiment": lambda folder: is_published(folder) and kind_of(folder) == "experiment",
    "trajectories": lambda folder: is_published(folder) and kind_of(folder) == "trajectories",
    "study": is_study,
}
