"""Joining results along ``experiment``: different extents are filled up, and it is told where."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr.schema import CONFIG_COORDS, COORDINATES, SPATIAL_DIMS, presence_name

JOINED = ("seed", "update_step", "time", "test_sample")
GRID_DIMS = (*SPATIAL_DIMS, "channel", "sample")


def grid_key(ds: xr.Dataset) -> tuple[Any, ...]:
    """Return what two results share when their rollouts can lie in one array."""
    axes = [ds[dim] for dim in SPATIAL_DIMS if dim in ds.coords]
    channels = tuple(ds["channel"].values.tolist()) if "channel" in ds.coords else ()
    return (*((axis.size, axis.attrs.get("extent")) for axis in axes), channels)


def group_names(keys: Iterable[tuple[Any, ...]]) -> dict[tuple[Any, ...], str]:
    """Return a name for each grid, by dimension and points."""
    names: dict[tuple[Any, ...], str] = {}
    for key in keys:
        stem = f"{len(key) - 1}d_{key[0][0]}"
        taken = sum(name == stem or name.startswith(f"{stem}_") for name in names.values())
        names[key] = f"{stem}_{taken + 1}" if taken else stem
    return names


def on_grid(array: xr.DataArray) -> bool:
    """Tell whether a variable holds fields."""
    return any(dim in SPATIAL_DIMS for dim in array.dims)


def without_grid(ds: xr.Dataset) -> xr.Dataset:
    """Return a result without fields and the dimensions that only they have."""
    grid = [dim for dim in GRID_DIMS if dim in ds.dims]
    return ds.drop_dims(grid)


def along_experiment(parts: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Join results along ``experiment``, lazily; see :func:`apexr.open_study`."""
    return without_complete(filled_up(parts))


def filled_up(parts: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Join results along ``experiment``; presence coordinates tell what is filling."""
    labels = {dim: all_labels(dim, parts.values()) for dim in JOINED}
    rows = [_as_row(name, ds, labels) for name, ds in parts.items()]
    return concat(rows)


def concat(rows: Sequence[xr.Dataset]) -> xr.Dataset:
    """Join rows of a study along ``experiment``."""
    return xr.concat(
        rows,
        dim="experiment",
        join="outer",
        data_vars="all",
        coords="different",
        compat="equals",
        combine_attrs="drop_conflicts",
    )


def without_complete(joined: xr.Dataset) -> xr.Dataset:
    """Drop the presence coordinates that are true throughout: nothing has been filled up there."""
    complete = [n for n in map(presence_name, JOINED) if n in joined and joined[n].all()]
    return joined.drop_vars(complete)


def all_labels(dim: str, parts: Iterable[xr.Dataset]) -> np.ndarray:
    """Return every label that results have along a dimension, in order."""
    found = [ds[dim].values for ds in parts if dim in ds.coords]
    return np.unique(np.concatenate(found)) if found else np.array([], dtype=np.int64)


def _as_row(name: str, ds: xr.Dataset, labels: Mapping[str, np.ndarray]) -> xr.Dataset:
    """Return one result as a row of the study: config and presence along ``experiment``."""
    config = {c: ("experiment", [ds[c].item()], ds[c].attrs) for c in CONFIG_COORDS if c in ds}
    presence = {
        presence_name(dim): (("experiment", dim), np.isin(known, ds[dim].values)[None])
        for dim, known in labels.items()
        if dim in ds.coords
    }
    wide = ds.reindex({dim: labels[dim] for dim in JOINED if dim in ds.coords})
    row = wide.drop_vars(config).expand_dims(experiment=np.array([name], dtype=object))
    row["experiment"].attrs.update(COORDINATES["experiment"].attrs)
    return row.assign_coords({**_text(config), **presence})


def _text(config: Mapping[str, tuple[str, list[str], dict[str, Any]]]) -> dict[str, xr.Variable]:
    return {
        name: xr.Variable(dim, np.array(values, dtype=object), attrs)
        for name, (dim, values, attrs) in config.items()
    }
