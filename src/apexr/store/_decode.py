"""What a chunk holds: decoded into memory of the size that was checked, never into more.

A chunk comes from somewhere, and what it says of its own size is not to be trusted. Zarr is told
that all arrays are plain bytes, and gets them from here.
"""

import json
from typing import Any

from numcodecs import blosc, zstd  # a dependency of Zarr

from apexr._memory import format_bytes
from apexr.errors import StoreError
from apexr.store._limits import Form
from apexr.store._smooth import CRC_BYTES, unpacked
from apexr.store._smooth import NAME as SMOOTH

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_BLOSC_HEAD = 16
_COUNT_BYTES = 4
"""Bytes in which a chunk of text says of how many texts it is."""


def decoded(where: str, data: bytes, form: Form) -> bytes:
    """Return what a chunk holds.

    Parameters
    ----------
    where
        What is named in messages.
    data
        The chunk as it is stored.
    form
        How it is stored, and what it holds.

    Raises
    ------
    StoreError
        If it holds more than it may, less than it must, or is not of this form.
    """
    body = data[:-CRC_BYTES] if form.checksum else data
    if form.codec == SMOOTH:
        return unpacked(where, body, form.dtype, form.size)
    told = (_zstd_size if form.codec == "zstd" else _blosc_size)(body)
    wrong = told is None or told > form.size or (form.dtype != "string" and told != form.size)
    if wrong:
        size = "an unknown size" if told is None else format_bytes(told)
        allowed = format_bytes(form.size)
        raise StoreError(f"{where}: expands to {size}, allowed are {allowed}; refused")
    memory = bytearray(told or 0)
    try:
        (zstd if form.codec == "zstd" else blosc).decompress(body, memory)
    except (RuntimeError, ValueError, TypeError) as error:
        raise StoreError(f"{where}: not readable ({error})") from error
    if form.dtype == "string" and int.from_bytes(memory[:_COUNT_BYTES], "little") != form.amount:
        raise StoreError(f"{where}: holds more or fewer texts than {form.amount}; refused")
    return bytes(memory)


def _blosc_size(data: bytes) -> int | None:
    """Return the size that the header of a Blosc chunk states, if it is whole and of version 2."""
    whole = len(data) >= _BLOSC_HEAD and int.from_bytes(data[12:16], "little") == len(data)
    return int.from_bytes(data[4:8], "little") if whole and data[0] == 2 else None


def _zstd_size(data: bytes) -> int | None:
    """Return the size that the header of a Zstandard frame states (RFC 8878, section 3.1.1.1)."""
    if data[:4] != _ZSTD_MAGIC:
        return None
    descriptor = data[4] if len(data) > 4 else 0
    flag, single = descriptor >> 6, descriptor >> 5 & 1
    width = (1 if single else 0, 2, 4, 8)[flag]
    start = 5 + (0 if single else 1) + (0, 1, 2, 4)[descriptor & 3]
    field = data[start : start + width]
    if not width or len(field) < width:
        return None
    return int.from_bytes(field, "little") + (256 if width == 2 else 0)


def told_as_plain(metadata: bytes) -> bytes:
    """Return metadata in which all arrays are said to be stored as plain bytes."""
    root = json.loads(metadata)
    held = root.get("consolidated_metadata", {}).get("metadata", {})
    for node in (root, *held.values()):
        if node["node_type"] == "array":
            node["codecs"] = [*filter(_is_kept, node["codecs"])]
            if not any(codec["name"] in _TO_BYTES for codec in node["codecs"]):
                node["codecs"].append(_PLAIN)
    return json.dumps(root).encode()


_TO_BYTES = ("bytes", "vlen-utf8")
_PLAIN = {"name": "bytes", "configuration": {"endian": "little"}}


def _is_kept(codec: Any) -> bool:
    """Tell whether a codec is left to Zarr: those that neither compress nor check."""
    return codec["name"] in ("transpose", *_TO_BYTES)
