"""What a store may ask of its reader: refused before anything is allocated or decoded.

A store is data from somewhere. Its metadata may declare more than the disk holds, its chunks may
expand to more than the memory, its codecs may be programs. Only what apexr itself writes is read:
the codecs of an array are one of a few chains, in their order.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from apexr._memory import format_bytes
from apexr.errors import StoreError
from apexr.store._files import parse_json
from apexr.store._layout import WEIGHTS
from apexr.store._smooth import NAME as SMOOTH
from apexr.store._smooth import TYPES as SMOOTH_TYPES

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

Node = Mapping[str, Any]
"""The metadata of one array."""


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
