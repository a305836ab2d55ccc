"""The few operations that change a disk; everything that the store writes goes through them.

Callers name them by the module (``_disk.write``), so that tests can count them, let the n-th one
fail, and model what a crash leaves behind.
"""

import ctypes
import os
import shutil
import sys
from pathlib import Path


def mkdir(folder: Path) -> None:
    """Create one folder, which must not exist."""
    os.mkdir(folder)


def write(path: Path, data: bytes) -> None:
    """Create a file with this content, which survives a loss of power."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Make a file's content, or a folder's list of names, survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename(source: Path, target: Path) -> None:
    """Give a file or folder another name; a file or an empty folder of that name is replaced."""
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


def unlink(path: Path) -> None:
    """Remove a file, if it is there."""
    path.unlink(missing_ok=True)


def remove(folder: Path) -> None:
    """Remove a folder and all below it, as far as that is possible."""
    shutil.rmtree(folder, ignore_errors=True)
