"""The bridge to Zarr: a unit as a read-only Zarr store, and a Dataset as the files of a store.

Only files that the manifest lists are read, checked byte for byte at that time: a chunk that has
gone, or has changed, is an error that names it, never a number.
"""

import asyncio
import json
import warnings
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr
import zarr
from zarr.abc.store import (
    ByteRequest,
    OffsetByteRequest,
    RangeByteRequest,
    Store,
    SuffixByteRequest,
)
from zarr.codecs import BloscCodec, Crc32cCodec, ZstdCodec
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import MemoryStore

from apexr._files._durable import Source, digest
from apexr._files._layout import METADATA, ORDER, WEIGHTS
from apexr.errors import StoreError
from apexr.schema import chunk_shape
from apexr.store.unit._codecs import checked_forms, decoded, told_as_plain
from apexr.store.unit._manifest import Unit

LEVEL = 3
CODECS = (BloscCodec(cname="zstd", clevel=LEVEL, shuffle="shuffle"), Crc32cCodec())
"""Numbers: their bytes are sorted by significance first, which saves a fifth of a result."""
TEXT_CODECS = (ZstdCodec(level=LEVEL), Crc32cCodec())
SMALL = 4096
"""Bytes of an array up to which it is looked whether all its values are the same."""
CHUNK_KEYS: dict[str, Any] = {"name": "default", "separator": "."}
"""Chunks lie in one folder: few folders have to be made durable."""


class CheckedStore(Store):
    """A read-only Zarr store of the files that a manifest lists.

    Parameters
    ----------
    source
        The files.
    files
        Size and digest of each, as the manifest has them.
    prefix
        Where the Zarr group begins.
    """

    def __init__(self, source: Source, files: Mapping[str, Any], prefix: str) -> None:
        super().__init__(read_only=True)
        self.source = source
        self.prefix = prefix
        self.files = {
            name.removeprefix(prefix): entry
            for name, entry in files.items()
            if name.startswith(prefix)
        }
        self.forms = checked_forms(f"{source.where}: {prefix}{METADATA}", self.content(METADATA))

    def content(self, key: str) -> bytes:
        """Return a file of the group, if it is what the manifest says.

        Raises
        ------
        StoreError
            If it is missing, changed, or expands to more than its array allows.
        """
        name = f"{self.prefix}{key}"
        try:
            data = self.source.read(name)
        except FileNotFoundError:
            raise StoreError(f"{self.source.where}: damaged\n  {name}: missing") from None
        entry = self.files.get(key)
        if entry is None or digest(data) != entry["blake2b"]:
            raise StoreError(f"{self.source.where}: damaged\n  {name}: content changed")
        return data

    def checked(self, key: str) -> bytes:
        """Return a file as Zarr is to see it: metadata of plain arrays, and what chunks hold."""
        data = self.content(key)
        if key.rpartition("/")[2] == METADATA:
            return told_as_plain(data)
        form = self.forms.get(_array_of(key))
        if form is None:
            raise StoreError(f"{self.source.where}: {self.prefix}{key} belongs to no array")
        return decoded(f"{self.source.where}: {self.prefix}{key}", data, form)

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Return a file, or None for one that the manifest does not list."""
        if key not in self.files:
            return None
        data = await asyncio.to_thread(self.checked, key)
        return prototype.buffer.from_bytes(_part(data, byte_range))

    async def get_partial_values(
        self,
        prototype: BufferPrototype,
        key_ranges: Iterable[tuple[str, ByteRequest | None]],
    ) -> list[Buffer | None]:
        """Return parts of files."""
        return [await self.get(key, prototype, part) for key, part in key_ranges]

    async def exists(self, key: str) -> bool:
        """Tell whether the manifest lists a file."""
        return key in self.files

    async def list(self) -> AsyncIterator[str]:
        """Yield all files."""
        for name in self.files:
            yield name

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Yield the files that begin with ``prefix``."""
        for name in self.files:
            if name.startswith(prefix):
                yield name

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Yield the names right below ``prefix``."""
        start = f"{prefix.rstrip('/')}/" if prefix else ""
        inner = {n.removeprefix(start).split("/")[0] for n in self.files if n.startswith(start)}
        for name in sorted(inner):
            yield name

    supports_writes = False
    supports_deletes = False
    supports_listing = True

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse: what is published does not change."""
        raise StoreError(f"{self.source.where}: read only")

    async def delete(self, key: str) -> None:
        """Refuse: what is published does not change."""
        raise StoreError(f"{self.source.where}: read only")

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, CheckedStore)
            and (self.source, self.prefix) == (other.source, other.prefix)
            and self.files == other.files
        )

    __hash__ = None  # type: ignore[assignment]


def checked_store(unit: Unit) -> CheckedStore:
    """Return the Zarr store of a unit; what is read from it is checked against its manifest."""
    return CheckedStore(unit.source, unit.manifest["files"], unit.prefix)


def _array_of(key: str) -> str:
    """Return the array to which a chunk belongs: ``a/b/c/0/1`` or ``a/b/c.0.1``."""
    parts = key.split("/")
    while parts and (parts[-1].isdigit() or parts[-1] == "c" or parts[-1].startswith("c.")):
        last = parts.pop()
        if not last.isdigit():
            break
    return "/".join(parts)


def _part(data: bytes, wanted: ByteRequest | None) -> bytes:
    match wanted:
        case RangeByteRequest():
            return data[wanted.start : wanted.end]
        case OffsetByteRequest():
            return data[wanted.offset :]
        case SuffixByteRequest():
            return data[max(0, len(data) - wanted.suffix) :]
        case _:
            return data


# --- writing ---------------------------------------------------------------------------------


def encoded_by_zarr(
    ds: xr.Dataset, weights: Mapping[str, np.ndarray] | None = None
) -> dict[str, bytes]:
    """Return the files of a Zarr group as xarray and Zarr make them."""
    files: dict[str, Buffer] = {}
    memory = MemoryStore(files)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        order = {ORDER: [str(name) for name in ds.data_vars]}
        bare = _with_whole_text(ds.drop_encoding()).assign_attrs(order)
        bare.to_zarr(
            memory,
            mode="w",
            zarr_format=3,
            consolidated=False,
            encoding=encoding(bare),
            write_empty_chunks=True,  # a NaN has many forms, and zero two
        )
        if weights is not None:
            _write_weights(weights, memory)
        zarr.consolidate_metadata(memory)
    held = {name: content.to_bytes() for name, content in sorted(files.items())}
    return _without_constants(held, ds)


def only_value(values: np.ndarray) -> Any:
    """Return the value that all numbers or texts of a small array have, as metadata hold it.

    None where they differ, or where metadata cannot tell them apart: NaN has many forms, zero two.
    Zarr takes such a value from the metadata, as that of chunks that are not there.
    """
    if not values.size or values.dtype.kind not in "iufOU" or values.nbytes > SMALL:
        return None
    first = values.flat[0]
    if values.dtype.kind in "OU":
        equal = len(first) <= SMALL and bool(np.all(values == first))
        return str(first) if equal and first.encode() == str(first).encode() else None
    if values.tobytes() != first.tobytes() * values.size:
        return None
    number = first.item()
    if values.dtype.kind != "f" or np.isfinite(number):
        return None if str(number) == "-0.0" else number
    return None if np.isnan(number) else ("Infinity" if number > 0 else "-Infinity")


def _without_constants(files: Mapping[str, bytes], ds: xr.Dataset) -> dict[str, bytes]:
    """Return the files of a group with what is the same throughout in the metadata alone."""
    told = {str(name): only_value(variable.values) for name, variable in ds.variables.items()}
    constant = {name: value for name, value in told.items() if value is not None}
    root = json.loads(files[METADATA])
    kept = {n: data for n, data in files.items() if _array_of(n) not in constant or METADATA in n}
    for name, value in constant.items():
        node = {**json.loads(files[f"{name}/{METADATA}"]), "fill_value": value}
        root["consolidated_metadata"]["metadata"][name]["fill_value"] = value
        kept[f"{name}/{METADATA}"] = json.dumps(node).encode()
    return {**kept, METADATA: json.dumps(root).encode()}


def _with_whole_text(ds: xr.Dataset) -> xr.Dataset:
    """Return a Dataset whose text has any length and may end in NUL."""
    text = {n: v.astype(np.dtypes.StringDType()) for n, v in ds.variables.items() if is_text(v)}
    return ds.assign_coords({name: text[name] for name in text})


def is_text(variable: xr.Variable) -> bool:
    """Tell whether a variable holds text."""
    return variable.dtype.kind in "OU"


def encoding(ds: xr.Dataset) -> dict[str, dict[str, object]]:
    """Return how each variable is compressed and cut into chunks; coordinates lack no value."""
    return {
        str(name): {
            **({"_FillValue": None} if name in ds.coords else {}),
            "compressors": TEXT_CODECS if variable.dtype.kind in "OUT" else CODECS,
            "chunk_key_encoding": CHUNK_KEYS,
            "chunks": chunk_shape(
                [str(dim) for dim in variable.dims], variable.shape, variable.dtype.itemsize
            ),
        }
        for name, variable in ds.variables.items()
    }


def _write_weights(weights: Mapping[str, np.ndarray], memory: MemoryStore) -> None:
    group = zarr.open_group(memory, mode="r+").create_group(WEIGHTS)
    for name, values in weights.items():
        array = np.asarray(values)
        dims = [f"{name}_{axis}" for axis in range(array.ndim)]
        chunks = chunk_shape(dims, array.shape, array.dtype.itemsize)
        group.create_array(
            name,
            shape=array.shape,
            dtype=array.dtype,
            chunks=chunks,
            chunk_key_encoding=CHUNK_KEYS,
            compressors=CODECS,
            dimension_names=dims,
        )[...] = array
