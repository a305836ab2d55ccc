"""The few operations that change a disk; everything that the store writes goes through them.

Callers name them by the module (``_disk.write``), so that tests can count them, let the n-th one
fail, and model what a crash leaves behind.
"""

import ctypes
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from apexr.store._place import Place, Remote

_SYNCS = 8
"""Files that wait for the disk at a time: it takes them all at once."""


def mkdir(folder: Path) -> None:
    """Create one folder, which must not exist."""
    os.mkdir(folder)


def write(path: Path, data: bytes) -> None:
    """Create a file with this content, which survives a loss of power."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_all(files: Mapping[Path, bytes]) -> None:
    """Create files that survive a loss of power; they wait for the disk together."""
    every = list(files.items())
    shares = [every[first::_SYNCS] for first in range(min(_SYNCS, len(every)))]
    with ThreadPoolExecutor(_SYNCS) as threads:
        list(threads.map(_write_share, shares))


def _write_share(files: Sequence[tuple[Path, bytes]]) -> None:
    for path, data in files:
        with path.open("xb") as file:
            file.write(data)
    for path, _ in files:
        sync(path)


def put(path: Remote, data: bytes, *, new: bool = False) -> None:
    """Write an object; FileExistsError where a ``new`` one is there already."""
    path.write_bytes(data, new=new)


def upload(folder: Remote, files: Mapping[str, bytes]) -> None:
    """Write objects by relative name."""
    folder.upload(files)


def sync(path: Place) -> None:
    """Make a file's content, or a folder's list of names, survive a loss of power."""
    if isinstance(path, Remote):
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename(source: Place, target: Place) -> None:
    """Give a file or folder another name; a file or an empty folder of that name is replaced."""
    if isinstance(source, Remote) and isinstance(target, Remote):
        source.move_to(target)
    else:
        os.rename(source, target)


def exchange(source: Path, target: Path) -> bool:
    """Let two names change places in one step, and tell whether the system can (Linux)."""
    if not sys.platform.startswith("linux"):
        return False
    here, swap = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    return bool(function(here, os.fsencode(source), here, os.fsencode(target), swap) == 0)


def unlink(path: Place) -> None:
    """Remove a file, if it is there."""
    path.unlink(missing_ok=True)


def remove(folder: Place) -> None:
    """Remove a folder and all below it, as far as that is possible."""
    if isinstance(folder, Remote):
        folder.remove()
    else:
        shutil.rmtree(folder, ignore_errors=True)
