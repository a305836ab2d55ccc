"""Trajectories on disk: one Zarr group, filled block by block, published whole or not at all."""

import math
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr
import zarr

from apexr._files._durable import exchange, move_in, scratch, sync_tree, write_json
from apexr._files._layout import MANIFEST, check_writable, is_published, staging_folder
from apexr._files._local import Local
from apexr._files._place import PathLike, local
from apexr._memory import format_bytes
from apexr.errors import StoreError
from apexr.schema import CONVENTIONS
from apexr.store.unit._codecs import CHUNK_COUNT_LIMIT
from apexr.store.unit._manifest import Unit, entries_below, make_manifest
from apexr.store.unit._publish import ConflictError, sweep_unit
from apexr.store.unit._read import as_lazy, in_memory, opened
from apexr.store.unit._zarr import CHUNK_KEYS, CODECS, checked_store

KIND: Final = "trajectories"
CONCURRENT_CHUNKS = 4
"""Chunks compressed at a time: what they take in memory comes on top of a block."""


@dataclass(frozen=True)
class TrajectoryWriter:
    """An array that is being written.

    Parameters
    ----------
    array
        The Zarr array ``(sample, time, channel, *space)``.
    group
        The group that holds it and the coordinates.
    """

    array: zarr.Array[Any]
    group: zarr.Group

    def write(self, samples: slice, frames: slice, values: np.ndarray) -> None:
        """Write the block of some samples and frames."""
        with zarr.config.set({"async.concurrency": CONCURRENT_CHUNKS}):
            self.array[samples, frames] = values

    def set_coordinate(self, name: str, values: np.ndarray) -> None:
        """Replace the values of a coordinate of the template."""
        coordinate = self.group[name]
        if isinstance(coordinate, zarr.Array):
            coordinate[...] = values


def check_trajectories(path: PathLike, size: int, *, overwrite: bool = False) -> None:
    """Check, before any work, that trajectories of ``size`` bytes can be written at ``path``.

    Raises
    ------
    ConflictError
        If there are some already and ``overwrite`` is false.
    StoreError
        If the path holds something else, cannot be written, or the disk is too small.
    """
    target = local(path, "a store of trajectories")
    check_writable(target, KIND)
    if is_published(target) and not overwrite:
        raise ConflictError(
            f"{target}: trajectories are stored here already; open them with"
            " apexr.open_trajectories, use overwrite=True or another path"
        )
    holder = target.parent
    while not holder.is_there():
        holder = holder.parent
    free = shutil.disk_usage(holder).free
    if size > free:
        raise StoreError(
            f"{target}: the trajectories take {format_bytes(size)}, but the disk has"
            f" {format_bytes(free)} left; choose another one or keep fewer frames (save_every)"
        )


@contextmanager
def writing_trajectories(
    template: xr.DataArray, path: PathLike, chunks: Sequence[int], *, overwrite: bool = False
) -> Iterator[TrajectoryWriter]:
    """Lend the writer of an array; what it has written is published when the block ends.

    If the block fails, nothing is left, neither new nor half.

    Parameters
    ----------
    template
        The labels, with values that are not looked at. Steps that were not written are NaN.
    path
        The store.
    chunks
        Shape of the stored chunks.
    overwrite
        Whether to replace trajectories that are there.

    Raises
    ------
    ConflictError
        If trajectories have come to be there meanwhile and ``overwrite`` is false.
    StoreError
        If they cannot be written.
    """
    unit = local(path, "a store of trajectories")
    count = math.prod(-(-size // part) for size, part in zip(template.shape, chunks, strict=True))
    if count > CHUNK_COUNT_LIMIT:
        raise StoreError(
            f"{unit}: the trajectories would lie in {count} chunks, at most {CHUNK_COUNT_LIMIT} are"
            " read; raise memory_budget, keep fewer frames (save_every), or make several stores"
        )
    try:
        sweep_unit(unit)
        with scratch(staging_folder(unit)) as folder:
            yield _create(template, folder.path, tuple(chunks))
            _consolidate(folder.path)
            _publish(template, folder, unit, overwrite)
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{unit}: not written, {error}") from error


def _create(template: xr.DataArray, folder: Path, chunks: tuple[int, ...]) -> TrajectoryWriter:
    coords = template.coords.to_dataset().drop_encoding()
    coords.assign_attrs(Conventions=CONVENTIONS).to_zarr(
        folder,
        mode="w",
        zarr_format=3,
        consolidated=False,
        encoding={name: {"_FillValue": None} for name in coords.coords},
    )
    group = zarr.open_group(folder, mode="r+")
    array = group.create_array(
        str(template.name),
        shape=template.shape,
        chunks=chunks,
        dtype=template.dtype,
        chunk_key_encoding=CHUNK_KEYS,
        compressors=CODECS,
        fill_value=np.nan,
        dimension_names=[str(dim) for dim in template.dims],
        attributes=template.attrs,
    )
    return TrajectoryWriter(array, group)


def _consolidate(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        zarr.consolidate_metadata(folder)


def _publish(template: xr.DataArray, folder: Local, unit: Local, overwrite: bool) -> None:
    labels = {
        "name": str(template.name),
        "attrs": template.attrs,
        "sizes": {str(dim): size for dim, size in template.sizes.items()},
    }
    write_json(folder / MANIFEST, make_manifest(labels, entries_below(folder), KIND))
    sync_tree(folder)
    if move_in(folder, unit):
        return
    check_trajectories(unit, 0, overwrite=overwrite)
    exchange(folder, unit)


def open_trajectories(path: PathLike) -> xr.DataArray:
    """Return stored trajectories ``(sample, time, channel, *space)``, Dask-backed.

    Raises
    ------
    StoreError
        If nothing is published there, if a file is missing or has another size than the manifest
        says, or if the store is newer than this apexr.
    """
    folder = local(path, "a store of trajectories")
    unit = Unit.open(folder, KIND).check_sizes()
    ds = opened(checked_store(unit))
    array = ds[unit.manifest["name"]]
    coords = {name: in_memory(coord.variable) for name, coord in array.coords.items()}
    return xr.DataArray(as_lazy(array.variable), coords, name=unit.manifest["name"])
