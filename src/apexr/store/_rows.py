"""Variables of a study that are read, experiment by experiment, only when they are computed."""

from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from apexr.schema import metric_identifiers
from apexr.store._along_seed import along_seed
from apexr.store._fields import FieldReader
from apexr.store._join import GRID_DIMS, is_twin, name_beside
from apexr.store._layout import unit_of
from apexr.store._place import Place
from apexr.store._read import open_unit


@dataclass(frozen=True)
class Deferred:
    """What is known of a variable that is left in the experiments.

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
    study: Place,
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


def _open(study: Place, units: str) -> xr.Dataset:
    return along_seed([open_unit(unit_of(study, name)) for name in units.split()])


def _in_order(ds: xr.Dataset, first: xr.Dataset) -> xr.Dataset:
    names = [str(name) for name in first.data_vars if name in ds.data_vars]
    return ds[[*names, *(n for n in ds.data_vars if n not in names)]]
