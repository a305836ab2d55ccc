"""Places in object stores, which answer to what :class:`apexr.store._local.Local` answers to.

Objects cannot be renamed or locked: what that changes stands in ``_objects``.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apexr._memory import format_bytes
from apexr.errors import StoreError
from apexr.store._local import FILE_LIMIT


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
        """What the name ends with, from its last dot on."""
        return Path(self.name).suffix

    @property
    def parent(self) -> "Remote":
        """What it lies in."""
        return Remote(self.fs, self.path.rpartition("/")[0])

    def with_name(self, name: str) -> "Remote":
        """Return what lies beside it under another name."""
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
        """Copy all objects below it, then remove them."""
        names = list(self.sizes())
        with self._told():
            for name in names:
                self.fs.cp_file(f"{self.path}/{name}", f"{target.path}/{name}")
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
