"""Rows of a study: the small variables of experiments along ``experiment``.

An index is made of them. Facts about the larger variables are noted with them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import xarray as xr

from apexr.errors import StoreError
from apexr.schema import presence_name
from apexr.store.study._join import all_labels, along_seed, filled_up, grid_key, without_grid
from apexr.store.study._members import (
    Deferred,
    Member,
    can_stack,
    deferred_of,
    of_one_form,
    read_member,
    stacked,
)
from apexr.store.study._study import Study
from apexr.store.unit._manifest import Unit
from apexr.store.unit._read import open_plain

GRID = "grid"
"""Coordinate: the grid of each experiment."""
UNITS = "units"
"""Coordinate: the units that hold the parts of each experiment."""
DEFERRED = "deferred_variables"
"""Attribute: what is left in the experiments."""

_SMALL_DIMS = frozenset({"seed", "update_step", "time"})


def rows_of(study: Study, parts: Mapping[str, list[str]], damaged: list[str]) -> list[xr.Dataset]:
    """Return the small variables of experiments along ``experiment``, in a few pieces.

    Parameters
    ----------
    study
        Where the experiments lie.
    parts
        For each experiment its units.
    damaged
        Takes what is wrong with those that cannot be read; they are left out.
    """
    members = {}
    left = dict(parts)
    for name, units in parts.items():
        if len(units) == 1:
            del left[name]
            with _noting(damaged):
                members[name] = read_member(Unit.open(study.unit(units[0])))
    blocks = []
    for group in of_one_form(members):
        if (block := _stacked(group, damaged)) is None:
            left |= {name: [member.unit.name] for name, member in group.items()}
        else:
            blocks.append(block)
    return [block for block in (*blocks, _singly(study, left, damaged)) if block is not None]


def _stacked(group: Mapping[str, Member], damaged: list[str]) -> xr.Dataset | None:
    """Return results of one form as one piece, if that can be done."""
    first = next(iter(group.values()))
    opened: list[xr.Dataset] = []
    with _noting([]):
        opened.append(open_plain(first.unit))
    if len(group) == 1 or not opened:
        return None
    small, large = _divided(opened[0])
    if not can_stack(first, small):
        return None
    rows = stacked(group, small.load(), damaged)
    names = [str(name) for name in rows["experiment"].values]
    known: dict[str, Deferred] = {}
    for _ in names:
        deferred_of(large, known)
    presence = {
        presence_name(dim): (("experiment", dim), np.ones((len(names), len(labels)), bool))
        for dim, labels in all_labels([small]).items()
        if len(labels)
    }
    grids = [json.dumps(grid_key(opened[0]))] * len(names)
    units = [group[name].unit.name for name in names]
    return _told(rows.assign_coords(presence), grids, units, known) if names else None


def _singly(study: Study, parts: Mapping[str, list[str]], damaged: list[str]) -> xr.Dataset | None:
    """Return experiments of whatever form as one piece, or None if none can be read."""
    rows, units, known, grids = {}, [], dict[str, Deferred](), []
    for name, held in parts.items():
        readable = _readable(study, held, damaged)
        if not readable:
            continue
        ds = along_seed(list(readable.values()))
        small, large = _divided(ds)
        rows[name] = small.load()
        units.append(" ".join(readable))
        deferred_of(large, known)
        grids.append(json.dumps(grid_key(ds)))
    return _told(filled_up(rows), grids, units, known) if rows else None


def _told(
    rows: xr.Dataset, grids: Sequence[str], units: Sequence[str], known: Mapping[str, Deferred]
) -> xr.Dataset:
    """Return rows with what is to be known of what they were made of."""
    told = json.dumps({name: entry.as_json() for name, entry in known.items()})
    coords = {GRID: grids, UNITS: units}
    return rows.assign_coords(
        {name: ("experiment", np.array(values, object)) for name, values in coords.items()}
    ).assign_attrs({DEFERRED: told})


def _divided(ds: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Return the small variables of a result, and the others."""
    large = [
        str(name) for name, array in ds.data_vars.items() if not set(array.dims) <= _SMALL_DIMS
    ]
    return without_grid(ds.drop_vars(large)), ds[large]


def _readable(study: Study, units: Sequence[str], damaged: list[str]) -> dict[str, xr.Dataset]:
    """Return the parts of an experiment that can be read, by unit."""
    found = {}
    for name in sorted(units):
        with _noting(damaged):
            found[name] = open_plain(Unit.open(study.unit(name)))
    return found


@contextmanager
def _noting(damaged: list[str]) -> Iterator[None]:
    """Note what is wrong with a result and go on."""
    try:
        yield
    except StoreError as error:
        damaged.append(str(error))
