"""The index of a large study: its small variables along ``experiment``, kept in a few segments.

Opening thousands of folders takes a minute, opening a few segments a moment. The index is derived
and never the truth: it says of which manifests it was made, whoever opens the study adds what has
come since, and it may be removed at any time. What is not small (fields, errors of each test
sample) is not in it; those variables are read from the experiments when they are computed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from apexr.errors import StoreError, warn
from apexr.schema import presence_name
from apexr.store import _disk
from apexr.store._along_seed import along_seed
from apexr.store._files import canonical_json, digest, json_bytes, make_folder
from apexr.store._join import (
    all_labels,
    concat,
    filled_up,
    grid_key,
    with_labels,
    without_complete,
    without_grid,
)
from apexr.store._layout import DATA, INDEX, LOCKS, MANIFEST, unit_path
from apexr.store._locks import hold
from apexr.store._manifest import check_sizes, entries_of, make_manifest, read_manifest
from apexr.store._parts import read_part
from apexr.store._publish import publish_files
from apexr.store._read import checked_store, lazy_dataset, open_plain, opened
from apexr.store._rows import Deferred, deferred_of, with_deferred
from apexr.store._source import source_of
from apexr.store._zarr import encoded

INDEX_FROM = 100
"""Studies of more experiments are opened by an index."""
NEW_FROM = 64
"""As many experiments that are in no segment are worth one."""
SEGMENT = 1000
"""Experiments of one segment."""

_SMALL_DIMS = frozenset({"seed", "update_step", "time"})
_GRID = "grid"
_DEFERRED = "deferred_variables"

Stamps = Mapping[str, str]
_UNITS = "units"
"""Coordinate of a segment: the units that hold the parts of each experiment."""


def open_indexed(study: Path, units: Sequence[Path]) -> xr.Dataset:
    """Return a study along ``experiment`` by its index, which is brought up to date if it can be.

    Raises
    ------
    StoreError
        If no experiment can be read.
    """
    stamps = _stamps(units)
    damaged = [unit.name for unit in units if unit.name not in stamps]
    index = _read_index(study, stamps)
    indexed = {name for segment in index.segments for name in segment.units}
    fresh = _parts_of([unit for unit in units if unit.name in stamps.keys() - indexed], damaged)
    index, new = _without_grown(index, fresh)
    if len(new) >= NEW_FROM:
        rows = _extend(study, index, new, stamps, damaged)
    else:
        rows = [*(one.rows for one in index.segments), *_rows_of(study, new, damaged)]
    if damaged:
        warn("left out, see apexr verify:\n" + "\n".join(damaged))
    if not rows:
        raise StoreError(f"{study}: no experiment is finished yet")
    return _joined(study, rows)


def _stamps(units: Sequence[Path]) -> dict[str, str]:
    """Return the digest of each manifest: what is indexed is that, or it is out of date."""
    stamps = {}
    for unit in units:
        try:
            stamps[unit.name] = digest(source_of(unit).read(MANIFEST))
        except (OSError, StoreError):
            continue
    return stamps


def _parts_of(units: Sequence[Path], damaged: list[str]) -> dict[str, list[str]]:
    """Return the names of units by the experiment that they are parts of."""
    found: dict[str, list[str]] = {}
    for unit in units:
        try:
            found.setdefault(read_part(unit).experiment, []).append(unit.name)
        except StoreError as error:
            damaged.append(str(error))
    return found


# --- segments --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Segment:
    """Rows of experiments, and whether they are all that is stored under one name."""

    rows: xr.Dataset
    path: Path | None = None

    @property
    def units(self) -> list[str]:
        """The units that the rows were made of."""
        return [name for names in self.rows[_UNITS].values for name in names.split()]

    @property
    def is_small(self) -> bool:
        """Whether it is joined with others when the index is extended."""
        return self.path is None or self.rows.sizes["experiment"] < SEGMENT // 2


@dataclass(frozen=True)
class _Index:
    """The segments that are up to date, and the paths of those that are not."""

    segments: list[_Segment]
    outdated: list[Path]


def _read_index(study: Path, stamps: Stamps) -> _Index:
    """Return the index; of segments that share a unit the larger one counts."""
    made_of = {path: _made_of(path) for path in _entries(study / INDEX)}
    segments, outdated, taken = [], [], set[str]()
    for path in sorted(made_of, key=lambda path: (-len(made_of[path]), path.name)):
        units = made_of[path]
        valid = units and units.items() <= stamps.items() and not units.keys() & taken
        segment = _read_segment(path) if valid else None
        if segment is None:
            outdated.append(path)
        else:
            segments.append(_Segment(segment, path))
            taken |= units.keys()
    return _Index(segments, outdated)


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _made_of(path: Path) -> dict[str, str]:
    """Return the units of a segment and the digests of their manifests, if it is whole."""
    try:
        return dict(check_sizes(path, "index")["units"])
    except (StoreError, LookupError, TypeError, ValueError):
        return {}


def _read_segment(path: Path) -> xr.Dataset | None:
    try:
        return lazy_dataset(opened(checked_store(path, read_manifest(path, "index"))))
    except StoreError:
        return None


def _without_grown(
    index: _Index, fresh: Mapping[str, list[str]]
) -> tuple[_Index, dict[str, list[str]]]:
    """Return the index without experiments that have got more parts, and all that is to be read.

    A segment that loses an experiment is outdated; what is left of it counts as small.
    """
    new = {name: list(units) for name, units in fresh.items()}
    segments, outdated = [], list(index.outdated)
    for segment in index.segments:
        names = segment.rows["experiment"].values.tolist()
        stays = np.array([name not in fresh for name in names])
        for name, units in zip(names, segment.rows[_UNITS].values, strict=True):
            if name in new:
                new[name] += units.split()
        if stays.all():
            segments.append(segment)
            continue
        outdated += [segment.path] if segment.path else []
        if stays.any():
            segments.append(_Segment(segment.rows.isel(experiment=np.flatnonzero(stays))))
    return _Index(segments, outdated), new


def _extend(
    study: Path, index: _Index, new: Mapping[str, list[str]], stamps: Stamps, damaged: list[str]
) -> list[xr.Dataset]:
    """Return all rows after adding new experiments, stored unless another process does so.

    Small segments are joined with the new experiments, so that there are never many. Those that
    are replaced stay until the next time, since others may be reading them.
    """
    small = [one.rows for one in index.segments if one.is_small]
    segments = [one.rows for one in index.segments if not one.is_small]
    names = list(new)
    for start in range(0, len(names), SEGMENT):
        chosen = {name: new[name] for name in names[start : start + SEGMENT]}
        rows = [*small, *_rows_of(study, chosen, damaged)]
        if rows:
            segments.append(_concat_segments(rows).load())
            _store(study, segments[-1], stamps, index.outdated)
        small = []
    return segments


def _store(study: Path, segment: xr.Dataset, stamps: Stamps, outdated: Sequence[Path]) -> None:
    """Store a segment and remove what is outdated; that a study is read only does no harm."""
    made_of = {name: stamps[name] for name in sorted(_Segment(segment).units)}
    files = {f"{DATA}/{name}": data for name, data in encoded(segment).items()}
    manifest = make_manifest({"units": made_of}, entries_of(files), "index")
    unit = study / INDEX / digest(canonical_json(made_of).encode())[:32]
    try:
        make_folder(study / LOCKS)
        with hold(study / LOCKS / "index", wait=False) as mine:
            if mine:
                for path in outdated:
                    _disk.remove(path)
                publish_files({**files, MANIFEST: json_bytes(manifest)}, unit, overwrite=True)
    except OSError:
        return


def _rows_of(study: Path, parts: Mapping[str, list[str]], damaged: list[str]) -> list[xr.Dataset]:
    """Return the small variables of experiments as one segment, or none if none can be read."""
    rows, units, deferred, grids = {}, [], dict[str, Deferred](), []
    for name, held in parts.items():
        readable = _readable(study, held, damaged)
        if not readable:
            continue
        ds = along_seed(list(readable.values()))
        large = [str(name) for name, array in ds.data_vars.items() if _is_large(array)]
        rows[name] = without_grid(ds.drop_vars(large)).load()
        units.append(" ".join(readable))
        deferred_of(ds[large], deferred)
        grids.append(json.dumps(grid_key(ds)))
    if not rows:
        return []
    coords = {_GRID: grids, _UNITS: units}
    told = json.dumps({name: entry.as_json() for name, entry in deferred.items()})
    return [
        filled_up(rows)
        .assign_coords(
            {name: ("experiment", np.array(values, object)) for name, values in coords.items()}
        )
        .assign_attrs({_DEFERRED: told})
    ]


def _readable(study: Path, units: Sequence[str], damaged: list[str]) -> dict[str, xr.Dataset]:
    """Return the parts of an experiment that can be read, by unit."""
    found = {}
    for name in sorted(units):
        try:
            found[name] = open_plain(unit_path(study, name))
        except StoreError as error:
            damaged.append(str(error))
    return found


def _is_large(array: xr.DataArray) -> bool:
    return not set(array.dims) <= _SMALL_DIMS


# --- joining ---------------------------------------------------------------------------------


def _concat_segments(segments: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return segments as one, in the order of the experiments' names."""
    deferred: dict[str, Deferred] = {}
    for segment in segments:
        for name, entry in json.loads(segment.attrs[_DEFERRED]).items():
            deferred[name] = Deferred.from_json(entry).merged(deferred.get(name))
    labels = all_labels(segments)
    wide = [_with_labels(segment, labels) for segment in segments]
    joined = concat(wide).transpose("experiment", ...) if len(wide) > 1 else wide[0]
    order = np.argsort(joined["experiment"].values.astype(str))
    if not np.array_equal(order, np.arange(order.size)):
        joined = joined.isel(experiment=order)
    told = json.dumps({name: entry.as_json() for name, entry in deferred.items()})
    return joined.assign_attrs({_DEFERRED: told})


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
    if name in segment.coords:
        return segment[name].reindex({dim: labels}, fill_value=False).values
    return np.zeros((segment.sizes["experiment"], len(labels)), bool)


def _joined(study: Path, segments: Sequence[xr.Dataset]) -> xr.Dataset:
    joined = _concat_segments(segments)
    told = json.loads(joined.attrs.pop(_DEFERRED))
    deferred = {name: Deferred.from_json(entry) for name, entry in told.items()}
    grids = set(joined[_GRID].values.tolist())
    lazy = {name: array.variable.chunk(experiment=SEGMENT) for name, array in joined.items()}
    rows = joined.drop_vars([_GRID, _UNITS]).assign(lazy)
    return without_complete(
        with_deferred(rows, study, joined[_UNITS].values, deferred, one_grid=len(grids) == 1)
    )
