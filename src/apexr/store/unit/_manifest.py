"""The manifest of a unit: what it holds, byte for byte, and what it is, without opening it.

``manifest.json`` lists size and digest of every other file of the unit and carries its own
digest. It also repeats the labels of the experiment, so that thousands of experiments are listed
from small JSON files alone.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from apexr._digest import experiment_id
from apexr._files._durable import (
    Source,
    canonical_json,
    digest,
    digest_file,
    is_seeds,
    is_text,
    parse_json,
)
from apexr._files._layout import (
    FORMATS,
    MANIFEST,
    PACKED,
    UnitKind,
    data_prefix,
    found_instead,
    in_study,
    kind_of,
)
from apexr._files._local import Local
from apexr._files._place import PathLike, Place, place
from apexr._files._source import Objects, Packed, source_of
from apexr._memory import FILE_LIMIT
from apexr.errors import StoreError
from apexr.schema import CONFIG_COORDS, SCHEMA_VERSION, diverged_seeds

Entry = dict[str, Any]

_DATA = re.compile(r"|data-[0-9a-f]{16}\.zarr/")
"""Where the Zarr group of a unit may begin that does not lie where others do."""
_LONGEST_NAME = 1024
_DEEPEST = 4


def make_manifest(
    labels: Mapping[str, Any], entries: Mapping[str, Entry], kind: UnitKind = "experiment"
) -> dict[str, Any]:
    """Return the manifest of some files; ``labels`` say what they hold."""
    manifest = {
        "format": FORMATS[kind],
        "schema_version": SCHEMA_VERSION,
        **labels,
        "files": dict(entries),
    }
    return sealed(manifest)


def sealed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest with its own digest."""
    return {**manifest, "digest": _own_digest(manifest)}


@dataclass(frozen=True)
class Unit:
    """A unit that is open: what is asked of it rests on a manifest that was checked once.

    Attributes
    ----------
    place
        Where it lies.
    source
        Its files, wherever they come from.
    manifest
        Its files.
    """

    place: Place
    source: Source
    manifest: dict[str, Any]

    @classmethod
    def open(cls, path: PathLike, kind: UnitKind = "experiment") -> "Unit":
        """Return a published unit of this kind.

        Raises
        ------
        StoreError
            If there is none, if its manifest is damaged, or if its schema is newer than this apexr.
        """
        target = place(path)
        source = source_of(target)
        return cls(target, source, _read_manifest(target, source, kind))

    @property
    def name(self) -> str:
        """Its name among other units."""
        return self.place.name

    @property
    def prefix(self) -> str:
        """Where its Zarr group begins."""
        return prefix_of(self.place, self.manifest)

    def check_sizes(self) -> "Unit":
        """Check names and sizes of all its files; return the unit.

        Raises
        ------
        StoreError
            Naming every file that is missing, of another size, or not listed.
        """
        _refuse(self.source, _size_problems(self.source, self.manifest))
        return self

    def verify(self) -> "Unit":
        """Check every byte; return the unit.

        Raises
        ------
        StoreError
            Naming every file that is damaged.
        """
        self.check_sizes()
        _refuse(self.source, _content_problems(self.source, self.manifest))
        return self


def prefix_of(unit: Place, manifest: Mapping[str, Any]) -> str:
    """Return where the Zarr group of a unit begins; object stores have a folder of their own."""
    return str(manifest.get("data", data_prefix(unit)))


def contents(unit: Place, manifest: Mapping[str, Any]) -> dict[str, Entry]:
    """Return size and digest of what a unit holds, by name in its Zarr group."""
    prefix = prefix_of(unit, manifest)
    return {
        name.removeprefix(prefix): entry
        for name, entry in manifest["files"].items()
        if name.startswith(prefix)
    }


def entries_of(files: Mapping[str, bytes]) -> dict[str, Entry]:
    """Return size and digest of files that are in memory."""
    return {
        name: {"size": len(data), "blake2b": digest(data)} for name, data in sorted(files.items())
    }


def entries_below(folder: Local) -> dict[str, Entry]:
    """Return size and digest of the files below a folder."""
    return {
        name: {"size": size, "blake2b": digest_file(folder / name)}
        for name, size in folder.sizes().items()
    }


def read_manifest(unit: PathLike, kind: UnitKind = "experiment") -> dict[str, Any]:
    """Return the manifest of a published unit of this kind.

    Raises
    ------
    StoreError
        If there is none, if it is damaged, or if its schema is newer than this apexr.
    """
    return Unit.open(unit, kind).manifest


def _read_manifest(unit: Place, source: Source, kind: UnitKind) -> dict[str, Any]:
    path = f"{source.where}/{MANIFEST}"
    try:
        content = source.read(MANIFEST)
    except (FileNotFoundError, NotADirectoryError):
        message = f"{unit}: not a finished apexr {kind} store (no {MANIFEST})"
        raise StoreError(f"{message}{found_instead(unit)}") from None
    except OSError as error:
        raise StoreError(f"{path}: not readable ({error})") from error
    manifest = parse_json(path, content)
    check_version(path, manifest, FORMATS[kind])
    _check_form(path, manifest)
    _check_labels(path, manifest, kind)
    if kind == "experiment":
        _check_name(unit, manifest)
    return manifest


def _check_name(unit: Place, manifest: Mapping[str, Any]) -> None:
    """Check that a unit of a study lies under the name under which it was published.

    Manifests of older releases do not say it; but results carry the id by which they are named.
    """
    name = unit.name.removesuffix(PACKED)
    told = manifest.get("unit", manifest["attrs"].get("experiment_id", name))
    if in_study(unit) and told != name:
        raise StoreError(f"{unit}: damaged, it holds {told!r} under another name")


def _check_labels(path: str, manifest: Mapping[str, Any], kind: UnitKind) -> None:
    """Check that the labels of a unit have the form in which they are written."""
    for key, test in _LABELS[kind].items():
        if key not in manifest or not test(manifest[key]):
            raise StoreError(f"{path}: damaged, what it says of {key!r} has another form")
    if type(manifest.get("num_diverged", 0)) is not int:
        raise StoreError(f"{path}: damaged, 'num_diverged' is no number")
    if not _DATA.fullmatch(str(manifest.get("data", ""))):
        raise StoreError(f"{path}: damaged, its data lie in {manifest['data']!r}")


def _is_config(held: object) -> bool:
    return isinstance(held, dict) and held.keys() <= {*CONFIG_COORDS} and _is_texts(held)


def _is_attrs(held: object) -> bool:
    return isinstance(held, dict) and all(map(_is_plain_value, held.values()))


def _is_texts(held: object) -> bool:
    return isinstance(held, dict) and all(map(is_text, held.values()))


def _is_sizes(held: object) -> bool:
    return isinstance(held, dict) and all(type(n) is int and n >= 0 for n in held.values())


def _is_plain_value(value: object, depth: int = 0) -> bool:
    """Tell whether a value is text, a number, or lists of such, not too deep within another."""
    if isinstance(value, list) and depth < _DEEPEST:
        return all(_is_plain_value(one, depth + 1) for one in value)
    if isinstance(value, dict) and depth < _DEEPEST:
        return all(_is_plain_value(one, depth + 1) for one in value.values())
    return value is None or isinstance(value, str | int | float)


_LABELS: Mapping[UnitKind, Mapping[str, Callable[[Any], bool]]] = {
    "experiment": {
        "config": _is_config,
        "attrs": _is_attrs,
        "sizes": _is_sizes,
        "seeds": is_seeds,
    },
    "trajectories": {"name": is_text, "attrs": _is_attrs},
    "index": {"units": _is_texts},
}
"""The fields of a manifest for each kind of unit, and how to tell that they have the right form."""


def _check_form(path: str, manifest: dict[str, Any]) -> None:
    """Check that a manifest is whole and that it lists plain files below its unit."""
    try:
        fits = manifest.get("digest") == _own_digest(manifest)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path}: damaged ({error})") from error
    if not fits:
        raise StoreError(f"{path}: damaged, its digest does not fit")
    files = manifest.get("files")
    listed = files.items() if isinstance(files, dict) else [("files", files)]
    wrong = [name for name, entry in listed if not (_is_plain(name) and _is_entry(entry))]
    if wrong:
        raise StoreError(f"{path}: refused, it lists {wrong[0]!r}")


def _is_plain(name: str) -> bool:
    plain = not any(part in ("", ".", "..") for part in name.split("/"))
    return plain and "\0" not in name and len(name) <= _LONGEST_NAME


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and type(entry.get("size")) is int
        and 0 <= entry["size"] <= FILE_LIMIT
        and isinstance(entry.get("blake2b"), str)
    )


def check_version(path: Place | str, data: dict[str, Any], expected: str) -> None:
    """Check format and schema version of a JSON file of the store."""
    if data.get("format") != expected:
        raise StoreError(f"{path}: expected format {expected!r}, got {data.get('format')!r}")
    version = data.get("schema_version")
    if type(version) is not int or not 0 < version <= SCHEMA_VERSION:
        raise StoreError(
            f"{path}: written with schema version {version}, this apexr reads up to "
            f"{SCHEMA_VERSION}; install a newer apexr"
        )


def verify_unit(unit: Place) -> None:
    """Check every byte of a unit, of whichever kind, against its manifest.

    Raises
    ------
    StoreError
        Naming every file that is damaged.
    """
    Unit.open(unit, kind_of(unit)).verify()


def _refuse(source: Source, problems: Iterator[str]) -> None:
    found = list(problems)
    if found:
        raise StoreError(f"{source.where}: damaged\n  " + "\n  ".join(found))


def _size_problems(source: Source, manifest: dict[str, Any]) -> Iterator[str]:
    present = source.sizes()
    present.pop(MANIFEST, None)
    for name, entry in manifest["files"].items():
        size = present.pop(name, None)
        if size is None:
            yield f"{name}: missing"
        elif size != entry["size"]:
            yield f"{name}: {size} bytes, expected {entry['size']}"
    if not isinstance(source, Objects):  # where others may be writing, or have died
        yield from (f"{name}: not in the manifest" for name in present if not _is_hidden(name))


def _is_hidden(name: str) -> bool:
    return name.rpartition("/")[2].startswith(".")


def _content_problems(source: Source, manifest: dict[str, Any]) -> Iterator[str]:
    for name, entry in manifest["files"].items():
        try:
            data = source.read(name)
        except OSError as error:
            yield str(error)
            continue
        if digest(data) != entry["blake2b"]:
            yield f"{name}: content changed"
    if isinstance(source, Packed) and not source.is_as_packed():
        yield "the packed file: content changed"


def _own_digest(manifest: Mapping[str, Any]) -> str:
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


def experiment_of(attrs: Mapping[str, Any], unit: str = "") -> str:
    """Return the id of the experiment that a result is of, by its attributes.

    ``experiment_id`` among them counts the seeds; the specification gives the id without. A result
    that carries none is an experiment of its own, called like its unit.
    """
    try:
        specification = json.loads(attrs["specification"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return unit
    return experiment_id(specification) if isinstance(specification, dict) else unit
