"""Publishing to an object store, where nothing is renamed or locked: the manifest comes last.

The files of a unit lie in a folder that is named by their digest, so that writers of different
results do not mix them and writers of equal ones do no harm. A unit is there as soon as its
manifest is. The manifest is written in one step and, where the object store can do it, only if
there is none: the first writer wins. What a writer that died has uploaded is in the way of nobody.
"""

from collections.abc import Mapping
from typing import Any

from apexr.store import _disk
from apexr.store._files import canonical_json, digest, json_bytes, parse_json
from apexr.store._layout import DATA, MANIFEST, data_prefix
from apexr.store._manifest import sealed
from apexr.store._remote import Remote

PREFIX = "data-"
_DIGITS = 16


def addressed(files: Mapping[str, bytes], unit: Remote) -> dict[str, bytes]:
    """Return the files of a unit in a folder named by their digest, and the manifest of that."""
    manifest = parse_json(str(unit), files[MANIFEST])
    before = manifest.get("data", data_prefix(unit))
    inner = {name.removeprefix(before): entry for name, entry in manifest["files"].items()}
    name = digest(canonical_json(inner).encode())[:_DIGITS]
    prefix = f"{PREFIX}{name}.{DATA.rpartition('.')[2]}/"
    moved: dict[str, Any] = {prefix + name: entry for name, entry in inner.items()}
    made = sealed({**manifest, "data": prefix, "files": moved})
    data = {prefix + name: files[before + name] for name in inner}
    return {**data, MANIFEST: json_bytes(made)}


def upload(files: Mapping[str, bytes], unit: Remote, overwrite: bool) -> bool:
    """Upload the files of a unit, its manifest last; tell whether that brought it into sight.

    It does not where a manifest is there and ``overwrite`` is false.
    """
    made = addressed(files, unit)
    manifest = made.pop(MANIFEST)
    _disk.upload(unit, made)
    try:
        _disk.put(unit / MANIFEST, manifest, new=not overwrite)
    except FileExistsError:
        return False
    return True
