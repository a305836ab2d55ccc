"""The few operations that change a disk; everything that the store writes goes through them.

Callers name them by the module (``_disk.write``), so that tests can count them, let the n-th one
fail, and model what a crash leaves behind.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

from apexr._files._local import Local
from apexr._files._remote import Remote

_SYNCS = 8
"""Folders whose files wait for the disk at a time: it takes them all at once."""
_OPEN = 32
"""Files of a folder that are open at a time."""


def mkdir(folder: Local) -> None:
    """Create one folder, which must not exist."""
    folder.mkdir()


def write(path: Local, data: bytes) -> None:
    """Create a file with this content, which survives a loss of power."""
    path.write_bytes(data)
    path.sync()


def write_by(path: Local, fill: Callable[[BinaryIO], None]) -> None:
    """Create a file that a function fills, which survives a loss of power."""
    with os.fdopen(path.descriptor(os.O_RDWR | os.O_CREAT | os.O_EXCL), "w+b") as file:
        fill(file)
    path.sync()


def write_all(files: Mapping[Local, bytes]) -> None:
    """Create files that survive a loss of power; they wait for the disk together."""
    folders: dict[Local, dict[str, bytes]] = {}
    for path, data in files.items():
        folders.setdefault(path.parent, {})[path.name] = data
    every = list(folders.items())
    shares = [every[first::_SYNCS] for first in range(min(_SYNCS, len(every)))]
    with ThreadPoolExecutor(_SYNCS) as threads:
        list(threads.map(_write_share, shares))


def _write_share(folders: Sequence[tuple[Local, Mapping[str, bytes]]]) -> None:
    """Write the files of some folders, each opened once: walking down to it costs most."""
    for folder, files in folders:
        names = list(files)
        for start in range(0, len(names), _OPEN):
            chosen = names[start : start + _OPEN]
            folder.write_durably({name: files[name] for name in chosen})


def put(path: Remote, data: bytes, *, new: bool = False) -> None:
    """Write an object; FileExistsError where a ``new`` one is there already."""
    path.write_bytes(data, new=new)


def upload(folder: Remote, files: Mapping[str, bytes]) -> None:
    """Write objects by relative name."""
    folder.upload(files)


def sync(path: Local | Remote) -> None:
    """Make a file's content, or a folder's list of names, survive a loss of power."""
    path.sync()


def rename(source: Local | Remote, target: Local | Remote) -> None:
    """Give a file or folder another name; a file or an empty folder of that name is replaced."""
    match source, target:
        case (Local(), Local()):
            source.move_to(target)
        case (Remote(), Remote()):
            source.move_to(target)
        case _:
            raise TypeError(f"{source} and {target} lie in different stores")


def link(source: Local, target: Local) -> None:
    """Give a file a second name; FileExistsError where something has that name already."""
    source.link_to(target)


def exchange(source: Local, target: Local) -> bool:
    """Let two names change places in one step, and tell whether the system can (Linux)."""
    return source.exchange_with(target)


def unlink(path: Local | Remote) -> None:
    """Remove a file, if it is there."""
    path.unlink(missing_ok=True)


def remove(folder: Local | Remote) -> None:
    """Remove a folder and all below it, as far as that is possible."""
    folder.remove()
