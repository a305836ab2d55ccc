"""The index of a large study: its small variables along ``experiment``, kept in a few segments.

Opening thousands of folders takes a minute, opening a few segments a moment. The index is derived
and never the truth: it says of which manifests it was made, whoever opens the study adds what has
come since, and it may be removed at any time. What is not small (fields, errors of each test
sample) is not in it; those variables are read from the experiments when they are computed.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from apexr.errors import StoreError, warn
from apexr.schema import presence_name
from apexr.store import _disk
from apexr.store._files import canonical_json, digest, json_bytes, make_folder
from apexr.store._join import (
    JOINED,
    all_labels,
    concat,
    filled_up,
    grid_key,
    without_complete,
    without_grid,
)
from apexr.store._layout import DATA, INDEX, LOCKS, MANIFEST
from apexr.store._locks import hold
from apexr.store._manifest import check_sizes, entries_of, make_manifest
from apexr.store._publish import publish_files
from apexr.store._read import checked_store, lazy_dataset, open_experiment, opened
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


def open_indexed(study: Path, units: Sequence[Path]) -> xr.Dataset:
    """Return a study along ``experiment`` by its index, which is brought up to date if it can be.

    Raises
    ------
    StoreError
        If no experiment can be read.
    """
    stamps = _stamps(units)
    segments = _valid_segments(study, stamps)
    indexed = {str(name) for segment in segments for name in segment["experiment"].values}
    new = [unit for unit in units if unit.name in stamps.keys() - indexed]
    damaged = [unit.name for unit in units if unit.name not in stamps]
    if len(new) >= NEW_FROM:
        segments = _extend(study, segments, new, stamps, damaged)
    elif new:
        segments = [*segments, *_rows_of(new, damaged)]
    if damaged:
        warn("left out, see apexr verify:\n" + "\n".join(damaged))
    if not segments:
        raise StoreError(f"{study}: no experiment is finished yet")
    return _joined(study, segments)


def _stamps(units: Sequence[Path]) -> dict[str, str]:
    """Return the digest of each manifest: what is indexed is that, or it is out of date."""
    stamps = {}
    for unit in units:
        try:
            stamps[unit.name] = digest(source_of(unit).read(MANIFEST))
        except OSError:
            continue
    return stamps


# --- segments --------------------------------------------------------------------------------


def _valid_segments(study: Path, stamps: Stamps) -> list[xr.Dataset]:
    folder = study / INDEX
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    found, taken = [], set[str]()
    for path in paths:
        segment = _read_segment(path, stamps, taken)
        if segment is not None:
            found.append(segment)
            taken.update(map(str, segment["experiment"].values))
    return found


def _read_segment(path: Path, stamps: Stamps, taken: set[str]) -> xr.Dataset | None:
    """Return the rows of a segment that are up to date, or None."""
    try:
        manifest = check_sizes(path, "index")
        segment = lazy_dataset(opened(checked_store(path, manifest)))
        made_of = manifest["units"]
    except (StoreError, LookupError):
        return None
    names = [str(name) for name in segment["experiment"].values]
    valid = [stamps.get(n) == made_of.get(n) and n not in taken for n in names]
    if not any(valid):
        return None
    segment.encoding["segment"] = path
    return segment if all(valid) else segment.isel(experiment=np.flatnonzero(valid))


def _extend(
    study: Path,
    segments: Sequence[xr.Dataset],
    new: Sequence[Path],
    stamps: Stamps,
    damaged: list[str],
) -> list[xr.Dataset]:
    """Return the segments after adding new ones, which are stored unless another process does so.

    Small segments are merged with the new experiments, so that there are never many.
    """
    small = [segment for segment in segments if segment.sizes["experiment"] < SEGMENT // 2]
    kept = [segment for segment in segments if segment.sizes["experiment"] >= SEGMENT // 2]
    made = []
    for start in range(0, len(new), SEGMENT):
        rows = [*small, *_rows_of(new[start : start + SEGMENT], damaged)]
        if rows:
            made.append(_concat_segments(rows).load())
            _store(study, made[-1], stamps, [row.encoding.get("segment") for row in rows])
        small = []
    return [*kept, *made]


def _store(study: Path, segment: xr.Dataset, stamps: Stamps, replaced: Sequence[Any]) -> None:
    """Store a segment and remove those that it replaces; a study may be read only, too."""
    names = [str(name) for name in segment["experiment"].values]
    made_of = {name: stamps[name] for name in names}
    files = {f"{DATA}/{name}": data for name, data in encoded(segment).items()}
    manifest = make_manifest({"units": made_of}, entries_of(files), "index")
    unit = study / INDEX / digest(canonical_json(made_of).encode())[:32]
    try:
        make_folder(study / LOCKS)
        with hold(study / LOCKS / "index", wait=False) as mine:
            if mine:
                publish_files({**files, MANIFEST: json_bytes(manifest)}, unit, overwrite=True)
                for path in {path for path in replaced if path is not None} - {unit}:
                    _disk.remove(path)
    except OSError:
        return


def _rows_of(units: Sequence[Path], damaged: list[str]) -> list[xr.Dataset]:
    """Return the small variables of experiments as one segment, or none if none can be read."""
    parts, deferred, grids = {}, dict[str, Deferred](), []
    for unit in units:
        try:
            ds = open_experiment(unit)
            large = [str(name) for name, array in ds.data_vars.items() if _is_large(array)]
            parts[unit.name] = without_grid(ds.drop_vars(large)).load()
        except StoreError as error:
            damaged.append(str(error))
            continue
        deferred_of(ds[large], deferred)
        grids.append(json.dumps(grid_key(ds)))
    if not parts:
        return []
    rows = filled_up(parts)
    rows = rows.assign_coords({_GRID: ("experiment", np.array(grids, dtype=object))})
    told = json.dumps({name: entry.as_json() for name, entry in deferred.items()})
    return [rows.assign_attrs({_DEFERRED: told})]


def _is_large(array: xr.DataArray) -> bool:
    return not set(array.dims) <= _SMALL_DIMS


# --- joining ---------------------------------------------------------------------------------


def _concat_segments(segments: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return segments as one, in the order of the experiments' names."""
    deferred: dict[str, Deferred] = {}
    for segment in segments:
        for name, entry in json.loads(segment.attrs[_DEFERRED]).items():
            deferred[name] = Deferred.from_json(entry).merged(deferred.get(name))
    labels = {dim: all_labels(dim, segments) for dim in JOINED}
    wide = [_with_labels(segment, labels) for segment in segments]
    joined = concat(wide) if len(wide) > 1 else wide[0]
    order = np.argsort(joined["experiment"].values.astype(str))
    if not np.array_equal(order, np.arange(order.size)):
        joined = joined.isel(experiment=order)
    told = json.dumps({name: entry.as_json() for name, entry in deferred.items()})
    return joined.assign_attrs({_DEFERRED: told})


def _with_labels(segment: xr.Dataset, labels: Mapping[str, np.ndarray]) -> xr.Dataset:
    presence = {
        name: segment[name].reindex({dim: labels[dim]}, fill_value=False)
        for dim in JOINED
        if (name := presence_name(dim)) in segment.coords
    }
    bare = segment.drop_vars(list(presence))
    own = {dim: labels[dim] for dim in JOINED if dim in segment.coords}
    return bare.reindex(own).assign_coords(presence)


def _joined(study: Path, segments: Sequence[xr.Dataset]) -> xr.Dataset:
    joined = _concat_segments(segments)
    told = json.loads(joined.attrs.pop(_DEFERRED))
    deferred = {name: Deferred.from_json(entry) for name, entry in told.items()}
    grids = set(joined[_GRID].values.tolist())
    rows = joined.drop_vars(_GRID).chunk(experiment=SEGMENT)
    return without_complete(with_deferred(rows, study, deferred, one_grid=len(grids) == 1))
