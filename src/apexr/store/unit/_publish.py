"""Publishing: an experiment comes into sight whole, by one rename, or not at all.

In an object store nothing is renamed or locked, and the manifest comes last. The files of a unit
lie in a folder that is named by their digest, so that writers of different results do not mix
them and writers of equal ones do no harm. A unit is there as soon as its manifest is. The
manifest is written in one step and, where the object store can do it, only if there is none: the
first writer wins. Objects that a dead writer has uploaded are in nobody's way; the group that
other readers see says which folder counts. On this machine, what writers that died have left is
found by their free locks.
"""

import io
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, cast

import numpy as np
import xarray as xr

from apexr._files import _disk
from apexr._files._durable import (
    abandoned,
    canonical_json,
    digest,
    exchange,
    json_bytes,
    make_folder,
    move_in,
    one_at_a_time,
    packed_into,
    parse_json,
    read_json,
    scratch,
    write_files,
    write_json,
    write_packed,
)
from apexr._files._layout import (
    DATA,
    FORMATS,
    MANIFEST,
    METADATA,
    STAGING,
    STUDY,
    STUDY_FORMAT,
    check_writable,
    data_prefix,
    in_study,
    is_published,
    is_staged,
    is_study,
    packed_path,
    staging_folder,
)
from apexr._files._local import Local
from apexr._files._place import Address, PathLike, Place, address, entries, place
from apexr._files._remote import Remote
from apexr.errors import StoreError
from apexr.schema import SCHEMA_VERSION, validate
from apexr.store.runs._notes import Notes
from apexr.store.unit._encode import encoded
from apexr.store.unit._hierarchy import group, keep_groups, unit_group
from apexr.store.unit._manifest import (
    check_version,
    contents,
    entries_of,
    make_manifest,
    read_manifest,
    result_labels,
    sealed,
)

# --- what killed writers left --------------------------------------------------------------------


def sweep_study(study: Place) -> int:
    """Remove the abandoned staging folders of a study; return how many there were."""
    if isinstance(study, Remote):  # nothing tells who died
        return 0
    return _sweep(one for one in _entries(study / STAGING) if is_staged(one.name))


def sweep_unit(unit: Local) -> int:
    """Remove files that killed writers left next to a single unit; return how many there were."""
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


# --- object stores -------------------------------------------------------------------------------

PREFIX = "data-"
_DIGITS = 16


def addressed(files: Mapping[str, bytes], unit: Remote) -> dict[str, bytes]:
    """Return the files of a unit in a folder named by their digest, and the manifest of that."""
    manifest = parse_json(str(unit), files[MANIFEST])
    before = manifest.get("data", data_prefix(unit))
    inner = contents(unit, manifest)
    name = digest(canonical_json(inner).encode())[:_DIGITS]
    prefix = f"{PREFIX}{name}.{DATA.rpartition('.')[2]}/"
    moved: dict[str, Any] = {prefix + name: entry for name, entry in inner.items()}
    made = sealed({**manifest, "data": prefix, "files": moved})
    data = {prefix + name: files[before + name] for name in inner}
    return {**data, MANIFEST: json_bytes(made)}


def upload(files: Mapping[str, bytes], unit: Remote, overwrite: bool) -> bool:
    """Upload what :func:`addressed` has returned; tell whether that brought the unit into sight.

    It does not where a manifest is there and ``overwrite`` is false.
    """
    _disk.upload(unit, {name: data for name, data in files.items() if name != MANIFEST})
    try:
        _disk.put(unit / MANIFEST, files[MANIFEST], new=not overwrite)
    except FileExistsError:
        return False
    if overwrite:  # the objects go before it from now on
        _disk.unlink(packed_path(unit))
    return True


def upload_packed(files: Mapping[str, bytes], unit: Remote, overwrite: bool) -> bool:
    """Upload a unit as one object; tell whether that brought it into sight.

    It does not where one is there and ``overwrite`` is false.
    """
    held = io.BytesIO()
    packed_into(held, files, files.__getitem__)
    packed = packed_path(unit)
    try:
        _disk.put(cast(Remote, packed), held.getvalue(), new=not overwrite)
    except FileExistsError:
        return False
    if overwrite and packed != unit and (unit / MANIFEST).is_file():
        _disk.unlink(unit / MANIFEST)  # it has gone before the packed one until now
        _disk.remove(unit)
    return True


def describe(files: Mapping[str, bytes], unit: Remote) -> None:
    """Write the metadata of the group that an experiment of a study is to other readers.

    It lists what is in it, so that nobody takes what a writer that died has left for a result.
    """
    manifest = parse_json(str(unit), files[MANIFEST])
    if not in_study(unit) or manifest["format"] != FORMATS["experiment"]:
        return
    prefix = manifest["data"]
    root = parse_json(str(unit), files[f"{prefix}{METADATA}"])
    held = root.get("consolidated_metadata", {}).get("metadata", {})
    node = {key: value for key, value in root.items() if key != "consolidated_metadata"}
    members = {prefix[:-1]: node, **{f"{prefix}{name}": one for name, one in held.items()}}
    told = unit_group(manifest, unit.name)["attributes"]
    _disk.put(unit / METADATA, json_bytes(group(told, members)))


# --- publishing ----------------------------------------------------------------------------------


class ConflictError(StoreError):
    """Another result is published at this place already."""


def create_study(path: PathLike) -> None:
    """Make an empty study; where one exists, sweep what writers that died have left there.

    Raises
    ------
    StoreError
        If the path holds something else or cannot be written.
    """
    study = place(path)
    check_writable(study, "study")
    if is_study(study):
        check_version(study / STUDY, read_json(study / STUDY), STUDY_FORMAT)
        sweep_study(study)
    else:
        write_marker(study)
    keep_groups(study)


def write_marker(study: Place) -> None:
    """Write the file that marks a folder as a study."""
    write_json(study / STUDY, {"format": STUDY_FORMAT, "schema_version": SCHEMA_VERSION})


def publish_experiment(
    ds: xr.Dataset,
    weights: Mapping[str, np.ndarray],
    unit_path: PathLike,
    overwrite: bool = False,
    *,
    compact: bool = False,
    packed: bool = False,
) -> Address:
    """Write a result and the weights of its networks, durably; return the unit's path.

    Everything is written aside, synced to disk and renamed into place. Where an equal result is
    published already, that is success.

    Parameters
    ----------
    ds
        A result that fits the schema.
    weights
        Plain arrays by name; ``/`` in a name makes a group.
    unit_path
        The folder of a single experiment, or ``unit_path(study, id)`` in a study.
    overwrite
        Whether to replace a different result.
    compact
        Whether fields and errors of samples take a codec that is no part of the Zarr
        specification, and a third less space.
    packed
        Whether the unit is one file from the start, as :func:`pack` makes it, instead of a folder.

    Raises
    ------
    SchemaError
        If the Dataset does not fit the schema.
    ConflictError
        If another result is published there and ``overwrite`` is false.
    StoreError
        If the path holds something else or cannot be written.
    """
    unit = place(unit_path)
    validate(ds)
    check_writable(unit)
    try:
        _publish(ds.compute(), weights, unit, overwrite, compact, packed)
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{unit}: not published, {error}") from error
    return address(unit)


def _publish(
    ds: xr.Dataset,
    weights: Mapping[str, np.ndarray],
    unit: Place,
    overwrite: bool,
    compact: bool,
    packed: bool,
) -> None:
    prefix = data_prefix(unit)
    stored = encoded(ds, weights, dense=compact)
    files = {f"{prefix}{name}": data for name, data in stored.items()}
    labels = result_labels(ds)
    if in_study(unit):
        labels = {"unit": unit.name, **labels}
        files[METADATA] = json_bytes(unit_group(labels, unit.name))
    manifest = make_manifest(labels, entries_of(files))
    publish_files({**files, MANIFEST: json_bytes(manifest)}, unit, overwrite, packed=packed)
    if in_study(unit):
        Notes(unit.parent.parent).forget_failure(unit.name)


def publish_files(
    files: Mapping[str, bytes], unit: Place, overwrite: bool = False, *, packed: bool = False
) -> None:
    """Write the files of a unit aside, its manifest among them, and bring them into sight.

    Parameters
    ----------
    files
        The content of the unit, by name.
    unit
        The unit.
    overwrite
        Whether to replace a different result, in whichever form that is.
    packed
        Whether they become one file.
    """
    if isinstance(unit, Remote):
        _publish_objects(files, unit, overwrite, packed)
        return
    if not in_study(unit):
        sweep_unit(unit)
    with scratch(staging_folder(unit)) as folder:
        ready = folder
        if packed:
            ready = folder / packed_path(unit).name
            write_packed(ready, files)
        else:
            write_files(folder, files)
        make_folder(unit.parent)
        with one_at_a_time(folder.parent):  # a unit has two names, that of a folder and of a file
            if overwrite:
                _replace(ready, unit, folder)
            elif is_published(unit) or not move_in(ready, _named(unit, packed)):
                _check_equal(parse_json(str(unit), files[MANIFEST]), unit)


def _named(unit: Local, packed: bool) -> Local:
    """Return the name of a unit in one of its two forms."""
    return cast(Local, packed_path(unit)) if packed else unit


def _replace(ready: Local, unit: Local, folder: Local) -> None:
    """Bring a result into the place of the one that is there, of either form."""
    if ready == folder:
        if not move_in(folder, unit):
            exchange(folder, unit)
        packed = _named(unit, True)
        if packed != unit and packed.is_file():  # the folder goes before it from now on
            _disk.unlink(packed)
        return
    _disk.rename(ready, _named(unit, True))
    _disk.sync(unit.parent)
    if (unit / MANIFEST).is_file():  # it has gone before the file until now
        _disk.rename(unit, folder / unit.name)
        _disk.sync(unit.parent)


def _publish_objects(
    files: Mapping[str, bytes], unit: Remote, overwrite: bool, packed: bool
) -> None:
    if packed:
        if (not overwrite and is_published(unit)) or not upload_packed(files, unit, overwrite):
            _check_equal(parse_json(str(unit), files[MANIFEST]), unit)
        return
    made = addressed(files, unit)
    if (not overwrite and is_published(unit)) or not upload(made, unit, overwrite):
        _check_equal(parse_json(str(unit), made[MANIFEST]), unit)
    if (unit / MANIFEST).is_file() and (overwrite or not (unit / METADATA).is_file()):
        describe(made, unit)


def _check_equal(made: Mapping[str, Any], unit: Place) -> None:
    """Refuse a result that differs from the one that is published."""
    if not is_published(unit):
        raise StoreError(f"{unit}: holds something else, not an apexr experiment")
    old, new = (contents(unit, manifest) for manifest in (read_manifest(unit), made))
    if old != new:
        names = [name for name in {*old, *new} if old.get(name) != new.get(name)]
        raise ConflictError(
            f"{unit}: another result is published here ({len(names)} files differ, such as "
            f"{min(names)}); use overwrite=True or another path"
        )
