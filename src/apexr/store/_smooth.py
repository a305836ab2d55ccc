"""Trajectories and errors of samples, each number predicted from those before it in time.

The codec is pcodec [1]_, by the name that Zarr-Python gives it, with time as the last axis. Up to
two fifths fewer bytes follow than from sorting bytes by significance; every bit comes back.

What is read comes from somewhere: it is decoded into an array of the size that the metadata state,
so that no chunk can ask for more memory than was checked. Zarr is then told of plain numbers.

References
----------
.. [1] Loncaric, Jeppesen and Zinberg (2025), "Pcodec: Better Compression for Numerical Sequences".
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numcodecs.pcodec import PCodec
from pcodec import standalone

from apexr.errors import StoreError

NAME = "numcodecs.pcodec"
CONFIGURATION = {"level": 6, "mode_spec": "classic"}
"""Above this level a hundredth is gained and half the time lost; other modes are for decimals."""
TYPES = ("float32", "float64")
CRC_BYTES = 4

Node = Mapping[str, Any]
"""The metadata of one array."""

_CODEC = PCodec(**CONFIGURATION)
_CRC = {"name": "crc32c"}
_PLAIN = {"name": "bytes", "configuration": {"endian": "little"}}
_CHAINS = ([NAME, "crc32c"], ["transpose", NAME, "crc32c"])


def is_smooth(dims: Sequence[str], dtype: np.dtype[Any]) -> bool:
    """Tell whether an array changes little by little in time and is large enough to care.

    Means over samples are not: studies read those of many experiments at once.
    """
    return "time" in dims and bool({*dims} - {"seed", "time"}) and dtype.name in TYPES


def smooth_codecs(dims: Sequence[str]) -> list[Node]:
    """Return the codecs of an array of these dimensions, as Zarr's metadata have them."""
    packed = {"name": NAME, "configuration": CONFIGURATION}
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


def smooth_problems(node: Node) -> Iterator[str]:
    """Yield what is wrong with the codecs of an array that is packed along time."""
    names = [codec["name"] for codec in node["codecs"]]
    if names not in _CHAINS or node["data_type"] not in TYPES:
        chains = " or ".join(map(str, _CHAINS))
        yield f"codecs {names} for {node['data_type']!r}, expected {chains} for {TYPES}"


def is_packed_along_time(node: Node) -> bool:
    """Tell whether an array is packed along time."""
    return any(codec["name"] == NAME for codec in node["codecs"])


def unpacked(where: str, data: bytes, dtype: str, size: int) -> bytes:
    """Return the numbers of a chunk as plain bytes, little end first.

    Parameters
    ----------
    where
        What is named in messages.
    data
        The chunk.
    dtype, size
        Type of its numbers and how many bytes they take.

    Raises
    ------
    StoreError
        If it holds more numbers, fewer, or others.
    """
    values = np.empty(size // np.dtype(dtype).itemsize, dtype)
    try:
        done = standalone.simple_decompress_into(data[:-CRC_BYTES], values)
    except (RuntimeError, TypeError) as error:
        raise StoreError(f"{where}: not {dtype} packed along time ({error})") from error
    if not done.finished or done.n_processed != values.size:
        raise StoreError(f"{where}: holds more or fewer numbers than {values.size}; refused")
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()


def told_as_plain(metadata: bytes) -> bytes:
    """Return metadata in which what is packed along time is said to be plain numbers."""
    root = json.loads(metadata)
    held = root.get("consolidated_metadata", {}).get("metadata", {})
    for node in (root, *held.values()):
        if node["node_type"] == "array" and is_packed_along_time(node):
            turned = [codec for codec in node["codecs"] if codec["name"] == "transpose"]
            node["codecs"] = [*turned, _PLAIN]
    return json.dumps(root).encode()
