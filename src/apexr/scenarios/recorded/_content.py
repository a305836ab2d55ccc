"""The digest of recorded data, by which an experiment knows them again."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apexr._digest import ID_BYTES
from apexr.errors import SpecError

FULL = 2**30
"""Bytes up to which all of the data enters the digest."""

BLOCKS, BLOCK = 64, 2**16
"""How many blocks of larger files enter it, and their bytes."""

ALL_BYTES = "all bytes"
SAMPLED = f"sizes, times and {BLOCKS} blocks of {BLOCK} bytes"
"""The part of the data that a digest covers, as results say it."""

Stamp = tuple[str, int, int, int]
"""A file as it is now: path, size, time of the last change, number of the file."""

_KNOWN: dict[tuple[Stamp, ...], tuple[str, str]] = {}


def stamp_of(path: Path) -> Stamp:
    """Return what tells whether a file has changed.

    Raises
    ------
    SpecError
        If it is gone.
    """
    try:
        told = path.stat()
    except OSError as error:
        raise SpecError(f"{path}: cannot be read ({error})") from None
    return str(path), told.st_size, told.st_mtime_ns, told.st_ino


def digest_of_files(files: Sequence[Path], names: Sequence[str]) -> tuple[str, str]:
    """Return the digest of files and what it is of; computed once for files that stay as they are.

    Parameters
    ----------
    files
        In order.
    names
        The parts of their names that are content; empty where none is.
    """
    stamps = tuple(stamp_of(file) for file in files)
    if stamps not in _KNOWN:
        _KNOWN[stamps] = _digest(files, names, stamps)
    return _KNOWN[stamps]


def _digest(
    files: Sequence[Path], names: Sequence[str], stamps: Sequence[Stamp]
) -> tuple[str, str]:
    held = hashlib.blake2b(digest_size=ID_BYTES)
    whole = sum(stamp[1] for stamp in stamps) <= FULL
    for file, name, (_, size, changed, _) in zip(files, names, stamps, strict=True):
        held.update(f"{name}\0{size}\0".encode())
        held.update(b"" if whole else str(changed).encode())
        with file.open("rb") as opened:
            for block in _all(opened) if whole else _some(opened, size, len(files)):
                held.update(block)
    return held.hexdigest(), ALL_BYTES if whole else SAMPLED


def _all(opened: Any) -> Iterable[bytes]:
    while block := opened.read(2**22):
        yield block


def _some(opened: Any, size: int, num_files: int) -> Iterable[bytes]:
    count = max(2, BLOCKS // num_files)
    for place in range(count):
        opened.seek((max(0, size - BLOCK) * place) // (count - 1))
        yield opened.read(BLOCK)


def digest_of_remote(opened: Any, told: Mapping[str, Any]) -> tuple[str, str]:
    """Return the digest of a file behind a URL: what its server says, and some of its blocks."""
    held = hashlib.blake2b(digest_size=ID_BYTES)
    marks = [str(told.get(key, "")) for key in ("size", "ETag", "mtime", "LastModified")]
    held.update("\0".join(marks).encode())
    size = int(told.get("size") or 0)
    for block in _all(opened) if size <= BLOCKS * BLOCK else _some(opened, size, 1):
        held.update(block)
    opened.seek(0)
    return held.hexdigest(), SAMPLED


def digest_of_arrays(arrays: Iterable[tuple[str, Iterable[np.ndarray]]]) -> tuple[str, str]:
    """Return the digest of arrays that are given block by block, each with its name."""
    held = hashlib.blake2b(digest_size=ID_BYTES)
    for name, blocks in arrays:
        held.update(f"{name}\0".encode())
        for block in blocks:
            held.update(f"{block.dtype.str}{block.shape}".encode())
            held.update(np.ascontiguousarray(block).data)
    return held.hexdigest(), ALL_BYTES
