"""Files made durable: digest, fsync, atomic rename and exchange."""

import ctypes
import errno
import hashlib
import json
import os
import shutil
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apexr.errors import StoreError

_BLOCK = 2**20


def files_in(folder: Path) -> Iterator[Path]:
    """Yield every file below ``folder``, in a fixed order; links are refused.

    Raises
    ------
    StoreError
        If a symbolic link lies in the folder: a store is self-contained.
    """
    for entry in sorted(os.scandir(folder), key=lambda item: item.name):
        if entry.is_symlink():
            raise StoreError(f"{entry.path}: symbolic links are not allowed in a store")
        if entry.is_dir():
            yield from files_in(Path(entry.path))
        else:
            yield Path(entry.path)


def digest(path: Path) -> str:
    """Return the BLAKE2b digest of a file."""
    state = hashlib.blake2b(digest_size=32)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            state.update(block)
    return state.hexdigest()


def sync(path: Path) -> None:
    """Make a file's content, or a folder's list of names, survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Make a folder and all below it survive a loss of power."""
    for root, _, names in os.walk(folder, topdown=False):
        for name in names:
            sync(Path(root) / name)
        sync(Path(root))


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, durably."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


def canonical_json(data: Mapping[str, Any]) -> str:
    """Return the one JSON text of ``data``: sorted keys, no blanks."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write a JSON file aside and rename it, so that readers see the old or the new one."""
    make_folder(path.parent)
    aside = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        aside.write_text(json.dumps(data, indent=1, ensure_ascii=False), encoding="utf-8")
        sync(aside)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    sync(path.parent)


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file that must hold a dictionary.

    Raises
    ------
    StoreError
        If the file is missing or does not hold a dictionary.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StoreError(f"{path}: missing") from None
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"{path}: not readable ({error})") from error
    if not isinstance(data, dict):
        raise StoreError(f"{path}: expected a JSON object")
    return data


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Make ``folder``, lend it, and remove what is left of it in the end."""
    make_folder(folder.parent)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def move_in(source: Path, target: Path) -> bool:
    """Rename a folder to ``target`` unless something is there already; tell whether it moved."""
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            return False
        raise
    sync(target.parent)
    return True


def exchange(source: Path, target: Path) -> None:
    """Let two folders change places, in one step where the system can do it (Linux)."""
    if not _exchange_at_once(source, target):
        aside = source.with_name(f"{source.name}-old")
        os.rename(target, aside)
        os.rename(source, target)
        os.rename(aside, source)
    sync(target.parent)


def _exchange_at_once(source: Path, target: Path) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    here, swap = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    return bool(rename(here, os.fsencode(source), here, os.fsencode(target), swap) == 0)
