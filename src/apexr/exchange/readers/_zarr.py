"""Zarr stores of strangers: codecs that run programs are refused before anything is decoded."""

from pathlib import Path
from typing import Any

import numpy as np

from apexr.errors import SpecError, StoreError
from apexr.exchange.readers._arrays import in_parts
from apexr.exchange.readers._recording import check_frame

HARMLESS = {
    *("bytes", "transpose", "sharding_indexed", "crc32c", "crc32", "adler32", "fletcher32"),
    *("zstd", "gzip", "blosc", "zlib", "lz4", "lzma", "bz2", "shuffle", "pcodec", "zfpy"),
    *("delta", "fixedscaleoffset", "quantize", "bitround", "packbits", "astype"),
    *("vlen-utf8", "vlen-bytes"),
}
"""Codecs that give numbers or text and nothing else."""

_MARKS = ("zarr.json", ".zgroup", ".zarray", ".zmetadata")


def is_zarr(folder: Path) -> bool:
    """Tell whether a folder is a Zarr group or array."""
    return any((folder / name).is_file() for name in _MARKS)


def check_codecs(path: str) -> Any:
    """Refuse a store whose arrays need other codecs; return the array where the store is one.

    Raises
    ------
    SpecError
        Naming the array and the codec.
    StoreError
        If it is damaged.
    """
    import zarr

    try:
        node = zarr.open(path, mode="r")
        arrays = [node] if isinstance(node, zarr.Array) else [one for _, one in node.arrays()]
    except Exception as error:  # backends raise what they like
        raise StoreError(f"{path}: damaged, or no Zarr store ({error})") from error
    for array in arrays:
        told = array.metadata.to_dict()
        used = {*_names(told.get("codecs")), *_names(told.get("filters"))}
        used |= set(_names([told["compressor"]] if told.get("compressor") else []))
        wrong = sorted(name for name in used if name.removeprefix("numcodecs.") not in HARMLESS)
        if wrong:
            raise SpecError(f"{path}: {array.name} needs the codec {wrong[0]!r}; refused")
        check_frame(array.chunks, array.dtype.itemsize or 1, f"{path}: {array.name}")
    if not isinstance(node, zarr.Array):
        return None
    return in_parts(node.shape, node.dtype, lambda key: np.asarray(node[key]))


def _names(codecs: Any) -> list[str]:
    """Return the names of codecs, those within shards included."""
    found = []
    for codec in codecs or ():
        told = codec if isinstance(codec, dict) else codec.get_config()
        found.append(str(told.get("name", told.get("id"))))
        inner = told.get("configuration", {}) or {}
        for key in ("codecs", "index_codecs"):
            found += _names(inner.get(key))
    return found
