"""Lazy readers of one unit; nothing is read before names and sizes are checked.

Older results are brought to the present schema when they are read; files are never rewritten.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import xarray as xr

from apexr import schema
from apexr._files._layout import ORDER
from apexr._files._place import Place
from apexr.errors import StoreError
from apexr.schema import VARIABLES
from apexr.store.unit._manifest import Unit
from apexr.store.unit._zarr import CheckedStore, checked_store

# --- older schemas -------------------------------------------------------------------------------

MIGRATIONS: Mapping[int, Callable[[xr.Dataset], xr.Dataset]] = {}
"""The functions that bring a result of a schema version to the next one; they must stay lazy."""


def migrated(ds: xr.Dataset, version: int, where: str) -> xr.Dataset:
    """Return a result of an older schema version as one of the present version.

    Raises
    ------
    StoreError
        If this apexr does not know how.
    """
    for step in range(version, schema.SCHEMA_VERSION):
        if step not in MIGRATIONS:
            raise StoreError(
                f"{where}: written with schema version {version}, this apexr reads"
                f" {schema.SCHEMA_VERSION} and has no way from {step} to {step + 1}"
            )
        ds = MIGRATIONS[step](ds).assign_attrs(schema_version=step + 1)
    return ds


# --- reading -------------------------------------------------------------------------------------


def open_unit(unit: Place) -> xr.Dataset:
    """Return the result that one unit holds, lazily."""
    return lazy_dataset(open_plain(Unit.open(unit)))


def open_plain(unit: Unit) -> xr.Dataset:
    """Return the result of one unit as Zarr gives it: read when it is touched, without Dask."""
    manifest = unit.check_sizes().manifest
    ds = _labeled(_in_order(opened(checked_store(unit))), manifest["config"])
    return migrated(ds, manifest["schema_version"], str(unit.place))


@contextmanager
def refusing(where: str) -> Iterator[None]:
    """Turn whatever the metadata of a stranger make xarray and Zarr raise into a StoreError."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise StoreError(f"{where}: not readable ({said})") from error


def opened(store: CheckedStore) -> xr.Dataset:
    """Return the Dataset of a store, not loaded and not chunked.

    Numbers are those that are stored: apexr writes no attribute by which xarray would scale them,
    mask them or make dates of them, and follows none of a stranger's.
    """
    with refusing(store.source.where):
        ds = xr.open_zarr(
            store,
            consolidated=True,
            chunks=None,
            zarr_format=3,
            mask_and_scale=False,
            decode_times=False,
            concat_characters=False,
        )
    for variable in ds.variables.values():
        variable.attrs.pop("_FillValue", None)  # of a chunk that is not there
    return ds


def lazy_dataset(ds: xr.Dataset) -> xr.Dataset:
    """Return an opened Dataset with Dask-backed variables and with coordinates in memory.

    It carries no encoding: how one result was stored fits neither a selection of it nor a join.
    """
    lazy = {name: as_lazy(array.variable) for name, array in ds.data_vars.items()}
    return with_text(ds).assign(lazy).drop_encoding()


def _labeled(ds: xr.Dataset, config: Mapping[str, str]) -> xr.Dataset:
    """Return a result with its labels as the manifest has them: a scalar in Zarr ends at a NUL."""
    held = {
        name: xr.Variable((), np.array(text, dtype=object), ds[name].attrs)
        for name, text in config.items()
        if name in ds.coords and not ds[name].dims
    }
    return with_text(ds.assign_coords(held))


def with_text(ds: xr.Dataset) -> xr.Dataset:
    """Return a Dataset with its coordinates in memory, text as Python strings."""
    return ds.assign_coords(
        {
            name: in_memory(coord.variable)
            for name, coord in ds.coords.items()
            if coord.dims != (name,) or coord.dtype.kind in "TU"
        }
    )


def _in_order(ds: xr.Dataset) -> xr.Dataset:
    """Return a stored result with its variables in the order in which they were written."""
    noted = np.atleast_1d(ds.attrs.pop(ORDER, list(VARIABLES))).tolist()  # older ones note none
    first = [name for name in noted if name in ds.data_vars]
    return ds[[*first, *(n for n in ds.data_vars if n not in first)]]


def as_lazy(variable: xr.Variable) -> xr.Variable:
    """Return a stored variable with its stored chunks as Dask chunks."""
    return variable.chunk(variable.encoding.get("preferred_chunks", {})).drop_encoding()


def in_memory(variable: xr.Variable) -> xr.Variable:
    """Return a coordinate with its values read, text as Python strings."""
    loaded = variable.load().drop_encoding()
    return loaded.astype(object) if loaded.dtype.kind in "TU" else loaded
