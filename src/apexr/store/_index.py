"""The index of a large study: its small variables along ``experiment``, kept in a few segments.

Opening thousands of folders takes a minute, opening a few segments a moment. The index is derived
and never the truth: it says of which manifests it was made, whoever opens the study adds what has
come since, and it may be removed at any time. What is not small (fields, errors of each test
sample) is not in it; those variables are read from the experiments when they are computed.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np
import xarray as xr

from apexr.errors import StoreError, warn
from apexr.store._files import digest
from apexr.store._join import without_complete
from apexr.store._layout import MANIFEST
from apexr.store._local import Local
from apexr.store._parts import read_part
from apexr.store._place import Place, at_once
from apexr.store._rows import Deferred, with_deferred
from apexr.store._segments import (
    Index,
    Segment,
    Stamps,
    concat_segments,
    read_index,
    store_segment,
)
from apexr.store._small import DEFERRED, GRID, UNITS, rows_of
from apexr.store._source import source_of

INDEX_FROM = 100
"""Studies of more experiments are opened by an index."""
NEW_FROM = 64
"""As many experiments that are in no segment are worth one."""
SEGMENT = 1000
"""Experiments of one segment."""


def open_indexed(study: Place, units: Sequence[Place]) -> xr.Dataset:
    """Return a study along ``experiment`` by its index, which is brought up to date if it can be.

    Raises
    ------
    StoreError
        If no experiment can be read.
    """
    stamps = _stamps(units)
    damaged = [unit.name for unit in units if unit.name not in stamps]
    index = read_index(study, stamps)
    indexed = {name for segment in index.segments for name in segment.units}
    unknown = stamps.keys() - indexed
    fresh = _parts_of([unit for unit in units if unit.name in unknown], damaged)
    index, new = _without_grown(index, fresh)
    if len(new) >= NEW_FROM:
        rows = _extend(study, index, new, stamps, damaged)
    else:
        rows = [*(one.rows for one in index.segments), *rows_of(study, new, damaged)]
    if damaged:
        warn("left out, see apexr verify:\n" + "\n".join(damaged))
    if not rows:
        raise StoreError(f"{study}: no experiment is finished yet")
    return _joined(study, rows)


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
    study: Place, index: Index, new: Mapping[str, list[str]], stamps: Stamps, damaged: list[str]
) -> list[xr.Dataset]:
    """Return all rows after adding new experiments, stored unless another process does so.

    Small segments are joined with the new experiments, so that there are never many. Those that
    are replaced stay until the next time, since others may be reading them.
    """
    small = [one.rows for one in index.segments if _is_small(one)]
    segments = [one.rows for one in index.segments if not _is_small(one)]
    names = list(new)
    for start in range(0, len(names), SEGMENT):
        chosen = {name: new[name] for name in names[start : start + SEGMENT]}
        rows = [*small, *rows_of(study, chosen, damaged)]
        if rows:
            segments.append(concat_segments(rows).load())
            store_segment(study, segments[-1], stamps, index.outdated)
        small = []
    return segments


def _is_small(segment: Segment) -> bool:
    """Tell whether a segment is joined with others when the index is extended."""
    return segment.path is None or segment.rows.sizes["experiment"] < SEGMENT // 2


def _joined(study: Place, segments: Sequence[xr.Dataset]) -> xr.Dataset:
    joined = concat_segments(segments)
    told = json.loads(joined.attrs.pop(DEFERRED))
    deferred = {name: Deferred.from_json(entry) for name, entry in told.items()}
    grids = set(joined[GRID].values.tolist())
    lazy = {name: array.variable.chunk(experiment=SEGMENT) for name, array in joined.items()}
    rows = joined.drop_vars([GRID, UNITS]).assign(lazy).drop_encoding()
    return without_complete(
        with_deferred(rows, study, joined[UNITS].values, deferred, one_grid=len(grids) == 1)
    )
