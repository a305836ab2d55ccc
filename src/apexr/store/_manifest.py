"""The manifest of a unit: what it holds, byte for byte, and what it is, without opening it.

``manifest.json`` lists size and digest of every other file of the unit and carries its own
digest. It also repeats the labels of the experiment, so that thousands of experiments are listed
from small JSON files alone.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from apexr.errors import StoreError
from apexr.schema import CONFIG_COORDS, SCHEMA_VERSION, diverged_seeds
from apexr.store._files import canonical_json, digest, files_in, read_json
from apexr.store._layout import MANIFEST, TRAJECTORIES_FORMAT, PathLike, UnitKind, kind_of

FORMATS = {"experiment": "apexr-experiment", "trajectories": TRAJECTORIES_FORMAT}
"""What a manifest calls each kind of unit."""


def make_manifest(
    labels: Mapping[str, Any], folder: Path, kind: UnitKind = "experiment"
) -> dict[str, Any]:
    """Return the manifest of the files below ``folder``; ``labels`` say what they hold."""
    manifest = {
        "format": FORMATS[kind],
        "schema_version": SCHEMA_VERSION,
        **labels,
        "files": {
            path.relative_to(folder).as_posix(): {
                "size": path.stat().st_size,
                "blake2b": digest(path),
            }
            for path in files_in(folder)
        },
    }
    return {**manifest, "digest": _own_digest(manifest)}


def read_manifest(unit: PathLike, kind: UnitKind = "experiment") -> dict[str, Any]:
    """Return the manifest of a published unit of this kind.

    Raises
    ------
    StoreError
        If there is none, if it is damaged, or if its schema is newer than this apexr.
    """
    path = Path(unit) / MANIFEST
    if not path.is_file():
        raise StoreError(f"{unit}: not a finished apexr {kind} store (no {MANIFEST})")
    manifest = read_json(path)
    check_version(path, manifest, FORMATS[kind])
    if manifest.get("digest") != _own_digest(manifest):
        raise StoreError(f"{path}: damaged, its digest does not fit")
    return manifest


def check_version(path: Path, data: dict[str, Any], expected: str) -> None:
    """Check format and schema version of a JSON file of the store."""
    if data.get("format") != expected:
        raise StoreError(f"{path}: expected format {expected!r}, got {data.get('format')!r}")
    version = data.get("schema_version")
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise StoreError(
            f"{path}: written with schema version {version}, this apexr reads up to "
            f"{SCHEMA_VERSION}; install a newer apexr"
        )


def check_sizes(unit: PathLike, kind: UnitKind = "experiment") -> dict[str, Any]:
    """Return the manifest after checking names and sizes of all files of the unit.

    Raises
    ------
    StoreError
        Naming every file that is missing, of another size, or not listed.
    """
    manifest = read_manifest(unit, kind)
    _refuse(Path(unit), _size_problems(Path(unit), manifest))
    return manifest


def verify(unit: PathLike) -> None:
    """Check every byte of a unit against its manifest.

    Raises
    ------
    StoreError
        Naming every file that is damaged.
    """
    folder = Path(unit)
    manifest = check_sizes(folder, kind_of(folder))
    _refuse(
        folder,
        (
            f"{name}: content changed"
            for name, entry in manifest["files"].items()
            if digest(folder / name) != entry["blake2b"]
        ),
    )


def _refuse(unit: Path, problems: Iterator[str]) -> None:
    found = list(problems)
    if found:
        raise StoreError(f"{unit}: damaged\n  " + "\n  ".join(found))


def _size_problems(unit: Path, manifest: dict[str, Any]) -> Iterator[str]:
    present = {
        path.relative_to(unit).as_posix(): path.stat().st_size
        for path in files_in(unit)
        if not path.name.startswith(".") and path != unit / MANIFEST
    }
    for name, entry in manifest["files"].items():
        size = present.pop(name, None)
        if size is None:
            yield f"{name}: missing"
        elif size != entry["size"]:
            yield f"{name}: {size} bytes, expected {entry['size']}"
    yield from (f"{name}: not in the manifest" for name in present)


def _own_digest(manifest: dict[str, Any]) -> str:
    content = {key: value for key, value in manifest.items() if key != "digest"}
    return hashlib.blake2b(canonical_json(content).encode(), digest_size=32).hexdigest()


def result_labels(ds: xr.Dataset) -> dict[str, Any]:
    """Return what a manifest says of a result."""
    config = {name: str(ds[name].item()) for name in CONFIG_COORDS if name in ds.coords}
    labels: dict[str, Any] = {"config": config, "attrs": ds.attrs}
    labels["sizes"] = {str(dim): int(size) for dim, size in ds.sizes.items()}
    labels["seeds"] = ds["seed"].values.tolist() if "seed" in ds.coords else []
    if "seed" in ds.dims:
        labels["num_diverged"] = int(np.count_nonzero(diverged_seeds(ds)))
    return labels
