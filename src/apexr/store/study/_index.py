"""The index of a large study: its small variables along ``experiment``, kept in a few segments.

Opening thousands of folders takes a minute, opening a few segments a moment. The index is
derived and never the truth: it says of which manifests it was made, whoever adds experiments
adds them to it, and it may be removed at any time. Readers read besides what it lacks, and never
write. Large variables (fields, errors of each test sample) are not in it; they are
read from the experiments when they are computed. A segment is stored as one unit.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from apexr._files import _disk
from apexr._files._durable import canonical_json, digest, hold, json_bytes, make_folder
from apexr._files._layout import DATA, INDEX, LOCKS, MANIFEST, ORDER, is_id
from apexr._files._local import Local
from apexr._files._place import PathLike, Place, at_once, entries
from apexr._files._remote import Remote
from apexr._files._source import source_of
from apexr.errors import StoreError, warn
from apexr.schema import presence_name
from apexr.store.study._fields import with_deferred
from apexr.store.study._join import (
    all_labels,
    concat,
    with_channels_counted,
    with_labels,
    without_complete,
)
from apexr.store.study._members import Deferred
from apexr.store.study._rows import DEFERRED, GRID, UNITS, rows_of
from apexr.store.study._study import Study, read_part
from apexr.store.unit._encode import encoded
from apexr.store.unit._manifest import Unit, entries_of, make_manifest
from apexr.store.unit._publish import publish_files
from apexr.store.unit._read import lazy_dataset, opened
from apexr.store.unit._zarr import checked_store

# --- segments ------------------------------------------------------------------------------------

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


def read_index(study: Study, stamps: Stamps) -> Index:
    """Return the index; of segments that share a unit the larger one counts."""
    try:
        found = entries(study.place / INDEX)
    except StoreError:  # no folder: verify names it
        found = []
    held = [unit for unit in map(_opened, found) if unit is not None]
    made_of = {unit.place: _made_of(unit) for unit in held}
    segments, taken = [], set[str]()
    outdated = [path for path in found if path not in made_of]
    for unit in sorted(held, key=lambda unit: (-len(made_of[unit.place]), unit.name)):
        units = made_of[unit.place]
        valid = units and units.items() <= stamps.items() and not units.keys() & taken
        segment = _read_segment(unit) if valid else None
        if segment is None:
            outdated.append(unit.place)
        else:
            segments.append(Segment(segment, unit.place))
            taken |= units.keys()
    return Index(segments, outdated)


def _opened(path: Place) -> Unit | None:
    """Return a segment, if it is whole."""
    try:
        return Unit.open(path, "index").check_sizes()
    except StoreError:
        return None


def _made_of(unit: Unit) -> dict[str, str]:
    """Return the units of a segment and the digests of their manifests; none under a wrong name."""
    units = dict(unit.manifest["units"])
    return units if unit.name == _name_of(units) else {}


def _name_of(made_of: Mapping[str, str]) -> str:
    """Return the name of a segment that is made of these units."""
    return digest(canonical_json(made_of).encode())[:32]


def _read_segment(unit: Unit) -> xr.Dataset | None:
    try:
        segment = opened(checked_store(unit))
        told = {name: _from_told(column) for name, column in unit.manifest.get(TEXT, {}).items()}
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
    study: Study, segment: xr.Dataset, stamps: Stamps, outdated: Sequence[Place]
) -> None:
    """Store a segment and remove what is outdated, unless another process writes the index."""
    made_of = {name: stamps[name] for name in sorted(Segment(segment).units)}
    text = _text_of(segment)
    stored = encoded(segment.drop_vars(text))
    files = {f"{DATA}/{name}": data for name, data in stored.items()}
    labels = {"units": made_of, TEXT: {name: _told(column) for name, column in text.items()}}
    manifest = make_manifest(labels, entries_of(files), "index")
    unit = study.place / INDEX / _name_of(made_of)
    with _alone(study.place) as mine:
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


# --- the index -----------------------------------------------------------------------------------

INDEX_FROM = 100
"""Studies of more experiments are opened by an index."""
WORTH_AN_INDEX = 64
"""As many experiments that are in no segment are worth one."""
SEGMENT = 1000
"""Experiments of one segment."""


def keep_index(path: PathLike | Study, *, least: int = 1) -> int:
    """Bring the index of a study up to date; return how many experiments it holds.

    Whoever adds experiments does so, and ``apexr index``; reading a study never does.

    Parameters
    ----------
    path
        The study.
    least
        The number of experiments that the index must lack to be worth the work. Smaller studies
        than those that are opened by an index get none unless this is 1.

    Raises
    ------
    StoreError
        If ``path`` is not a study, or the index cannot be written.
    """
    study = Study.open(path)
    units = study.units()
    if not units or (least > 1 and len(units) <= INDEX_FROM):
        return 0
    damaged: list[str] = []
    index, new, stamps = _compared(study, units, damaged)
    if len(new) >= least:
        try:
            _extend(study, index, new, stamps, damaged)
        except OSError as error:
            raise StoreError(f"{study}: the index cannot be written ({error})") from error
        index = _compared(study, units, damaged)[0]
    return sum(segment.rows.sizes["experiment"] for segment in index.segments)


def open_indexed(study: Study, units: Sequence[Place]) -> xr.Dataset:
    """Return a study along ``experiment`` by its index; what that lacks is read besides.

    Raises
    ------
    StoreError
        If no experiment can be read.
    """
    damaged: list[str] = []
    index, new, _ = _compared(study, units, damaged)
    rows = [*(one.rows for one in index.segments), *rows_of(study, new, damaged)]
    if damaged:
        warn("left out, see apexr verify:\n" + "\n".join(damaged))
    if not rows:
        raise StoreError(f"{study}: no experiment is finished yet")
    return _joined(study, rows)


def _compared(
    study: Study, units: Sequence[Place], damaged: list[str]
) -> tuple[Index, dict[str, list[str]], dict[str, str]]:
    """Return what of the index holds, the experiments that it lacks, and the manifests' digests."""
    stamps = _stamps(units)
    damaged += [unit.name for unit in units if unit.name not in stamps]
    index = read_index(study, stamps)
    indexed = {name for segment in index.segments for name in segment.units}
    unknown = stamps.keys() - indexed
    fresh = _parts_of([unit for unit in units if unit.name in unknown], damaged)
    return *_without_grown(index, fresh), stamps


def _stamps(units: Sequence[Place]) -> dict[str, str]:
    """Return the digest of each manifest: what is indexed is that, or it is out of date."""
    found = at_once(_stamp, units, units[0])
    return {unit.name: stamp for unit, stamp in zip(units, found, strict=True) if stamp}


def _stamp(unit: Place) -> str:
    if isinstance(unit, Local):
        with suppress(OSError):
            return digest((unit / MANIFEST).read_bytes())  # so of most: there may be very many
    try:
        return digest(source_of(unit).read(MANIFEST))
    except (OSError, StoreError):
        return ""


def _parts_of(units: Sequence[Place], damaged: list[str]) -> dict[str, list[str]]:
    """Return the names of units by the experiment that they are parts of."""
    found: dict[str, list[str]] = {}
    for unit in units:
        try:
            found.setdefault(read_part(unit).experiment, []).append(unit.name)
        except StoreError as error:
            damaged.append(str(error))
    return found


def _without_grown(
    index: Index, fresh: Mapping[str, list[str]]
) -> tuple[Index, dict[str, list[str]]]:
    """Return the index without experiments that have got more parts, and all that is to be read.

    A segment that loses an experiment is outdated; what is left of it counts as small.
    """
    new = {name: list(units) for name, units in fresh.items()}
    segments, outdated = [], list(index.outdated)
    for segment in index.segments:
        names = segment.rows["experiment"].values.tolist()
        stays = np.array([name not in fresh for name in names])
        for name, units in zip(names, segment.rows[UNITS].values, strict=True):
            if name in new:
                new[name] += units.split()
        if stays.all():
            segments.append(segment)
            continue
        outdated += [segment.path] if segment.path else []
        if stays.any():
            segments.append(Segment(segment.rows.isel(experiment=np.flatnonzero(stays))))
    return Index(segments, outdated), new


def _extend(
    study: Study, index: Index, new: Mapping[str, list[str]], stamps: Stamps, damaged: list[str]
) -> None:
    """Add new experiments, unless another process does so.

    Small segments are joined with the new experiments, so that there are never many. Those that
    are replaced stay until the next time, since others may be reading them.
    """
    small = [one.rows for one in index.segments if _is_small(one)]
    names = list(new)
    for start in range(0, len(names), SEGMENT):
        chosen = {name: new[name] for name in names[start : start + SEGMENT]}
        rows = [*small, *rows_of(study, chosen, damaged)]
        if rows:
            store_segment(study, concat_segments(rows).load(), stamps, index.outdated)
        small = []


def _is_small(segment: Segment) -> bool:
    """Tell whether a segment is joined with others when the index is extended."""
    return segment.path is None or segment.rows.sizes["experiment"] < SEGMENT // 2


def _joined(study: Study, segments: Sequence[xr.Dataset]) -> xr.Dataset:
    joined = concat_segments(segments)
    told = json.loads(joined.attrs.pop(DEFERRED))
    deferred = {name: Deferred.from_json(entry) for name, entry in told.items()}
    grids = set(joined[GRID].values.tolist())
    if len(grids) > 1:
        counts = [max(1, len(json.loads(key)[-1])) for key in joined[GRID].values]
        joined = with_channels_counted(joined, counts)
    lazy = {name: array.variable.chunk(experiment=SEGMENT) for name, array in joined.items()}
    rows = joined.drop_vars([GRID, UNITS]).assign(lazy).drop_encoding()
    return without_complete(
        with_deferred(rows, study, joined[UNITS].values, deferred, one_grid=len(grids) == 1)
    )
