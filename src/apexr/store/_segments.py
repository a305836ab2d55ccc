"""Segments of an index: the small variables of some experiments, stored as one unit."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from apexr.errors import StoreError
from apexr.schema import presence_name
from apexr.store import _disk
from apexr.store._encode import encoded
from apexr.store._files import canonical_json, digest, json_bytes, make_folder
from apexr.store._join import all_labels, concat, with_labels
from apexr.store._layout import DATA, INDEX, LOCKS, MANIFEST, ORDER, is_id
from apexr.store._locks import hold
from apexr.store._manifest import check_sizes, entries_of, make_manifest, read_manifest
from apexr.store._place import Place, entries
from apexr.store._publish import publish_files
from apexr.store._read import checked_store, lazy_dataset, opened
from apexr.store._remote import Remote
from apexr.store._rows import Deferred
from apexr.store._small import DEFERRED, UNITS

TEXT = "text"
"""Key of a segment's manifest: text along ``experiment``, by name its values and attributes."""

Stamps = Mapping[str, str]
"""The digest of each unit's manifest."""


@dataclass(frozen=True)
class Segment:
    """Rows of experiments, and whether they are all that is stored under one name."""

    rows: xr.Dataset
    path: Place | None = None

    @property
    def units(self) -> list[str]:
        """The units that the rows were made of."""
        return [name for names in self.rows[UNITS].values for name in names.split()]


@dataclass(frozen=True)
class Index:
    """The segments that are up to date, and the paths of those that are not."""

    segments: list[Segment]
    outdated: list[Place]


def read_index(study: Place, stamps: Stamps) -> Index:
    """Return the index; of segments that share a unit the larger one counts."""
    try:
        found = entries(study / INDEX)
    except StoreError:  # no folder: verify names it
        found = []
    made_of = {path: _made_of(path) for path in found}
    segments, outdated, taken = [], [], set[str]()
    for path in sorted(made_of, key=lambda path: (-len(made_of[path]), path.name)):
        units = made_of[path]
        valid = units and units.items() <= stamps.items() and not units.keys() & taken
        segment = _read_segment(path) if valid else None
        if segment is None:
            outdated.append(path)
        else:
            segments.append(Segment(segment, path))
            taken |= units.keys()
    return Index(segments, outdated)


def _made_of(path: Place) -> dict[str, str]:
    """Return the units of a segment and the digests of their manifests, if it is whole."""
    try:
        units = dict(check_sizes(path, "index")["units"])
    except (StoreError, LookupError, TypeError, ValueError):
        return {}
    return units if path.name == _name_of(units) else {}


def _name_of(made_of: Mapping[str, str]) -> str:
    """Return the name of a segment that is made of these units."""
    return digest(canonical_json(made_of).encode())[:32]


def _read_segment(path: Place) -> xr.Dataset | None:
    try:
        manifest = read_manifest(path, "index")
        segment = opened(checked_store(path, manifest))
        told = {name: _from_told(column) for name, column in manifest.get(TEXT, {}).items()}
    except (StoreError, LookupError, TypeError):
        return None
    segment.attrs.pop(ORDER, None)
    return lazy_dataset(segment).assign_coords(told)


def _text_of(segment: xr.Dataset) -> dict[str, xr.Variable]:
    """Return the text along ``experiment``: the manifest holds it, which is read at once."""
    coords = {str(name): coord.variable for name, coord in segment.coords.items()}
    return {
        name: coord
        for name, coord in coords.items()
        if coord.dims == ("experiment",) and coord.dtype.kind in "OU"
    }


def _told(column: xr.Variable) -> list[Any]:
    return [column.values.tolist(), column.attrs]


def _from_told(column: Sequence[Any]) -> xr.Variable:
    values, attrs = column
    return xr.Variable("experiment", np.array(values, dtype=object), attrs)


def store_segment(
    study: Place, segment: xr.Dataset, stamps: Stamps, outdated: Sequence[Place]
) -> None:
    """Store a segment and remove what is outdated, unless another process writes the index."""
    made_of = {name: stamps[name] for name in sorted(Segment(segment).units)}
    text = _text_of(segment)
    stored = encoded(segment.drop_vars(text))
    files = {f"{DATA}/{name}": data for name, data in stored.items()}
    labels = {"units": made_of, TEXT: {name: _told(column) for name, column in text.items()}}
    manifest = make_manifest(labels, entries_of(files), "index")
    unit = study / INDEX / _name_of(made_of)
    with _alone(study) as mine:
        if mine:
            for path in outdated:
                if is_id(path.name):
                    _disk.remove(path)
            publish_files({**files, MANIFEST: json_bytes(manifest)}, unit, overwrite=True)


@contextmanager
def _alone(study: Place) -> Iterator[bool]:
    """Yield whether no other process writes the index; in object stores that does no harm."""
    if isinstance(study, Remote):
        yield True
        return
    make_folder(study / LOCKS)
    with hold(study / LOCKS / "index", wait=False) as mine:
        yield mine


def concat_segments(segments: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return segments as one, in the order of the experiments' names."""
    deferred: dict[str, Deferred] = {}
    for segment in segments:
        for name, entry in json.loads(segment.attrs[DEFERRED]).items():
            deferred[name] = Deferred.from_json(entry).merged(deferred.get(name))
    labels = all_labels(segments)
    wide = [_with_labels(segment, labels) for segment in segments]
    joined = concat(wide).transpose("experiment", ...) if len(wide) > 1 else wide[0]
    order = np.argsort(joined["experiment"].values.astype(str))
    if not np.array_equal(order, np.arange(order.size)):
        joined = joined.isel(experiment=order)
    told = json.dumps({name: entry.as_json() for name, entry in deferred.items()})
    return joined.assign_attrs({DEFERRED: told})


def _with_labels(segment: xr.Dataset, labels: Mapping[str, np.ndarray]) -> xr.Dataset:
    presence = {
        presence_name(dim): (("experiment", dim), _presence(segment, dim, known))
        for dim, known in labels.items()
        if len(known)
    }
    bare = segment.drop_vars([name for name in presence if name in segment.coords])
    return with_labels(bare, labels).assign_coords(presence)


def _presence(segment: xr.Dataset, dim: str, labels: np.ndarray) -> np.ndarray:
    """Tell which labels each experiment of a segment has."""
    name = presence_name(dim)
    if name in segment.coords and np.array_equal(segment[dim].values, labels):
        return segment[name].values
    if name in segment.coords:
        return segment[name].reindex({dim: labels}, fill_value=False).values
    return np.zeros((segment.sizes["experiment"], len(labels)), bool)
