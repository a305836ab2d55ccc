"""Kernel locks: they end with their process, however it ends, and rest on no clock.

A claim on an experiment keeps two processes from training the same one; a locked staging folder
tells that its writer lives. Network file systems may ignore such locks: then an experiment may be
trained twice, but publishing stays first come, first served.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from apexr.errors import StoreError
from apexr.store import _disk
from apexr.store._local import Local

try:
    import fcntl
except ImportError:  # not on Windows: nothing is claimed without waiting, nothing is swept
    fcntl = None  # type: ignore[assignment]


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
