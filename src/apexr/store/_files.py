"""Files made durable: digests, whole JSON files, folders that are lent, renamed or exchanged."""

import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apexr._memory import format_bytes
from apexr.errors import StoreError
from apexr.store import _disk
from apexr.store._locks import hold_new_folder
from apexr.store._place import Place, Remote, size_of

_BLOCK = 2**20
JSON_BYTES = 64 * 2**20
"""Larger JSON files are no part of a store: reading one must not fill the memory."""


def files_in(folder: Path) -> Iterator[Path]:
    """Yield every file below ``folder``, in a fixed order; links are refused.

    Raises
    ------
    StoreError
        If anything but files and folders lies in the folder: a store is self-contained.
    """
    for entry in sorted(os.scandir(folder), key=lambda item: item.name):
        if entry.is_symlink():
            raise StoreError(f"{entry.path}: symbolic links are not allowed in a store")
        if entry.is_dir():
            yield from files_in(Path(entry.path))
        elif entry.is_file():
            yield Path(entry.path)
        else:
            raise StoreError(f"{entry.path}: neither a file nor a folder")


def digest(data: bytes) -> str:
    """Return the BLAKE2b digest of some bytes."""
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def digest_file(path: Path) -> str:
    """Return the BLAKE2b digest of a file."""
    state = hashlib.blake2b(digest_size=32)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            state.update(block)
    return state.hexdigest()


def sync_tree(folder: Path) -> None:
    """Make a folder and all below it survive a loss of power."""
    for root, _, names in os.walk(folder, topdown=False):
        for name in names:
            _disk.sync(Path(root) / name)
        _disk.sync(Path(root))


def make_folder(folder: Place) -> None:
    """Create a folder and its parents, durably; object stores need none."""
    if isinstance(folder, Remote) or folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        _disk.mkdir(folder)
    except FileExistsError:
        if not folder.is_dir():
            raise
    _disk.sync(folder.parent)


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files below an existing folder, durably; names are relative paths.

    Raises
    ------
    OSError
        If the disk has less space left than they take, before anything is written.
    """
    size = sum(map(len, files.values()))
    free = shutil.disk_usage(folder).free
    if size > free:
        raise OSError(
            errno.ENOSPC,
            f"it takes {format_bytes(size)}, the disk has {format_bytes(free)} left",
        )
    folders = {folder}
    for name in files:
        for parent in reversed(Path(name).parents):
            if folder / parent not in folders:
                _disk.mkdir(folder / parent)
                folders.add(folder / parent)
    _disk.write_all({folder / name: data for name, data in files.items()})
    for made in sorted(folders, reverse=True):
        _disk.sync(made)


def canonical_json(data: Mapping[str, Any]) -> str:
    """Return the one JSON text of ``data``: sorted keys, no blanks."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def json_bytes(data: Mapping[str, Any]) -> bytes:
    """Return the content of a JSON file of the store."""
    return json.dumps(data, indent=1, ensure_ascii=False).encode()


def write_json(path: Place, data: Mapping[str, Any]) -> None:
    """Write a JSON file in one step, so that readers see the old or the new one."""
    if isinstance(path, Remote):
        _disk.put(path, json_bytes(data))
        return
    make_folder(path.parent)
    aside = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        _disk.write(aside, json_bytes(data))
        _disk.rename(aside, path)
    finally:
        _disk.unlink(aside)
    _disk.sync(path.parent)


def read_json(path: Place) -> dict[str, Any]:
    """Return the content of a JSON file that must hold a dictionary.

    Raises
    ------
    StoreError
        If the file is missing, too large, or does not hold a dictionary.
    """
    try:
        if size_of(path) > JSON_BYTES:
            raise StoreError(f"{path}: over {format_bytes(JSON_BYTES)}, no part of a store")
        return parse_json(str(path), path.read_bytes())
    except FileNotFoundError:
        raise StoreError(f"{path}: missing") from None
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{path}: not readable ({error})") from error


def parse_json(where: str, content: bytes) -> dict[str, Any]:
    """Return the dictionary that a JSON text holds; ``where`` is named if it holds none."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{where}: not readable ({error})") from error
    if not isinstance(data, dict):
        raise StoreError(f"{where}: expected a JSON object")
    return data


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Make ``folder``, lend it, and remove what is left of it in the end.

    It is locked meanwhile, so that other processes do not sweep it away.
    """
    make_folder(folder.parent)
    try:
        with hold_new_folder(folder):
            yield folder
    finally:
        _disk.remove(folder)


def move_in(source: Path, target: Path) -> bool:
    """Rename a folder to ``target`` unless something is there already; tell whether it moved."""
    try:
        _disk.rename(source, target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            return False
        raise
    _disk.sync(target.parent)
    return True


def exchange(source: Path, target: Path) -> None:
    """Let two folders change places, in one step where the system can do it."""
    if not _disk.exchange(source, target):
        aside = source.with_name(f"{source.name}-old")
        _disk.rename(target, aside)
        _disk.rename(source, target)
        _disk.rename(aside, source)
    _disk.sync(target.parent)
