"""Chunks of strangers: limits, codecs, decoding.

A store is data from somewhere. Its metadata may declare more than the disk holds, its chunks may
expand to more than the memory, its codecs may be programs. Only what apexr itself writes is
read: the codecs of an array are one of a few chains, in their order, and a chunk is decoded into
memory of the size that was checked, never into more. To Zarr all arrays are plain
bytes, and gets them from here.

Trajectories and errors of samples may be stored with each number predicted from those before it
in time. The codec is pcodec [1]_, by the name that Zarr-Python gives it, with time as the last
axis. Up to two fifths fewer bytes follow than from sorting bytes by significance; every bit
comes back.

References
----------
.. [1] Loncaric, Jeppesen and Zinberg (2025), "Pcodec: Better Compression for Numerical Sequences".

"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numcodecs import blosc, zstd  # a dependency of Zarr
from numcodecs.pcodec import PCodec
from pcodec import standalone

from apexr._files._durable import parse_json
from apexr._files._layout import WEIGHTS
from apexr._memory import format_bytes
from apexr.errors import StoreError

# --- numbers predicted in time -------------------------------------------------------------------

SMOOTH = "numcodecs.pcodec"
CONFIGURATION = {"level": 6, "mode_spec": "classic"}
"""Above this level a hundredth is gained and half the time lost; other modes are for decimals."""
SMOOTH_TYPES = ("float32", "float64")
CRC_BYTES = 4

Node = Mapping[str, Any]
"""The metadata of one array."""

_CODEC = PCodec(**CONFIGURATION)
_CRC = {"name": "crc32c"}


def is_smooth(dims: Sequence[str], dtype: np.dtype[Any]) -> bool:
    """Tell whether an array changes little by little in time and is large enough to care.

    Means over samples are not: studies read those of many experiments at once.
    """
    return "time" in dims and bool({*dims} - {"seed", "time"}) and dtype.name in SMOOTH_TYPES


def smooth_codecs(dims: Sequence[str]) -> list[Node]:
    """Return the codecs of an array of these dimensions, as Zarr's metadata have them."""
    packed = {"name": SMOOTH, "configuration": CONFIGURATION}
    order = _time_last(dims)
    if order == sorted(order):
        return [packed, _CRC]
    return [{"name": "transpose", "configuration": {"order": order}}, packed, _CRC]


def _time_last(dims: Sequence[str]) -> list[int]:
    time = list(dims).index("time")
    return [*(axis for axis in range(len(dims)) if axis != time), time]


def packed_along_time(block: np.ndarray, dims: Sequence[str]) -> bytes:
    """Return a chunk without its checksum."""
    turned = block.transpose(_time_last(dims))
    return bytes(_CODEC.encode(np.ascontiguousarray(turned, block.dtype.newbyteorder("="))))


def unpacked(where: str, data: bytes, dtype: str, size: int) -> bytes:
    """Return the numbers of a chunk as plain bytes, little end first.

    Parameters
    ----------
    where
        The name in messages.
    data
        The chunk without its checksum.
    dtype, size
        Type of its numbers and how many bytes they take.

    Raises
    ------
    StoreError
        If it holds more numbers, fewer, or others.
    """
    values = np.empty(size // np.dtype(dtype).itemsize, dtype)
    try:
        done = standalone.simple_decompress_into(data, values)
    except (RuntimeError, TypeError) as error:
        raise StoreError(f"{where}: not {dtype} packed along time ({error})") from error
    if not done.finished or done.n_processed != values.size:
        raise StoreError(f"{where}: holds more or fewer numbers than {values.size}; refused")
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()


# --- limits --------------------------------------------------------------------------------------

CHUNK_LIMIT = 2**26
"""Bytes that one chunk may hold."""
TEXT_LIMIT = 2**24
"""Bytes that the text of one chunk may take."""
LOADED_LIMIT = 2**26
"""Bytes of all coordinates together: they are loaded when a store is opened."""
UNSTORED_LIMIT = 2**26
"""Bytes of weights that are declared and have no chunk."""
ELEMENT_LIMIT = 10**11
CHUNK_COUNT_LIMIT = 50_000
"""Chunks of one array: Zarr takes some 2 kB for each while it reads them together."""
ARRAY_LIMIT = 10_000
DIMENSION_LIMIT = 16

CHAINS = (
    ("bytes", "blosc", "crc32c"),
    ("bytes", "zstd", "crc32c"),  # of schema 1
    ("bytes", "zstd"),  # coordinates of trajectories
    ("vlen-utf8", "zstd", "crc32c"),
    ("vlen-utf8", "zstd"),
    (SMOOTH, "crc32c"),
    ("transpose", SMOOTH, "crc32c"),
)
"""The codecs of an array, in their order, in all that apexr has ever written."""

_NUMBER = re.compile(r"bool|u?int(8|16|32|64)|float(16|32|64)|complex(64|128)")
_SIZES = {"bool": 1, "complex64": 8, "complex128": 16}
_TEXT_SIZE = 64
"""Bytes that a text takes in memory, however short it is."""


class Form(NamedTuple):
    """How the chunks of an array are stored.

    Attributes
    ----------
    codec
        That which compresses: ``"blosc"``, ``"zstd"`` or that for what is smooth in time.
    dtype
        Type of the numbers, or ``"string"``.
    amount
        Numbers or texts of a chunk.
    checksum
        Whether four bytes of a checksum follow.
    """

    codec: str
    dtype: str
    amount: int
    checksum: bool

    @property
    def size(self) -> int:
        """Bytes of a chunk of numbers; the most that one of text may have."""
        return TEXT_LIMIT if self.dtype == "string" else self.amount * item_size(self.dtype)


def checked_forms(where: str, metadata: bytes) -> dict[str, Form]:
    """Return how the chunks of each array are stored, once the metadata are checked.

    Parameters
    ----------
    where
        The name in messages.
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
            for problem in _problems(name, node, loaded)
        ]
        problems += [f"{len(nodes)} arrays"] if len(nodes) > ARRAY_LIMIT else []
        problems += [] if problems else _of_all_loaded(arrays, loaded)
        forms = {} if problems else {name: _form(node) for name, node in arrays.items()}
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise StoreError(f"{where}: not the metadata of a store ({error!r})") from error
    if problems:
        raise StoreError(f"{where}: refused\n  " + "\n  ".join(problems[:_TOLD]))
    return forms


_TOLD = 20
"""Problems that a message names."""


def _form(node: Node) -> Form:
    names = [codec["name"] for codec in node["codecs"]]
    count = math.prod(_chunk(node))
    checked = names[-1] == "crc32c"
    return Form(names[-2] if checked else names[-1], node["data_type"], count, checked)


def _loaded(root: Mapping[str, Any], nodes: Mapping[str, Any]) -> set[str]:
    """Return what is loaded when the store is opened: coordinates, and what is small."""
    holders = [root, *nodes.values()]
    named = {
        name
        for holder in holders
        for name in str(holder.get("attributes", {}).get("coordinates", "")).split()
    }
    return named | {
        name
        for name, node in nodes.items()
        if node["node_type"] == "array" and len(node["shape"]) < 2 and not is_weight(name)
    }


def is_weight(name: str) -> bool:
    """Tell whether an array holds weights."""
    return name.partition("/")[0] == WEIGHTS


def _of_all_loaded(arrays: Mapping[str, Node], loaded: set[str]) -> list[str]:
    total = sum(
        math.prod(node["shape"]) * item_size(node["data_type"])
        for name, node in arrays.items()
        if name in loaded
    )
    return [f"coordinates of {format_bytes(total)}"] if total > 2 * LOADED_LIMIT else []


def _problems(name: str, node: Node, loaded: set[str]) -> Iterator[str]:
    if any(part in ("", ".", "..") for part in name.split("/")):
        yield "not a name"
    kind = node["data_type"]
    if kind != "string" and not (isinstance(kind, str) and _NUMBER.fullmatch(kind)):
        yield f"data type {kind!r}"
        return
    yield from _codec_problems(node)
    if node.get("storage_transformers") or node["chunk_grid"]["name"] != "regular":
        yield "not stored in regular chunks"
    shape, chunk = node["shape"], _chunk(node)
    sizes = [*shape, *chunk]
    if (
        len(shape) != len(chunk)
        or len(shape) > DIMENSION_LIMIT
        or any(type(n) is not int or n < 0 for n in sizes)
        or 0 in chunk
    ):
        yield f"shape {shape} in chunks of {chunk}"
        return
    yield from _too_much(shape, chunk, item_size(kind), name in loaded)


def _codec_problems(node: Node) -> Iterator[str]:
    names = tuple(codec["name"] for codec in node["codecs"])
    kind = node["data_type"]
    text = names[:1] == ("vlen-utf8",)
    if names not in CHAINS or text != (kind == "string"):
        yield f"codecs {list(names)} for {kind!r}, expected one of {[*map(list, CHAINS)]}"
        return
    if SMOOTH in names and kind not in SMOOTH_TYPES:
        yield f"codecs {list(names)} for {kind!r}, expected {SMOOTH_TYPES}"
    told = node["codecs"][0].get("configuration", {})
    if names[0] == "bytes" and told.get("endian", "little") != "little":
        yield f"the order of bytes {told!r}"


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


def _chunk(node: Node) -> list[int]:
    return list(node["chunk_grid"]["configuration"]["chunk_shape"])


def item_size(kind: str) -> int:
    """Return the bytes of one number; those of a text in memory at least."""
    if kind == "string":
        return _TEXT_SIZE
    return _SIZES.get(kind) or int(re.sub(r"\D", "", kind)) // 8


# --- decoding ------------------------------------------------------------------------------------

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_BLOSC_HEAD = 16
_COUNT_BYTES = 4
"""Bytes in which a chunk of text says of how many texts it is."""


def decoded(where: str, data: bytes, form: Form) -> bytes:
    """Return what a chunk holds.

    Parameters
    ----------
    where
        The name in messages.
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
