"""The index of a large study: its small variables along ``experiment``, kept in a few segments.

Opening thousands of folders takes a minute, opening a few segments a moment. The index is derived
and never the truth: it says of which manifests it was made, whoever adds experiments adds them to
it, and it may be removed at any time. Readers read besides what it lacks, and never write. What is
not small (fields, errors of each test sample) is not in it; those variables are read from the
experiments when they are computed.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np
import xarray as xr

from apexr.errors import StoreError, warn
from apexr.store._files import digest
from apexr.store._join import with_channels_counted, without_complete
from apexr.store._layout import MANIFEST
from apexr.store._local import Local
from apexr.store._parts import read_part
from apexr.store._place import PathLike, Place, at_once, place
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
from apexr.store._units import check_study, units_of

INDEX_FROM = 100
"""Studies of more experiments are opened by an index."""
WORTH_AN_INDEX = 64
"""As many experiments that are in no segment are worth one."""
SEGMENT = 1000
"""Experiments of one segment."""


def keep_index(path: PathLike, *, least: int = 1) -> int:
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
    check_study(path)
    study, units = place(path), units_of(path)
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


def open_indexed(study: Place, units: Sequence[Place]) -> xr.Dataset:
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
    study: Place, units: Sequence[Place], damaged: list[str]
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
    study: Place, index: Index, new: Mapping[str, list[str]], stamps: Stamps, damaged: list[str]
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


def _joined(study: Place, segments: Sequence[xr.Dataset]) -> xr.Dataset:
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
