"""Any labeled Dataset on disk, published whole: one Zarr group or one netCDF file."""

import importlib.util
import os
import warnings
from pathlib import Path

import xarray as xr
import zarr

from apexr._files import _disk
from apexr._files._durable import exchange, make_folder, move_in, scratch, sync_tree
from apexr._files._layout import staging_folder
from apexr._files._local import Local
from apexr._files._place import PathLike, local
from apexr.errors import MissingExtraError, SpecError, StoreError, how_to_install
from apexr.store.unit._publish import ConflictError
from apexr.store.unit._read import lazy_dataset
from apexr.store.unit._zarr import encoding

ZARR, NETCDF = ".zarr", ".nc"


def check_dataset_path(path: PathLike) -> Path:
    """Return the absolute path of a store whose suffix names a format that can be written.

    Raises
    ------
    SpecError
        If the suffix is neither ``.zarr`` nor ``.nc``.
    MissingExtraError
        If netCDF is asked for and its package is not installed.
    StoreError
        If something lies in the way.
    """
    target = local(path, "a Dataset of data").path
    if target.suffix not in (ZARR, NETCDF):
        raise SpecError(f"a store must end in {ZARR} or {NETCDF}, got {str(path)!r}")
    if target.suffix == NETCDF and importlib.util.find_spec("h5netcdf") is None:
        raise MissingExtraError(
            f"{NETCDF} files need the package h5netcdf: {how_to_install('netcdf')}, or take a"
            f" store that ends in {ZARR}"
        )
    expected = target.is_dir() if target.suffix == ZARR else target.is_file()
    if os.path.lexists(target) and not expected:
        raise StoreError(f"{target}: something else is there; name another path")
    return target


def publish_dataset(ds: xr.Dataset, path: PathLike, *, overwrite: bool = False) -> Path:
    """Write a Dataset aside, durably, and rename it into place; return its path.

    Parameters
    ----------
    ds
        The data to store, attributes included.
    path
        Ends in ``.zarr`` for a Zarr group, in ``.nc`` for a netCDF file.
    overwrite
        Whether to replace what is there.

    Raises
    ------
    ConflictError
        If the path exists and ``overwrite`` is false.
    SpecError, MissingExtraError, StoreError
        As for a path that cannot be written.
    """
    target = check_dataset_path(path)
    if target.exists() and not overwrite:
        raise ConflictError(
            f"{target}: exists already; use overwrite=True, another path, or open_dataset to read"
        )
    try:
        there = Local(target)
        make_folder(there.parent)
        with scratch(staging_folder(there)) as folder:
            write = _write_zarr if target.suffix == ZARR else _write_netcdf
            write(ds.drop_encoding(), folder, there)
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{target}: not written, {error}") from error
    return target


def _write_zarr(ds: xr.Dataset, folder: Local, target: Local) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        ds.to_zarr(folder.path, mode="w", zarr_format=3, consolidated=False, encoding=encoding(ds))
        zarr.consolidate_metadata(folder.path)
    sync_tree(folder)
    if not move_in(folder, target):
        exchange(folder, target)


def _write_netcdf(ds: xr.Dataset, folder: Local, target: Local) -> None:
    file = folder / target.name
    whole = {name: {"_FillValue": None} for name in ds.coords}
    ds.to_netcdf(file.path, engine="h5netcdf", encoding=whole)
    _disk.sync(file)
    _disk.rename(file, target)
    _disk.sync(target.parent)


def open_dataset(path: PathLike) -> xr.Dataset:
    """Return a stored Dataset, Dask-backed; only coordinates are loaded.

    Raises
    ------
    StoreError
        If nothing that can be read is there.
    SpecError, MissingExtraError
        As for a path that cannot be written.
    """
    target = check_dataset_path(path)
    if not target.exists():
        raise StoreError(f"{target}: nothing is stored here")
    try:
        if target.suffix == ZARR:
            return lazy_dataset(xr.open_zarr(target, consolidated=True, chunks=None))
        return lazy_dataset(xr.open_dataset(target, engine="h5netcdf", chunks={}))
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"{target}: cannot be read, {error}") from error
