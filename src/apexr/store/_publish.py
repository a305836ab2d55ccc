"""Publishing: an experiment comes into sight whole, by one rename, or not at all."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import xarray as xr

from apexr.errors import StoreError
from apexr.schema import SCHEMA_VERSION, validate
from apexr.store import _disk
from apexr.store._encode import encoded
from apexr.store._failures import forget_failure
from apexr.store._files import (
    exchange,
    json_bytes,
    make_folder,
    move_in,
    parse_json,
    read_json,
    scratch,
    write_files,
    write_json,
    write_packed,
)
from apexr.store._hierarchy import keep_groups, unit_group
from apexr.store._layout import (
    MANIFEST,
    METADATA,
    STUDY,
    STUDY_FORMAT,
    check_writable,
    data_prefix,
    in_study,
    is_published,
    is_study,
    packed_path,
    staging_folder,
)
from apexr.store._local import Local
from apexr.store._locks import one_at_a_time
from apexr.store._manifest import (
    check_version,
    contents,
    entries_of,
    make_manifest,
    read_manifest,
    result_labels,
)
from apexr.store._objects import addressed, describe, upload, upload_packed
from apexr.store._place import Address, PathLike, Place, address, place
from apexr.store._remote import Remote
from apexr.store._staging import sweep_study, sweep_unit


class ConflictError(StoreError):
    """Another result is published at this place already."""


def create_study(path: PathLike) -> None:
    """Make an empty study; where one exists, sweep what writers that died have left there.

    Raises
    ------
    StoreError
        If the path holds something else or cannot be written.
    """
    check_writable(path, "study")
    study = place(path)
    if is_study(path):
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
        forget_failure(unit.parent.parent, unit.name)


def publish_files(
    files: Mapping[str, bytes], path: PathLike, overwrite: bool = False, *, packed: bool = False
) -> None:
    """Write the files of a unit aside, its manifest among them, and bring them into sight.

    Parameters
    ----------
    files
        What the unit holds, by name.
    path
        The unit.
    overwrite
        Whether to replace a different result, in whichever form that is.
    packed
        Whether they become one file.
    """
    unit = place(path)
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
