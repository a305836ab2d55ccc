"""NumPy files: read by their header, without running anything and without holding all of it."""

import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from xarray.backends import BackendArray
from xarray.core import indexing

from apexr._memory import available_memory, format_bytes
from apexr.errors import SpecError, StoreError
from apexr.exchange.readers._recording import check_real


class _Parts(BackendArray):
    """An array of which each access reads a part and keeps nothing."""

    def __init__(
        self, shape: tuple[int, ...], dtype: Any, read: Callable[[tuple[Any, ...]], np.ndarray]
    ) -> None:
        self.shape, self.dtype, self.read = shape, np.dtype(dtype), read

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        support = indexing.IndexingSupport.BASIC
        return indexing.explicit_indexing_adapter(key, self.shape, support, self.read)


def in_parts(
    shape: tuple[int, ...], dtype: Any, read: Callable[[tuple[Any, ...]], np.ndarray]
) -> Any:
    """Return an array for xarray that is read in parts, by slices and numbers."""
    return indexing.LazilyIndexedArray(_Parts(shape, dtype, read))


def npy_array(path: Path) -> Any:
    """Return the array of a ``.npy`` file, lazily.

    Raises
    ------
    SpecError
        If it holds objects, which are programs, or anything but real numbers.
    StoreError
        If it is damaged.
    """
    try:
        with path.open("rb") as file:
            older = np.lib.format.read_magic(file) == (1, 0)
            read_header = (
                np.lib.format.read_array_header_1_0
                if older
                else np.lib.format.read_array_header_2_0
            )
            shape, is_fortran, dtype = read_header(file)
            offset = file.tell()
        size = path.stat().st_size
    except (OSError, ValueError, EOFError) as error:
        raise StoreError(f"{path}: damaged, or no .npy file ({error})") from error
    check_real(dtype, str(path))
    wanted = offset + math.prod(shape) * dtype.itemsize
    if wanted != size:
        raise StoreError(f"{path}: damaged, its header asks for {wanted} bytes and it has {size}")

    def part(key: tuple[Any, ...]) -> np.ndarray:
        order: Any = "F" if is_fortran else "C"
        return np.array(np.memmap(path, dtype, "r", offset, shape, order)[key])

    return in_parts(shape, dtype, part)


def npz_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a ``.npz`` file; they are held in memory.

    Raises
    ------
    SpecError
        If they hold objects, or do not fit into memory.
    StoreError
        If the file is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > available_memory() // 2:
            raise SpecError(
                f"{path}: {format_bytes(size)}, which an archive has to be read at once; save the"
                " array as .npy, HDF5 or Zarr, which are read in parts"
            )
        with np.load(path) as held:
            return {name: held[name] for name in held.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, SpecError):
            raise
        if "Object arrays" in str(error):
            raise SpecError(f"{path}: holds objects, which are programs; refused") from None
        raise StoreError(f"{path}: damaged, or no .npz file ({error})") from error
