"""Encoding: a Dataset and the weights of its networks as the files of a Zarr group.

A result has some fifty small arrays, and Zarr takes milliseconds for each. Here the same files are
made at once; tests compare them with what xarray and Zarr write. Arrays that are not plain
(Booleans, which xarray stores in a form of its own;
weights in groups) is left to them.
"""

import base64
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import google_crc32c  # a dependency of Zarr
import numpy as np
import xarray as xr
from numcodecs.blosc import compress  # a dependency of Zarr
from numcodecs.vlen import VLenUTF8
from numcodecs.zstd import Zstd

from apexr._files._layout import METADATA, ORDER, WEIGHTS
from apexr.errors import StoreError
from apexr.schema import chunk_shape
from apexr.store.unit._codecs import is_smooth, packed_along_time, smooth_codecs
from apexr.store.unit._zarr import (
    CHUNK_KEYS,
    CODECS,
    LEVEL,
    TEXT_CODECS,
    encoded_by_zarr,
    is_text,
    only_value,
)

Files = dict[str, bytes]
Node = dict[str, Any]

_NAN = base64.b64encode(struct.pack("<d", np.nan)).decode()
_GROUP: Node = {"attributes": {}, "zarr_format": 3, "node_type": "group"}
_NUMBERS = [codec.to_dict() for codec in CODECS]
_TEXT = [codec.to_dict() for codec in TEXT_CODECS]


def encoded(
    ds: xr.Dataset, weights: Mapping[str, np.ndarray] | None = None, *, dense: bool = False
) -> Files:
    """Return the files of the Zarr group that holds a result and the weights of its networks.

    Parameters
    ----------
    ds, weights
        The array to store.
    dense
        Whether what is smooth in time takes a codec that is no part of the Zarr specification.

    Raises
    ------
    StoreError
        If weights have a name or a type that cannot be stored.
    """
    held = {name: np.asarray(values) for name, values in (weights or {}).items()}
    for name, values in held.items():
        _check_weight(name, values)
    given = None if weights is None else held
    if not (_is_plain(ds) and all(_is_plain_weight(*item) for item in held.items())):
        return encoded_by_zarr(ds, given)
    return _files(ds, given, dense)


def _files(ds: xr.Dataset, weights: Mapping[str, np.ndarray] | None, dense: bool) -> Files:
    variables, attrs = xr.conventions.encode_dataset_coordinates(ds)
    files: Files = {}
    nodes: dict[str, Node] = {}
    for key, variable in variables.items():
        dims = [str(dim) for dim in variable.dims]
        told = {name: _plain_value(value) for name, value in variable.attrs.items()}
        if variable.dtype.kind == "f" and key not in ds.coords:
            told["_FillValue"] = _NAN
        smooth = dense and is_smooth(dims, variable.dtype)
        nodes[str(key)] = _add(files, str(key), variable.values, dims, told, smooth=smooth)
    if weights is not None:
        nodes[WEIGHTS] = _GROUP
        files[f"{WEIGHTS}/{METADATA}"] = _json(_GROUP)
    for name, values in (weights or {}).items():
        dims = [f"{name}_{axis}" for axis in range(values.ndim)]
        nodes[f"{WEIGHTS}/{name}"] = _add(files, f"{WEIGHTS}/{name}", values, dims, None)
    told = {**attrs, ORDER: [str(name) for name in ds.data_vars]}
    files[METADATA] = _json(_root({k: _plain_value(v) for k, v in told.items()}, nodes))
    return dict(sorted(files.items()))


def _is_plain(ds: xr.Dataset) -> bool:
    """Tell whether xarray stores all variables as they are."""
    return all(is_text(v) or v.dtype.kind in "iuf" for v in ds.variables.values())


def _is_plain_weight(name: str, values: np.ndarray) -> bool:
    return values.dtype.kind in "iuf" and values.ndim > 0 and "/" not in name


def _check_weight(name: str, values: np.ndarray) -> None:
    wrong = any(part in ("", ".", "..") for part in name.split("/"))
    if values.dtype.kind not in "biufc" or wrong:
        raise StoreError(f"weights: cannot store {name!r} of type {values.dtype}")


def _root(attrs: Mapping[str, Any], nodes: Mapping[str, Node]) -> Node:
    """Return the metadata of the group with those of all that is in it."""

    def inline(metadata: Mapping[str, Node]) -> Node:
        return {"kind": "inline", "must_understand": False, "metadata": metadata}

    held = {
        name: {**node, "consolidated_metadata": inline({})} if node is _GROUP else node
        for name, node in sorted(nodes.items())
    }
    return {**_GROUP, "attributes": attrs, "consolidated_metadata": inline(held)}


def _add(
    files: Files,
    name: str,
    values: np.ndarray,
    dims: Sequence[str],
    attrs: Node | None,
    *,
    smooth: bool = False,
) -> Node:
    """Add the files of an array and return its metadata; weights have no attributes."""
    text = values.dtype.kind in "OU"
    only = None if attrs is None else only_value(values)
    chunks = chunk_shape(dims, values.shape, 16 if text else values.dtype.itemsize)
    node = {
        "shape": list(values.shape),
        "data_type": "string" if text else values.dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunks)}},
        "chunk_key_encoding": {
            "name": CHUNK_KEYS["name"],
            "configuration": {"separator": CHUNK_KEYS["separator"]},
        },
        "fill_value": _fill(values, attrs) if only is None else only,
        "codecs": _codecs(values.dtype, dims, smooth),
        "attributes": attrs or {},
        **({"dimension_names": list(dims)} if dims else {}),
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }
    files[f"{name}/{METADATA}"] = _json(node)
    if only is not None:
        return node
    fill = "" if text else (np.nan if node["fill_value"] == "NaN" else 0)
    for place, block in _blocks(values, chunks, fill):
        key = CHUNK_KEYS["separator"].join(("c", *map(str, place)))
        files[f"{name}/{key}"] = _checked(
            packed_along_time(block, dims) if smooth else _packed(block)
        )
    return node


def _fill(values: np.ndarray, attrs: Node | None) -> Any:
    if values.dtype.kind in "OU":
        return ""
    if values.dtype.kind == "f":
        return 0.0 if attrs is None else "NaN"
    return 0


def _codecs(dtype: np.dtype[Any], dims: Sequence[str], smooth: bool) -> list[Any]:
    if smooth:
        return [*smooth_codecs(dims)]
    if dtype.kind in "OU":
        return [{"name": "vlen-utf8", "configuration": {}}, *_TEXT]
    return _number_codecs(dtype.itemsize)


def _number_codecs(itemsize: int) -> list[Any]:
    order: Node = {"name": "bytes"}
    if itemsize > 1:
        order["configuration"] = {"endian": "little"}
    blosc, *others = _NUMBERS
    typed = {**blosc["configuration"], "typesize": itemsize}  # type: ignore[dict-item]
    return [order, {"name": "blosc", "configuration": typed}, *others]


def _blocks(
    values: np.ndarray, chunks: Sequence[int], fill: Any
) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    """Yield the chunks of an array with their places; those at an end are filled up."""
    counts = (-(-size // chunk) for size, chunk in zip(values.shape, chunks, strict=True))
    for place in np.ndindex(*counts):
        inside = tuple(slice(i * c, (i + 1) * c) for i, c in zip(place, chunks, strict=True))
        block: np.ndarray = values[inside] if inside else values
        if block.shape != tuple(chunks):
            whole = np.full(chunks, fill, values.dtype)
            whole[tuple(slice(0, size) for size in block.shape)] = block
            block = whole
        yield place, np.asarray(block)


def _packed(block: np.ndarray) -> bytes:
    if block.dtype.kind in "OU":
        return _packed_text(block)
    ordered = np.ascontiguousarray(block, block.dtype.newbyteorder("<"))
    size = block.dtype.itemsize
    return bytes(compress(ordered.view("u1").ravel(), b"zstd", LEVEL, 1, 0, size))


def _packed_text(block: np.ndarray) -> bytes:
    return bytes(Zstd(LEVEL).encode(VLenUTF8().encode(block.astype(object).ravel())))


def _checked(data: bytes) -> bytes:
    return data + struct.pack("<I", google_crc32c.value(data))


def _plain_value(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _json(node: Mapping[str, Any]) -> bytes:
    return json.dumps(node, separators=(",", ":")).encode()
