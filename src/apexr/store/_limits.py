"""What a store may ask of its reader: refused before anything is allocated or decoded.

A store is data from somewhere. Its metadata may declare more than the disk holds, its chunks may
expand to more than the memory, its codecs may be programs. Only what apexr itself writes is read.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from apexr._memory import format_bytes
from apexr.errors import StoreError
from apexr.store._files import parse_json
from apexr.store._smooth import is_packed_along_time, smooth_problems

CHUNK_LIMIT = 2**26
"""Bytes that one chunk may hold."""
LOADED_LIMIT = 2**26
"""Bytes of a coordinate: they are loaded when a store is opened."""
ELEMENT_LIMIT = 10**11
CHUNK_COUNT_LIMIT = 10**6

_COMPRESSORS = frozenset({"blosc", "zstd"})
_CODECS = frozenset({"bytes", "crc32c", "vlen-utf8"}) | _COMPRESSORS
_NUMBER = re.compile(r"bool|u?int(8|16|32|64)|float(16|32|64)|complex(64|128)")
_SIZES = {"bool": 1, "complex64": 8, "complex128": 16}
_TEXT_SIZE = 16
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class Chunks(NamedTuple):
    """What the chunks of a store may hold, by the names of the arrays.

    Attributes
    ----------
    limits
        Bytes to which a chunk may expand, of compressed arrays.
    smooth
        The type of the numbers, of arrays that are packed along time.
    """

    limits: dict[str, int]
    smooth: dict[str, str]


def checked_chunks(where: str, metadata: bytes) -> Chunks:
    """Return what the chunks of a store may hold, once its metadata are checked.

    Parameters
    ----------
    where
        What is named in messages.
    metadata
        The consolidated metadata of the Zarr group: the only ones that are read.

    Raises
    ------
    StoreError
        Naming every array that asks for more than the limits, or for what apexr never writes.
    """
    root = parse_json(where, metadata)
    try:
        nodes = root["consolidated_metadata"]["metadata"]
        loaded = _loaded(root, nodes)
        arrays = {name: node for name, node in nodes.items() if node["node_type"] == "array"}
        problems = [
            f"{name!r}: {problem}"
            for name, node in arrays.items()
            for problem in _problems(name, node, name in loaded or len(node["shape"]) < 2)
        ]
        limits = {name: _chunk_bytes(node) for name, node in arrays.items() if _is_packed(node)}
        smooth = {n: node["data_type"] for n, node in arrays.items() if is_packed_along_time(node)}
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise StoreError(f"{where}: not the metadata of a store ({error!r})") from error
    if problems:
        raise StoreError(f"{where}: refused\n  " + "\n  ".join(problems))
    return Chunks(limits, smooth)


def _loaded(root: Mapping[str, Any], nodes: Mapping[str, Any]) -> set[str]:
    holders = [root, *nodes.values()]
    return {
        name
        for holder in holders
        for name in str(holder.get("attributes", {}).get("coordinates", "")).split()
    }


def _problems(name: str, node: Mapping[str, Any], loaded: bool) -> Iterator[str]:
    if any(part in ("", ".", "..") for part in name.split("/")):
        yield "not a name"
    codecs = [codec["name"] for codec in node["codecs"]]
    if is_packed_along_time(node):
        yield from smooth_problems(node)
    elif not set(codecs) <= _CODECS:
        yield f"codecs {codecs}, expected some of {sorted(_CODECS)}"
    if node.get("storage_transformers") or node["chunk_grid"]["name"] != "regular":
        yield "not stored in regular chunks"
    kind = node["data_type"]
    if kind != "string" and not (isinstance(kind, str) and _NUMBER.fullmatch(kind)):
        yield f"data type {kind!r}"
        return
    shape, chunk = node["shape"], _chunk(node)
    if len(shape) != len(chunk) or any(n < 0 for n in shape) or any(n < 1 for n in chunk):
        yield f"shape {shape} in chunks of {chunk}"
        return
    yield from _too_much(shape, chunk, _item(kind), loaded)


def _too_much(shape: list[int], chunk: list[int], item: int, loaded: bool) -> Iterator[str]:
    count = math.prod(-(-size // part) for size, part in zip(shape, chunk, strict=True))
    if loaded and math.prod(shape) * item > LOADED_LIMIT:
        yield f"coordinate of {format_bytes(math.prod(shape) * item)}"
    if math.prod(shape) > ELEMENT_LIMIT:
        yield f"shape {shape}, over {ELEMENT_LIMIT:.0e} numbers"
    if count > CHUNK_COUNT_LIMIT:
        yield f"{count} chunks, over {CHUNK_COUNT_LIMIT}"
    if math.prod(chunk) * item > CHUNK_LIMIT:
        yield f"chunks of {format_bytes(math.prod(chunk) * item)}"


def _chunk(node: Mapping[str, Any]) -> list[int]:
    return list(node["chunk_grid"]["configuration"]["chunk_shape"])


def _is_packed(node: Mapping[str, Any]) -> bool:
    compressed = any(codec["name"] in _COMPRESSORS for codec in node["codecs"])
    return compressed or is_packed_along_time(node)


def _chunk_bytes(node: Mapping[str, Any]) -> int:
    if node["data_type"] == "string":
        return CHUNK_LIMIT
    return math.prod(_chunk(node)) * _item(str(node["data_type"]))


def _item(kind: str) -> int:
    if kind == "string":
        return _TEXT_SIZE
    bits = re.sub(r"\D", "", kind)
    return _SIZES.get(kind) or int(bits) // 8


def check_expansion(where: str, data: bytes, limit: int) -> None:
    """Check that a compressed chunk expands to no more than it may.

    Raises
    ------
    StoreError
        If it says that it holds more, or does not say how much.
    """
    size = (_zstd_size if data[:4] == _ZSTD_MAGIC else _blosc_size)(data)
    if size is None or size > limit:
        told = "an unknown size" if size is None else format_bytes(size)
        raise StoreError(f"{where}: expands to {told}, allowed are {format_bytes(limit)}; refused")


def _blosc_size(data: bytes) -> int | None:
    """Return the size that the header of a Blosc chunk states, if it is one of version 2."""
    return int.from_bytes(data[4:8], "little") if len(data) >= 16 and data[0] == 2 else None


def _zstd_size(data: bytes) -> int | None:
    """Return the size that the header of a Zstandard frame states (RFC 8878, section 3.1.1.1)."""
    descriptor = data[4] if len(data) > 4 else 0
    flag, single = descriptor >> 6, descriptor >> 5 & 1
    width = (1 if single else 0, 2, 4, 8)[flag]
    start = 5 + (0 if single else 1) + (0, 1, 2, 4)[descriptor & 3]
    field = data[start : start + width]
    if not width or len(field) < width:
        return None
    return int.from_bytes(field, "little") + (256 if width == 2 else 0)
