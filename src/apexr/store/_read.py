"""Lazy readers of one experiment; nothing is read before names and sizes are checked."""

from pathlib import Path

import numpy as np
import xarray as xr
import zarr

from apexr.schema import VARIABLES
from apexr.store._along_seed import along_seed, weights_along_seed
from apexr.store._layout import ORDER, WEIGHTS, PathLike, data_folder, unit_path
from apexr.store._manifest import check_sizes, read_manifest
from apexr.store._parts import units_behind


def open_experiment(path: PathLike, experiment: str | None = None) -> xr.Dataset:
    """Return a stored result as a Dask-backed Dataset; only coordinates are loaded.

    An experiment of a study is read with all its seeds, whenever they were run.

    Parameters
    ----------
    path
        The store of one experiment, or a study.
    experiment
        The id of the experiment in a study.

    Raises
    ------
    StoreError
        If nothing is published there, if a file is missing or has another size than the manifest
        says, or if the store is newer than this apexr.
    """
    unit = path if experiment is None else unit_path(path, experiment)
    return along_seed([open_unit(part) for part in units_behind(unit)])


def open_unit(folder: Path) -> xr.Dataset:
    """Return the result that one unit holds, lazily."""
    check_sizes(folder)
    return _in_order(
        lazy_dataset(xr.open_zarr(data_folder(folder), consolidated=True, chunks=None))
    )


def lazy_dataset(ds: xr.Dataset) -> xr.Dataset:
    """Return an opened Dataset with Dask-backed variables and with coordinates in memory."""
    coords = {
        name: in_memory(coord.variable)
        for name, coord in ds.coords.items()
        if coord.dims != (name,) or coord.dtype.kind in "TU"
    }
    lazy = {name: as_lazy(array.variable) for name, array in ds.data_vars.items()}
    return ds.assign(lazy).assign_coords(coords)


def read_weights(unit: PathLike) -> dict[str, np.ndarray]:
    """Return the stored weights: plain arrays by name; they lead with the seeds if there are more.

    Raises
    ------
    StoreError
        As for :func:`open_experiment`.
    """
    units = units_behind(unit)
    seeds = [read_manifest(part).get("seeds", []) for part in units]
    return weights_along_seed([_weights_of(part) for part in units], seeds)


def _weights_of(folder: Path) -> dict[str, np.ndarray]:
    check_sizes(folder)
    group = zarr.open_group(data_folder(folder), mode="r", use_consolidated=True)[WEIGHTS]
    members = group.members(max_depth=None) if isinstance(group, zarr.Group) else ()
    return {name: np.asarray(node[...]) for name, node in members if isinstance(node, zarr.Array)}


def _in_order(ds: xr.Dataset) -> xr.Dataset:
    """Return a stored result with its variables in the order in which they were written."""
    noted = np.atleast_1d(ds.attrs.pop(ORDER, list(VARIABLES))).tolist()  # older ones note none
    first = [name for name in noted if name in ds.data_vars]
    return ds[[*first, *(n for n in ds.data_vars if n not in first)]]


def as_lazy(variable: xr.Variable) -> xr.Variable:
    """Return a stored variable with its stored chunks as Dask chunks."""
    return variable.chunk(variable.encoding.get("preferred_chunks", {}))


def in_memory(variable: xr.Variable) -> xr.Variable:
    """Return a coordinate with its values read, text as Python strings."""
    loaded = variable.load()
    return loaded.astype(object) if loaded.dtype.kind in "TU" else loaded
