"""Files made durable: digests, JSON, folders that are lent, renamed, exchanged or locked.

Kernel locks end with their process, however it ends, and rest on no clock. A claim on an
experiment keeps two processes from training the same one; a locked staging folder tells that its
writer lives. Network file systems may ignore such locks: then an experiment may be trained
twice, but publishing stays first come, first served.
"""

import errno
import functools
import hashlib
import json
import os
import re
import shutil
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from apexr._files import _disk
from apexr._files._local import Local
from apexr._files._place import Place, local
from apexr._files._remote import Remote
from apexr._memory import format_bytes
from apexr.errors import StoreError

try:
    import fcntl
except ImportError:  # not on Windows: nothing is claimed without waiting, nothing is swept
    fcntl = None  # type: ignore[assignment]

_EPOCH = (1980, 1, 1, 0, 0, 0)
_BLOCK = 2**20
_AT_ONCE = 2**26
"""Bytes of the files that are written together."""
JSON_BYTES = 2**25
"""Larger JSON files are no part of a store: reading one must not fill the memory."""
JSON_MEMORY = 150 * 2**20
"""Bytes that the values of a JSON file may take, which can be seventy times those of the file."""
_OBJECT_BYTES = {b"{": 250, b"[": 60, b",": 100}
LONGEST_TEXT = 2**20
"""Characters of a label."""
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def digest(data: bytes) -> str:
    """Return the BLAKE2b digest of some bytes."""
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def digest_file(path: Local) -> str:
    """Return the BLAKE2b digest of a file."""
    state = hashlib.blake2b(digest_size=32)
    with path.reading() as file:
        while block := file.read(_BLOCK):
            state.update(block)
    return state.hexdigest()


def sync_tree(folder: Local) -> None:
    """Make a folder and all below it survive a loss of power."""
    names = folder.sizes()
    folders = {str(parent) for name in names for parent in Path(name).parents} - {"."}
    for name in (*names, *sorted(folders, reverse=True)):
        _disk.sync(folder / name)
    _disk.sync(folder)


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


def write_files(folder: Local, files: Mapping[str, bytes]) -> None:
    """Write files below an existing folder, durably; names are relative paths.

    Raises
    ------
    OSError
        If the disk has less space left than they take, before anything is written.
    """
    sizes = sizes_of(files)
    _check_room(folder, sizes)
    folders = {folder: 0}
    for name in files:
        for parent in reversed(Path(name).parents[:-1]):
            made = folder / parent.as_posix()
            if made not in folders:
                _disk.mkdir(made)
                folders[made] = len(made.inner)
    for names in _batches(sizes):
        _disk.write_all({folder / name: files[name] for name in names})
    for made in sorted(folders, key=lambda made: folders[made], reverse=True):
        _disk.sync(made)


def write_packed(path: Local, files: Mapping[str, bytes]) -> None:
    """Write files as one, durably; the same bytes for the same files.

    Raises
    ------
    OSError
        If the disk has less space left than they take, before anything is written.
    """
    _check_room(path.parent, sizes_of(files))
    write = functools.partial(packed_into, names=files, read=files.__getitem__)
    _disk.write_by(path, write)
    _disk.sync(path.parent)


def _check_room(folder: Local, sizes: Mapping[str, int]) -> None:
    size, free = sum(sizes.values()), shutil.disk_usage(folder).free
    if size > free:
        raise OSError(
            errno.ENOSPC,
            f"it takes {format_bytes(size)}, the disk has {format_bytes(free)} left",
        )


def _batches(sizes: Mapping[str, int]) -> Iterator[list[str]]:
    """Yield the names of files, in groups that take no more memory together than is good."""
    names: list[str] = []
    held = 0
    for name, size in sizes.items():
        if names and held + size > _AT_ONCE:
            yield names
            names, held = [], 0
        names.append(name)
        held += size
    if names:
        yield names


def canonical_json(data: Mapping[str, Any]) -> str:
    """Return the one JSON text of ``data``: sorted keys, no blanks."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def json_bytes(data: Mapping[str, Any]) -> bytes:
    """Return the content of a JSON file of the store."""
    return json.dumps(data, indent=1, ensure_ascii=False).encode()


def write_json(path: Place, data: Mapping[str, Any], aside: Place | None = None) -> None:
    """Write a JSON file in one step, so that readers see the old or the new one.

    Parameters
    ----------
    path
        The file.
    data
        Its content.
    aside
        The folder in which it is written first, by default its own.
    """
    if isinstance(path, Remote):
        _disk.put(path, json_bytes(data))
        return
    make_folder(path.parent)
    written = local(aside or path.parent, "a file of a study") / f".{path.name}-{uuid.uuid4().hex}"
    try:
        _disk.write(written, json_bytes(data))
        _disk.rename(written, path)
    finally:
        _disk.unlink(written)
    _disk.sync(path.parent)


def read_json(path: Place) -> dict[str, Any]:
    """Return the content of a JSON file that must hold a dictionary.

    Raises
    ------
    StoreError
        If the file is missing, too large, or does not hold a dictionary.
    """
    try:
        return parse_json(str(path), path.read_bytes(JSON_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        raise StoreError(f"{path}: missing") from None
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{path}: not readable ({error})") from error


def parse_json(where: str, content: bytes) -> dict[str, Any]:
    """Return the dictionary that a JSON text holds.

    Parameters
    ----------
    where
        The name in messages.
    content
        The text, in UTF-8.

    Raises
    ------
    StoreError
        If it is no JSON, no dictionary, takes too much memory, or holds what is no text.
    """
    if len(content) > JSON_BYTES:
        raise StoreError(f"{where}: over {format_bytes(JSON_BYTES)}, no part of a store")
    if sum(content.count(sign) * size for sign, size in _OBJECT_BYTES.items()) > JSON_MEMORY:
        raise StoreError(f"{where}: too many values, no part of a store")
    try:
        data = json.loads(content.decode())
        if _SURROGATE.search(content):
            json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{where}: not readable ({error})") from error
    if not isinstance(data, dict):
        raise StoreError(f"{where}: expected a JSON object")
    return data


def is_text(value: object) -> bool:
    """Tell whether a value is text of a length that a label may have."""
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def is_seeds(value: object) -> bool:
    """Tell whether a value is a list of seeds."""
    return isinstance(value, list) and all(
        type(seed) is int and -(2**63) <= seed < 2**63 for seed in value
    )


@contextmanager
def scratch(folder: Local) -> Iterator[Local]:
    """Make ``folder``, lend it, and remove what is left of it in the end.

    It is locked meanwhile, so that other processes do not sweep it away.
    """
    make_folder(folder.parent)
    try:
        with hold_new_folder(folder):
            yield folder
    finally:
        _disk.remove(folder)


def move_in(source: Local, target: Local) -> bool:
    """Bring a folder or a file to ``target`` unless something is there; tell whether it came.

    A file keeps its first name besides: renaming it would replace a file that is there.
    """
    bring = _disk.link if source.is_file() else _disk.rename
    try:
        bring(source, target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            return False
        raise
    _disk.sync(target.parent)
    return True


def exchange(source: Local, target: Local) -> None:
    """Let two folders change places, in one step where the system can do it."""
    if not _disk.exchange(source, target):
        aside = source.with_name(f"{source.name}-old")
        _disk.rename(target, aside)
        _disk.rename(source, target)
        _disk.rename(aside, source)
    _disk.sync(target.parent)


class Source(Protocol):
    """The files of a unit, by their paths relative to it."""

    @property
    def where(self) -> str:
        """The path, for messages."""

    def sizes(self) -> dict[str, int]:
        """Return the size of each file."""

    def read(self, name: str) -> bytes:
        """Return the content of a file; FileNotFoundError where there is none."""


class Files(Mapping[str, bytes]):
    """The files of a unit by name, read when they are asked for: one at a time is in memory.

    Parameters
    ----------
    source
        Where they are read from.
    names
        Those that count; by default all.
    changed
        The content of those that are new or other than there.
    """

    def __init__(
        self,
        source: Source,
        names: Iterable[str] | None = None,
        changed: Mapping[str, bytes] | None = None,
    ) -> None:
        self._source = source
        self._changed = dict(changed or {})
        there = source.sizes()
        held = {name: there[name] for name in (there if names is None else names)}
        held |= {name: len(data) for name, data in self._changed.items()}
        self.sizes = dict(sorted(held.items()))

    def __getitem__(self, name: str) -> bytes:
        return self._changed[name] if name in self._changed else self._source.read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.sizes)

    def __len__(self) -> int:
        return len(self.sizes)


def sizes_of(files: Mapping[str, bytes]) -> dict[str, int]:
    """Return the sizes of files, of those of a unit without reading them."""
    if isinstance(files, Files):
        return files.sizes
    return {name: len(data) for name, data in files.items()}


def read_all(source: Source) -> Mapping[str, bytes]:
    """Return every file of a unit, each to be read when it is asked for."""
    return Files(source)


def packed_into(file: Any, names: Iterable[str], read: Callable[[str], bytes]) -> None:
    """Write the packed form of some files, the same bytes for the same files."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(names):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), read(name))


# --- locks ---------------------------------------------------------------------------------------


@contextmanager
def hold(path: Local, *, wait: bool = True) -> Iterator[bool]:
    """Hold the lock of a file that is made for it; yield whether it is held.

    Parameters
    ----------
    path
        The lock's file, in an existing folder. It is removed when the lock is given back.
    wait
        Whether to wait for another process, or to yield False at once.
    """
    descriptor = _acquire(path, wait)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            path.unlink(missing_ok=True)
            os.close(descriptor)


def _acquire(path: Local, wait: bool) -> int | None:
    while True:
        descriptor = path.descriptor(os.O_RDWR | os.O_CREAT)
        if os.fstat(descriptor).st_nlink > 1:  # it is written to: no other name may be meant
            os.close(descriptor)
            raise StoreError(f"{path}: has other names besides, which is not allowed in a store")
        if not _lock(descriptor, wait) and not wait:
            os.close(descriptor)
            return None
        if _is_same(descriptor, path):
            return descriptor
        os.close(descriptor)  # its last holder has removed the file meanwhile


@contextmanager
def hold_new_folder(folder: Local) -> Iterator[None]:
    """Make a folder and lock it, in one step as seen by those who ask whether it is abandoned."""
    with _locked_folder(folder.parent, wait=True):
        _disk.mkdir(folder)
        lock = _locked_folder(folder, wait=False)
        lock.__enter__()
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


@contextmanager
def abandoned(folder: Local) -> Iterator[bool]:
    """Yield whether no process holds the lock of a folder; none can take it meanwhile."""
    if fcntl is None:
        yield False
        return
    with _locked_folder(folder.parent, wait=True), _locked_folder(folder, wait=False) as mine:
        yield mine


@contextmanager
def one_at_a_time(folder: Local) -> Iterator[None]:
    """Let no other process work within this block at the same time, where the system has locks."""
    with _locked_folder(folder, wait=True):
        yield


@contextmanager
def _locked_folder(folder: Local, wait: bool) -> Iterator[bool]:
    """Lock a folder where the file system can; yield whether it is locked."""
    with folder.opened() as descriptor:
        yield isinstance(descriptor, int) and _lock(descriptor, wait)


def _lock(descriptor: int, wait: bool) -> bool:
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # another one has it, or the file system knows no locks
        return False
    return True


def _is_same(descriptor: int, path: Local) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def is_held(path: Local) -> bool:
    """Tell whether a process holds the lock of a file, without taking it."""
    if fcntl is None:
        return False
    try:
        with path.reading() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False
