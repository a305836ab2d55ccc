"""Finding a variable by any of its names, and taking a study apart into its experiments."""

import functools
import operator
from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr

from apexr.errors import MissingVariableError, suggest
from apexr.schema import CONFIG_COORDS, COORDINATES, identifier, presence_name, step_dim

Data = xr.Dataset | xr.DataTree | pd.DataFrame

BASE_COLUMNS = ("seed", "scenario", "task", "net", "train", "scenario_kwargs")
"""What identifies a row of every table, in the order of the long tables."""


def pick(ds: xr.Dataset, variable: str) -> xr.DataArray:
    """Return a variable by its name or, for a metric, by its config string.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    """
    for name in (variable, identifier(variable)):
        if name in ds.data_vars:
            return ds[name]
    raise missing(variable, [str(name) for name in ds.data_vars])


def values_of(data: xr.Dataset | xr.DataArray, variable: str) -> xr.DataArray:
    """Return an array as it is, or the variable of a Dataset.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    """
    return data if isinstance(data, xr.DataArray) else pick(data, variable)


def require_dim(array: xr.DataArray, dim: str) -> None:
    """Refuse a dimension that an array does not have.

    Raises
    ------
    MissingVariableError
        Listing those that it has.
    """
    if dim not in array.dims:
        known = list(map(str, array.dims))
        raise MissingVariableError(
            f"{array.name!r} has no dimension {dim!r}; it has {', '.join(known) or 'none'}"
            f"{suggest(dim, known)}"
        )


def in_one_chunk(array: xr.DataArray, dim: str) -> xr.DataArray:
    """Return the array with all of ``dim`` in one chunk, if it is lazy; its labels stay as is."""
    if array.chunks is None:
        return array
    return array.copy(data=array.data.rechunk({array.get_axis_num(dim): -1}))


def read_labels(coord: xr.DataArray) -> np.ndarray:
    """Return the values of a coordinate at once, also where a Dataset was chunked as a whole.

    Labels say what is computed, so that they are no part of a lazy result.
    """
    if coord.chunks is None:
        return coord.values
    import dask

    with dask.config.set(scheduler="synchronous"):
        return coord.values


def missing(variable: str, known: list[str]) -> MissingVariableError:
    """Return the error for a variable that is not there."""
    listing = ", ".join(known) or "nothing"
    return MissingVariableError(
        f"no {variable!r} here; there is {listing}{suggest(variable, known)}"
    )


def leaves(tree: xr.DataTree) -> Iterator[xr.Dataset]:
    """Yield the Dataset of every group of a tree that holds variables."""
    yield from (node.to_dataset() for node in tree.subtree if node.data_vars)


def experiments(ds: xr.Dataset) -> Iterator[xr.Dataset]:
    """Yield each experiment of a study, cut back to what it has; or the one result itself."""
    if "experiment" not in ds.dims:
        yield ds
        return
    for index in range(ds.sizes["experiment"]):
        one = ds.isel(experiment=index)
        has = {dim: one.coords.get(presence_name(str(dim))) for dim in one.dims}
        yield one.isel({dim: mask.values for dim, mask in has.items() if mask is not None})


def present(array: xr.DataArray) -> xr.DataArray | None:
    """Return where a study's array has entries, or None where it has them all.

    Entries that are absent only fill a study up to a common extent; they are not results. That
    holds for a step that was selected, too: ``has_time`` then lies along ``experiment`` alone.
    """
    masks = [mask for name, mask in array.coords.items() if _is_presence(str(name), mask)]
    return functools.reduce(operator.and_, masks) if masks else None


def _is_presence(name: str, mask: xr.DataArray) -> bool:
    dim = name.removeprefix(presence_name(""))
    declared = dim in COORDINATES or dim.startswith(step_dim(""))
    return name == presence_name(dim) and declared and mask.dtype.kind == "b"


def by_seed(array: xr.DataArray) -> xr.DataArray:
    """Return the array with a seed dimension, of size 1 where one seed was selected."""
    return array if "seed" in array.dims else array.expand_dims("seed")


def config_columns(ds: xr.Dataset) -> list[str]:
    """Return the config coordinates that a result has."""
    return [name for name in CONFIG_COORDS if name in ds.coords]
