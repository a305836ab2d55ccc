"""Places in object stores, which answer to what :class:`apexr._files._local.Local` answers to.

Objects cannot be renamed or locked: ``apexr.store.unit._publish`` says
what that changes.
"""

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from apexr._memory import FILE_LIMIT, format_bytes
from apexr.errors import StoreError

_BLOCK = 2**17
"""Bytes that are fetched at least: the list of entries of most packed units, at the end of them."""


@dataclass(frozen=True, order=False)
class Remote(os.PathLike[str]):
    """A place in an object store.

    Attributes
    ----------
    fs
        The file system of fsspec.
    path
        Where in it, without a slash at the end.
    """

    fs: Any
    path: str

    def __str__(self) -> str:
        return str(self.fs.unstrip_protocol(self.path))

    def __fspath__(self) -> str:
        raise TypeError(f"{self} is not a path of this machine")

    def __truediv__(self, name: str) -> "Remote":
        return Remote(self.fs, f"{self.path}/{name}")

    def __lt__(self, other: "Remote") -> bool:
        return self.path < other.path

    @property
    def name(self) -> str:
        """The last part."""
        return self.path.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """The end of the name, from its last dot on."""
        return Path(self.name).suffix

    @property
    def parent(self) -> "Remote":
        """The place that it lies in."""
        return Remote(self.fs, self.path.rpartition("/")[0])

    def with_name(self, name: str) -> "Remote":
        """Return the place of another name in the same folder."""
        return self.parent / name

    def exists(self) -> bool:
        """Tell whether an object has this name."""
        return self.is_file()

    def is_file(self) -> bool:
        """Tell whether an object has this name."""
        with self._told():
            return bool(self.fs.isfile(self.path))

    def is_dir(self) -> bool:
        """Tell whether objects lie below it."""
        with self._told():
            return bool(self.fs.isdir(self.path))

    def is_there(self) -> bool:
        """Tell whether an object has this name."""
        return self.is_file()

    def iterdir(self) -> Iterator["Remote"]:
        """Yield what lies right below it."""
        with self._told():
            names = self.fs.ls(self.path, detail=False)
        found = {name.rstrip("/").rpartition("/")[2] for name in names} - {"", self.name}
        yield from (self / name for name in sorted(found))

    def sizes(self) -> dict[str, int]:
        """Return the sizes of all objects below it, by relative path."""
        with self._told():
            found = self.fs.find(self.path, detail=True)
        start = len(self.path.lstrip("/")) + 1
        return {name.lstrip("/")[start:]: int(held["size"]) for name, held in found.items()}

    def size(self) -> int:
        """Return the size of the object; FileNotFoundError where there is none."""
        with self._told():
            return int(self.fs.info(self.path)["size"])

    def read_bytes(self, limit: int = FILE_LIMIT) -> bytes:
        """Return the content of the object; FileNotFoundError where there is none.

        Raises
        ------
        StoreError
            If it has more bytes than ``limit``.
        """
        with self._told():
            data = bytes(self.fs.cat_file(self.path))
        if len(data) > limit:
            raise StoreError(f"{self}: over {format_bytes(limit)}, no part of a store")
        return data

    def read_part(self, start: int, size: int) -> bytes:
        """Return some bytes of the object, fewer where it ends."""
        with self._told():
            return bytes(self.fs.cat_file(self.path, start=start, end=start + size))

    @contextmanager
    def reading(self) -> Iterator[BinaryIO]:
        """Lend the object as an open file, of which only what is asked for is fetched."""
        yield cast(BinaryIO, _Fetched(self))

    def write_bytes(self, data: bytes, *, new: bool = False) -> None:
        """Write an object in one step; FileExistsError where a ``new`` one is there already."""
        with self._told(FileExistsError):
            self.fs.pipe_file(self.path, data, mode="create" if new else "overwrite")

    def upload(self, files: Mapping[str, bytes]) -> None:
        """Write objects below it, several at a time."""
        with self._told(()):
            self.fs.pipe({f"{self.path}/{name}": data for name, data in files.items()})

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the object."""
        try:
            with self._told():
                self.fs.rm_file(self.path)
        except FileNotFoundError:
            if not missing_ok:
                raise

    def remove_empty(self) -> None:
        """Do nothing: there are no folders."""

    def sync(self) -> None:
        """Do nothing: what is written is there."""

    def remove(self) -> None:
        """Remove all objects below it."""
        with self._told():
            if self.fs.exists(self.path):
                self.fs.rm(self.path, recursive=True)

    def move_to(self, target: "Remote") -> None:
        """Copy the object, or all objects below it, then remove them."""
        below = [f"/{name}" if name else "" for name in self.sizes()]
        with self._told():
            for name in below:
                self.fs.cp_file(f"{self.path}{name}", f"{target.path}{name}")
        self.remove()

    @contextmanager
    def _told(self, through: Any = FileNotFoundError) -> Iterator[None]:
        """Turn what a file system raises into an error that names the place, ``through`` apart."""
        try:
            yield
        except through:
            raise
        except Exception as error:  # clients raise what they like
            said = str(error) or type(error).__name__
            raise StoreError(
                f"{self}: the object store does not answer as hoped ({said})"
            ) from error


class _Fetched(io.RawIOBase):
    """An object as a file: it is fetched in blocks, and the last block is kept."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._size = remote.size()
        self._at, self._start, self._block = 0, 0, b""

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self._at)
        size = left if size < 0 else min(size, left)
        offset = self._at - self._start
        if size and not 0 <= offset <= len(self._block) - size:
            self._start = min(self._at, max(0, self._size - _BLOCK))
            self._block = self._remote.read_part(
                self._start, max(_BLOCK, self._at + size - self._start)
            )
            offset = self._at - self._start
        data = self._block[offset : offset + size]
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        if self._at < 0:
            raise ValueError(f"{self._remote}: no place {self._at} in it")
        return self._at

    def tell(self) -> int:
        return self._at

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True
