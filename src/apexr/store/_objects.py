"""Publishing to an object store, where nothing is renamed or locked: the manifest comes last.

The files of a unit lie in a folder that is named by their digest, so that writers of different
results do not mix them and writers of equal ones do no harm. A unit is there as soon as its
manifest is. The manifest is written in one step and, where the object store can do it, only if
there is none: the first writer wins. What a writer that died has uploaded is in the way of nobody;
the group that other readers see says which folder counts.
"""

import io
from collections.abc import Mapping
from typing import Any, cast

from apexr.store import _disk
from apexr.store._files import canonical_json, digest, json_bytes, parse_json
from apexr.store._hierarchy import group, unit_group
from apexr.store._layout import (
    DATA,
    FORMATS,
    MANIFEST,
    METADATA,
    data_prefix,
    in_study,
    packed_path,
)
from apexr.store._manifest import contents, sealed
from apexr.store._remote import Remote
from apexr.store._source import packed_into

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
