"""HDF5 files of strangers: nothing outside of the file is read, and nothing is run."""

import atexit
import functools
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from apexr.errors import ApexrError, SpecError, StoreError, needs, suggest
from apexr.exchange.readers._recording import check_frame, check_real

SUFFIXES = (".hdf5", ".h5", ".hdf")
MAGIC = b"\x89HDF\r\n\x1a\n"
_DAMAGED = (OSError, KeyError, RuntimeError, ValueError, TypeError, OverflowError, MemoryError)
"""Errors of HDF5 for a file that is damaged or was made to look so."""

MOST_LINKS = 8
"""Soft links that are followed one after another."""

MOST_OBJECTS = 100_000
"""Objects of a file that are looked at, for those libraries that follow links by themselves."""


_OPEN: "weakref.WeakValueDictionary[int, Any]" = weakref.WeakValueDictionary()
"""Files to close before the interpreter ends: HDF5 would then call files that are gone."""


@atexit.register
def _close_all() -> None:
    for held in reversed(list(_OPEN.values())):  # what reads a file before the file
        held.close()


def closed_at_exit(held: Any) -> Any:
    """Return what has a method ``close``, which is called before the interpreter ends."""
    _OPEN[id(held)] = held
    return held


class _MissingError(SpecError):
    """Nothing has this name."""


class Hdf5:
    """An open HDF5 file.

    Parameters
    ----------
    opened
        An open file, of this machine or of fsspec.
    where
        Its name in messages.

    Raises
    ------
    StoreError
        If it is damaged or no HDF5 file.
    MissingExtraError
        If h5py is not installed.
    """

    def __init__(self, opened: Any, where: str) -> None:
        with needs("hdf5", "HDF5 files need"):
            import h5py
        self.where = where
        self._h5py = h5py
        try:
            self.file = closed_at_exit(h5py.File(opened, "r"))
        except _DAMAGED as error:
            raise StoreError(f"{where}: damaged, or no HDF5 file ({error})") from error

    def node(self, path: str) -> Any:
        """Return the group or dataset at a path, on which no link leads out of the file.

        Raises
        ------
        SpecError
            If there is none, or a link leads to another file.
        StoreError
            If the file is damaged.
        """
        return self._followed(self.file, path, MOST_LINKS)

    def _followed(self, start: Any, path: str, links: int) -> Any:
        node = self.file if path.startswith("/") else start
        for name in filter(None, path.split("/")):
            node = self._below(node, name, links)
        return node

    def _below(self, group: Any, name: str, links: int) -> Any:
        with self._told(name):
            link = group.get(name, getlink=True) if self._is_group(group) else None
            if isinstance(link, self._h5py.HardLink):
                return group[name]
        if isinstance(link, self._h5py.SoftLink) and links:
            return self._followed(group, str(link.path), links - 1)
        if link is None:
            known = self._names(group)
            hint = suggest(name, known)
            raise _MissingError(
                f"{self.where}: nothing is called {name!r}{hint}; there is {known[:20]}"
            )
        raise SpecError(
            f"{self.where}: {name!r} is a link out of the file, or in a circle; refused"
        )

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Have what HDF5 raises say which file is damaged."""
        try:
            yield
        except ApexrError:
            raise
        except _DAMAGED as error:
            raise StoreError(f"{self.where}: {what!r} is damaged ({error})") from error

    def _is_group(self, node: Any) -> bool:
        return isinstance(node, self._h5py.Group)

    def _names(self, node: Any) -> list[str]:
        with self._told("a group"):
            return sorted(node) if self._is_group(node) else []

    def keys(self, path: str = "/") -> list[str]:
        """Return the names in a group; none where there is no group."""
        try:
            return self._names(self.node(path))
        except _MissingError:
            return []

    def attributes(self, path: str = "/") -> dict[str, Any]:
        """Return the attributes of a node: text, numbers, lists of them."""
        node, held = self.node(path), {}
        with self._told(f"attributes of {path}"):
            for name in node.attrs:
                try:
                    held[name] = _plain(node.attrs[name])
                except (OSError, TypeError, ValueError, RuntimeError):
                    continue  # what h5py cannot read says nothing
        return held

    def is_dataset(self, path: str) -> bool:
        """Tell whether there is an array at a path."""
        try:
            return isinstance(self.node(path), self._h5py.Dataset)
        except _MissingError:
            return False

    def dataset(self, path: str) -> Any:
        """Return the array at a path: real numbers that lie in this file.

        Raises
        ------
        SpecError
            If it is none, or its numbers are objects or lie in other files.
        """
        node = self.node(path)
        named = f"{self.where}: {path}"
        if not isinstance(node, self._h5py.Dataset):
            raise SpecError(f"{named} is no array")
        with self._told(path):
            self._check_within(node, named)
            check_real(node.dtype, named)
            check_frame(node.chunks or (), node.dtype.itemsize, named)
        return node

    def _check_within(self, node: Any, named: str) -> None:
        if node.external or node.is_virtual:
            raise SpecError(f"{named} lies in other files; refused")

    def small(self, path: str) -> np.ndarray:
        """Return an array that is a coordinate or a number.

        Raises
        ------
        SpecError
            If it is none, or has more than a few million entries.
        """
        node = self.dataset(path)
        check_frame(node.shape, 64, f"{self.where}: {path}")
        return read(node, (), self.where)

    def check_links(self) -> None:
        """Refuse a file with any link out of it, for libraries that follow them.

        Raises
        ------
        SpecError
            Naming the link.
        """
        waiting, seen, count = [("", self.file)], set(), 0
        while waiting:
            where, group = waiting.pop()
            for name in self._names(group):
                path, count = f"{where}/{name}", count + 1
                if count > MOST_OBJECTS:
                    raise SpecError(f"{self.where}: more than {MOST_OBJECTS} objects; refused")
                found = self.node(path)
                if isinstance(found, self._h5py.Dataset):
                    self._check_within(found, f"{self.where}: {path}")
                elif self._is_group(found) and hash(found.id) not in seen:
                    seen.add(hash(found.id))
                    waiting.append((path, found))


def read(node: Any, index: Any, where: str) -> np.ndarray:
    """Return a part of an array.

    Raises
    ------
    StoreError
        If the file is damaged there.
    """
    try:
        return np.asarray(node[index])
    except _DAMAGED as error:
        raise StoreError(f"{where}: {node.name} cannot be read, it is damaged ({error})") from error


def _plain(value: Any) -> Any:
    """Return an attribute as Python's own."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray):
        return [_plain(one) for one in value.tolist()] if value.ndim else _plain(value.item())
    return value.item() if isinstance(value, np.generic) else value


def texts(value: Any) -> list[str]:
    """Return an attribute that lists names; some writers give a single name as text."""
    listed = value if isinstance(value, list) else [] if value is None else [value]
    return [str(one) for one in listed]


@functools.lru_cache(maxsize=128)
def opened(path: str, stamp: tuple[int, ...]) -> Hdf5:
    """Return an open file of this machine; the stamp tells versions of it apart.

    HDF5 is given the open file, not its path: so it locks nothing, and whoever made the file may
    write it again.
    """
    return Hdf5(closed_at_exit(Path(path).open("rb")), path)
