"""Rows of a study: the small variables of experiments, and others that are read when computed.

The small ones along ``experiment`` are what an index is made of. Facts about the others are
noted with them.
"""

import json
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from apexr.errors import StoreError
from apexr.schema import metric_identifiers, presence_name
from apexr.store.study._fields import (
    FieldReader,
    Member,
    can_stack,
    of_one_form,
    read_member,
    stacked,
)
from apexr.store.study._join import (
    GRID_DIMS,
    all_labels,
    along_seed,
    filled_up,
    grid_key,
    is_twin,
    name_beside,
    without_grid,
)
from apexr.store.study._study import Study
from apexr.store.unit._manifest import Unit
from apexr.store.unit._read import open_plain, open_unit

# --- what is read when it is computed ------------------------------------------------------------


@dataclass(frozen=True)
class Deferred:
    """Facts about a variable that is left in the experiments.

    Parameters
    ----------
    dims, dtype, attrs
        As in an experiment.
    count
        How many experiments have it.
    """

    dims: tuple[str, ...]
    dtype: str
    attrs: dict[str, Any] = field(default_factory=dict)
    count: int = 1

    def merged(self, other: "Deferred | None") -> "Deferred":
        """Return what holds for the variable of both; the first one's attributes that agree."""
        if other is None:
            return self
        dtype = np.result_type(np.dtype(self.dtype), np.dtype(other.dtype)).str
        attrs = {k: v for k, v in other.attrs.items() if self.attrs.get(k) == v}
        return Deferred(other.dims, dtype, attrs, self.count + other.count)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Deferred":
        """Return what :meth:`as_json` has written."""
        return cls(tuple(data["dims"]), data["dtype"], dict(data["attrs"]), data["count"])


def deferred_of(large: xr.Dataset, known: MutableMapping[str, Deferred]) -> None:
    """Add what one experiment holds to what is known of the variables."""
    for name, array in large.data_vars.items():
        dims = tuple(str(dim) for dim in array.dims)
        entry = Deferred(dims, array.dtype.str, dict(array.attrs))
        known[str(name)] = entry.merged(known.get(str(name)))


def with_deferred(
    rows: xr.Dataset,
    study: Study,
    units: np.ndarray,
    deferred: Mapping[str, Deferred],
    *,
    one_grid: bool,
) -> xr.Dataset:
    """Return the small variables of a study together with those that are read on demand.

    Parameters
    ----------
    rows
        The small variables along ``experiment``.
    study
        Where the experiments lie.
    units
        For each experiment the names of its units, with blanks between them.
    deferred
        The variables.
    one_grid
        Whether all experiments have the same grid; if not, fields are left out.
    """
    first = _open(study, units[0])
    if one_grid:
        grid = {n: c.variable for n, c in first.coords.items() if set(c.dims) & set(GRID_DIMS)}
        rows = rows.assign_coords(grid)
    chosen = {n: entry for n, entry in deferred.items() if one_grid or not _on_grid(entry.dims)}
    wanted = _kept_apart(chosen, rows)
    names = da.from_array(units.astype(str), chunks=1)
    reader = FieldReader(study)
    variables = {name: _variable(name, e, rows, reader, names) for name, e in wanted.items()}
    return _in_order(rows.assign(variables), first)


def _kept_apart(deferred: Mapping[str, Deferred], rows: xr.Dataset) -> dict[str, Deferred]:
    """Return variables under names that mean one thing, as :func:`kept_apart` has them."""
    means = metric_identifiers(rows)
    found: dict[str, Deferred] = {}
    for name, entry in deferred.items():
        config = str(entry.attrs.get("config", ""))
        shown = name_beside(name, config) if is_twin(name, config, means) else name
        found[shown] = entry.merged(found.get(shown))
    return found


def _on_grid(dims: tuple[str, ...]) -> bool:
    return bool(set(dims) & set(GRID_DIMS))


def _variable(
    name: str, entry: Deferred, rows: xr.Dataset, reader: FieldReader, names: da.Array
) -> xr.Variable:
    labels = {dim: rows[dim].values for dim in entry.dims}
    shape = tuple(len(labels[dim]) for dim in entry.dims)
    dtype = _dtype(entry, rows)
    values = da.map_blocks(
        partial(
            _read_rows,
            reader=reader,
            stored=(name, entry.attrs.get("config")),
            labels=labels,
            dtype=dtype,
        ),
        names,
        dtype=dtype,
        new_axis=list(range(1, 1 + len(shape))),
        chunks=(names.chunks[0], *((size,) for size in shape)),
        meta=np.empty((0,) * (1 + len(shape)), dtype=dtype),
    )
    return xr.Variable(("experiment", *entry.dims), values, entry.attrs)


def _dtype(entry: Deferred, rows: xr.Dataset) -> np.dtype[Any]:
    """Return the type that holds the values and, where some are filled up, NaN."""
    dtype = np.dtype(entry.dtype)
    complete = entry.count == rows.sizes["experiment"] and all(
        rows[f"has_{dim}"].all() for dim in entry.dims if f"has_{dim}" in rows
    )
    return dtype if complete or dtype.kind in "fc" else np.dtype(np.float64)


def _read_rows(
    names: np.ndarray,
    reader: FieldReader,
    stored: tuple[str, str | None],
    labels: Mapping[str, np.ndarray],
    dtype: Any,
) -> np.ndarray:
    shape = tuple(len(known) for known in labels.values())
    rows = np.full((len(names), *shape), np.nan if dtype.kind in "fc" else 0, dtype)
    for row, units in zip(rows, names, strict=True):
        name, config = stored
        values = reader.read(str(units).split(), name, labels, config)
        if values is not None:
            row[...] = values
    return rows


def _open(study: Study, units: str) -> xr.Dataset:
    return along_seed([open_unit(study.unit(name)) for name in units.split()])


def _in_order(ds: xr.Dataset, first: xr.Dataset) -> xr.Dataset:
    names = [str(name) for name in first.data_vars if name in ds.data_vars]
    return ds[[*names, *(n for n in ds.data_vars if n not in names)]]


# --- small variables -----------------------------------------------------------------------------

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
