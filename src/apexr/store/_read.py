"""Lazy readers of one experiment; nothing is read before names and sizes are checked."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
import zarr

from apexr.errors import StoreError
from apexr.schema import VARIABLES
from apexr.store._along_seed import along_seed, weights_along_seed
from apexr.store._layout import ORDER, WEIGHTS, unit_of
from apexr.store._limits import UNSTORED_LIMIT
from apexr.store._manifest import check_sizes, prefix_of
from apexr.store._migrate import migrated
from apexr.store._parts import units_behind
from apexr.store._place import PathLike, Place
from apexr.store._source import source_of
from apexr.store._zarr import CheckedStore


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
    unit = path if experiment is None else unit_of(path, experiment)
    result = along_seed([open_unit(part) for part in units_behind(unit)])
    result.encoding["source"] = str(unit)  # as xarray's own readers say where data are from
    return result


def open_unit(unit: Place) -> xr.Dataset:
    """Return the result that one unit holds, lazily."""
    return lazy_dataset(open_plain(unit))


def open_plain(unit: Place) -> xr.Dataset:
    """Return the result of one unit as Zarr gives it: read when it is touched, without Dask."""
    manifest = check_sizes(unit)
    ds = _labelled(_in_order(opened(checked_store(unit, manifest))), manifest["config"])
    return migrated(ds, manifest["schema_version"], str(unit))


def checked_store(unit: Place, manifest: Mapping[str, Any]) -> CheckedStore:
    """Return the Zarr store of a unit; what is read from it is checked against its manifest."""
    return CheckedStore(source_of(unit), manifest["files"], prefix_of(unit, manifest))


def opened(store: CheckedStore) -> xr.Dataset:
    """Return the Dataset of a store, not loaded and not chunked."""
    try:
        return xr.open_zarr(store, consolidated=True, chunks=None, zarr_format=3)
    except StoreError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{store.source.where}: not readable ({error})") from error


def lazy_dataset(ds: xr.Dataset) -> xr.Dataset:
    """Return an opened Dataset with Dask-backed variables and with coordinates in memory.

    It carries no encoding: how one result was stored fits neither a selection of it nor a join.
    """
    lazy = {name: as_lazy(array.variable) for name, array in ds.data_vars.items()}
    return with_text(ds).assign(lazy).drop_encoding()


def _labelled(ds: xr.Dataset, config: Mapping[str, str]) -> xr.Dataset:
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


def read_weights(
    unit: PathLike, expected: Mapping[str, tuple[int, ...]] | None = None
) -> dict[str, np.ndarray]:
    """Return the stored weights: plain arrays by name; they lead with the seeds if there are more.

    Parameters
    ----------
    unit
        The store of one experiment, or an experiment of a study.
    expected
        The shapes of the arrays without seeds, which are compared before any array is read.

    Raises
    ------
    StoreError
        As for :func:`open_experiment`, and if arrays have other shapes than expected, or are
        declared and not there.
    """
    units = units_behind(unit)
    manifests = [check_sizes(part) for part in units]
    pairs = zip(units, manifests, strict=True)
    weights = [_weights_of(part, manifest, expected) for part, manifest in pairs]
    return weights_along_seed(weights, [manifest.get("seeds", []) for manifest in manifests])


def _weights_of(
    unit: Place, manifest: Mapping[str, Any], expected: Mapping[str, tuple[int, ...]] | None
) -> dict[str, np.ndarray]:
    store = checked_store(unit, manifest)
    group = zarr.open_group(store, mode="r", use_consolidated=True)[WEIGHTS]
    members = group.members(max_depth=None) if isinstance(group, zarr.Group) else ()
    arrays = {name: node for name, node in members if isinstance(node, zarr.Array)}
    shapes = {name: array.shape for name, array in arrays.items()}
    if expected is not None and shapes:
        check_shapes(str(unit), shapes, expected, len(manifest["seeds"]))
    if sum(map(_unstored, arrays.values())) > UNSTORED_LIMIT:
        raise StoreError(f"{unit}: refused, it declares weights that it does not hold")
    return {name: np.asarray(array[...]) for name, array in arrays.items()}


def _unstored(array: zarr.Array[Any]) -> int:
    """Return the bytes of the chunks that are not there: they are filled with one number."""
    share = 1 - array.nchunks_initialized / max(1, array.nchunks)
    return int(array.nbytes * share)


def check_shapes(
    where: str,
    shapes: Mapping[str, tuple[int, ...]],
    expected: Mapping[str, tuple[int, ...]],
    num_seeds: int,
) -> None:
    """Check that weights are those of a network.

    Parameters
    ----------
    where
        What is named in messages.
    shapes, expected
        The shapes that there are, and those of the network of one seed.
    num_seeds
        How many seeds the weights lead with, if there are several.

    Raises
    ------
    StoreError
        Naming an array that is missing, is none of the network, or has another shape.
    """
    for name in sorted({*shapes, *expected}):
        wanted, there = expected.get(name), shapes.get(name)
        if wanted is None or there is None:
            which = "lacks" if there is None else "has more than the network:"
            raise StoreError(f"{where}: not the weights of its experiment, {which} {name!r}")
        if there != (wanted if num_seeds == 1 else (num_seeds, *wanted)):
            raise StoreError(
                f"{where}: not the weights of its experiment, {name!r} has shape {there}, the"
                f" network {wanted}, for {num_seeds} seeds"
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
