"""Fields of many experiments, and what else is too large for the index: read when computed.

Each experiment is opened once, whichever of its variables are asked for and in which order.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from apexr._files._durable import digest
from apexr._files._layout import MANIFEST
from apexr._files._source import source_of
from apexr.schema import metric_identifiers, trajectory_name
from apexr.store.study._join import GRID_DIMS, along_seed, is_twin, name_beside
from apexr.store.study._members import Deferred, Member, read_member
from apexr.store.study._study import Study
from apexr.store.unit._manifest import Unit
from apexr.store.unit._read import open_plain, open_unit

# --- reading one experiment ----------------------------------------------------------------------

_KEPT = 1024
"""Experiments that are kept open: some tens of kilobytes each."""


@dataclass(frozen=True)
class _Form:
    """The common part of results of one form: labels of dimensions, and plain variables.

    Attributes
    ----------
    coords
        The coordinates of dimensions.
    dims
        The dimensions of each variable.
    plain
        The variables of which the chunks can be decoded without Zarr.
    configs
        The config string of each metric.
    """

    coords: Mapping[str, np.ndarray]
    dims: Mapping[str, tuple[str, ...]]
    plain: frozenset[str]
    configs: Mapping[str, str]

    def stored_as(self, name: str, config: str | None) -> str | None:
        """Return what a variable is called here; None if there is none of that meaning.

        Of a metric, the errors per trajectory may be called as they usually are, and that name may
        be another metric's.
        """
        names = (name,) if config is None else (name, trajectory_name(config))
        meant = (n for n in names if n in self.dims and self.configs.get(n, config) == config)
        return next(meant, None)


class FieldReader:
    """Reads variables of the experiments of a study.

    Parameters
    ----------
    study
        Where the experiments lie.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._members: OrderedDict[str, tuple[str, Member]] = OrderedDict()
        self._forms: dict[str, _Form] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave what is open behind: another process opens what it needs."""
        return FieldReader, (self._study,)

    def __dask_tokenize__(self) -> str:
        """Return what tells readers of different studies apart."""
        return f"{type(self).__name__}:{self._study}"

    def read(
        self,
        units: Sequence[str],
        name: str,
        labels: Mapping[str, np.ndarray],
        config: str | None = None,
    ) -> np.ndarray | None:
        """Return a variable of one experiment at some labels; None if it has none of that meaning.

        Parameters
        ----------
        units
            The units that hold the parts of the experiment.
        name
            The variable.
        labels
            For each dimension the labels that are wanted; what the experiment lacks is NaN.
        config
            The config string of a metric.

        Raises
        ------
        StoreError
            If a file is missing or damaged.
        """
        opened = [(member, self._form(member)) for member in map(self._member, units)]
        held = [(member, form) for member, form in opened if form.stored_as(name, config)]
        if not held:
            return None
        member, form = min(held, key=_seeds)
        name = form.stored_as(name, config) or name
        dims = form.dims[name]
        if len(held) > 1 and "seed" in dims:
            return _at(along_seed([_part(*pair, name) for pair in held])[name], labels)
        values = _values(member, form, name)
        if all(np.array_equal(form.coords[dim], labels[dim]) for dim in dims):
            return values
        return _at(_part(member, form, name)[name], labels)

    def _member(self, unit: str) -> Member:
        """Return a unit that is open; what is published in its place since then is opened."""
        path = self._study.unit(unit)
        stamp = digest(source_of(path).read(MANIFEST))
        held = self._members.get(unit)
        if held is not None and held[0] == stamp:
            return held[1]
        member = read_member(Unit.open(path))
        self._members[unit] = (stamp, member)
        while len(self._members) > _KEPT:
            self._members.popitem(last=False)
        return member

    def _form(self, member: Member) -> _Form:
        form = self._forms.get(member.form)
        if form is None:
            form = self._forms[member.form] = _form_of(member)
        return form


def _form_of(member: Member) -> _Form:
    held = open_plain(member.unit)
    dims = {str(name): tuple(map(str, array.dims)) for name, array in held.data_vars.items()}
    coords = {str(dim): held[dim].values for dim in held.dims}
    plain = {name for name in dims if member.can_read(name, held[name])}
    configs = {n: str(held[n].attrs["config"]) for n in dims if "config" in held[n].attrs}
    return _Form(coords, dims, frozenset(plain), configs)


def _values(member: Member, form: _Form, name: str) -> np.ndarray:
    if name in form.plain:
        return member.read(name)
    return open_plain(member.unit)[name].values


def _part(member: Member, form: _Form, name: str) -> xr.Dataset:
    """Return one variable of one part of an experiment."""
    dims = form.dims[name]
    coords = {dim: form.coords[dim] for dim in dims}
    return xr.Dataset({name: (dims, _values(member, form, name))}, coords)


def _at(array: xr.DataArray, labels: Mapping[str, np.ndarray]) -> np.ndarray:
    return array.reindex({dim: labels[str(dim)] for dim in array.dims if dim in labels}).values


def _seeds(opened: tuple[Member, _Form]) -> list[int]:
    return list(opened[1].coords.get("seed", np.empty(0)))


# --- variables of a study ------------------------------------------------------------------------


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
