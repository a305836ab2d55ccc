"""Where a store lies: a path of this machine, or a URL of anything that fsspec reads.

A :class:`Remote` answers to as much of what a path does as a store needs, so that readers treat
both alike. Objects cannot be renamed or locked: what that changes stands in ``_objects``.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from apexr.errors import MissingExtraError, StoreError

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(::[A-Za-z].*)?://.*")
_LOCAL = ("file://", "local://")
_AT_ONCE = 32

PathLike = str | os.PathLike[str]

T = TypeVar("T")
R = TypeVar("R")


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
    def stem(self) -> str:
        """The name without its suffix."""
        return Path(self.name).stem

    @property
    def parent(self) -> "Remote":
        """What it lies in."""
        return Remote(self.fs, self.path.rpartition("/")[0])

    def with_name(self, name: str) -> "Remote":
        """Return what lies beside it under another name."""
        return self.parent / name

    def absolute(self) -> "Remote":
        """Return itself."""
        return self

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

    def is_symlink(self) -> bool:
        """Tell that it is no link."""
        return False

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

    def read_bytes(self) -> bytes:
        """Return the content of the object; FileNotFoundError where there is none."""
        with self._told():
            return bytes(self.fs.cat_file(self.path))

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


Place = Path | Remote
"""A path of this machine, or one on an object store."""


def is_url(path: object) -> bool:
    """Tell whether a place is named by a URL, other than one of this machine's files."""
    return isinstance(path, str) and bool(_URL.fullmatch(path)) and not path.startswith(_LOCAL)


def place(path: PathLike) -> Place:
    """Return what a path or a URL names.

    Raises
    ------
    StoreError
        If a URL is not one that fsspec knows, or has been made a path of.
    MissingExtraError
        If the package for it is not installed.
    """
    if isinstance(path, Remote | Path) and not _is_mangled(path):
        return path
    if isinstance(path, str) and is_url(path):
        return at(path)
    if isinstance(path, str) and path.startswith(_LOCAL):
        return Path(path.partition("://")[2])
    if _is_mangled(Path(path)):
        raise StoreError(f"{path}: a URL must be given as text with two slashes, not as a path")
    return Path(path)


def _is_mangled(path: PathLike) -> bool:
    """Tell whether a URL has been made a path of, which leaves one slash."""
    return isinstance(path, Path) and bool(re.match(r"[a-z][a-z0-9+]+:/[^/]", path.as_posix()))


def at(url: str, **storage_options: Any) -> Remote:
    """Return a place in an object store, for all that takes the path of a store.

    Parameters
    ----------
    url
        Such as ``s3://bucket/study.zarr`` or ``memory://study.zarr``.
    **storage_options
        What the client needs, as fsspec takes it: ``endpoint_url``, ``key``, ``secret``,
        ``anon``, … What is not given is taken from the environment, for S3 that is
        ``AWS_ENDPOINT_URL``, ``AWS_ACCESS_KEY_ID`` and so on, and from the files of fsspec's
        configuration.

    Raises
    ------
    StoreError
        If fsspec does not know such URLs.
    MissingExtraError
        If the package for it is not installed.
    """
    import fsspec

    try:
        fs, path = fsspec.core.url_to_fs(url, use_listings_cache=False, **storage_options)
    except ImportError as error:
        raise MissingExtraError(f'{url}: {error}; for S3, pip install "apexr[cloud]"') from error
    except (ValueError, TypeError, OSError) as error:
        raise StoreError(f"{url}: no place for a store ({error})") from error
    return Remote(fs, path.rstrip("/"))


def size_of(path: Place) -> int:
    """Return the size of a file; FileNotFoundError where there is none."""
    return path.size() if isinstance(path, Remote) else path.stat().st_size


def entries(folder: Place) -> list[Place]:
    """Return what lies right below a folder, by name; nothing where there is none."""
    found: Iterable[Place] = folder.iterdir() if folder.is_dir() else ()
    return sorted(found, key=lambda entry: entry.name)


def at_once(function: Callable[[T], R], items: Iterable[T], like: Place) -> list[R]:
    """Return what a function gives for items; for several at a time where they are far away."""
    if not isinstance(like, Remote):
        return [function(item) for item in items]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(function, items))


def local(path: PathLike, what: str) -> Path:
    """Return the absolute path of what only a folder of this machine can hold.

    Raises
    ------
    StoreError
        If it is a URL.
    """
    found = place(path)
    if isinstance(found, Remote):
        raise StoreError(f"{found}: {what} needs a path of this machine, not a URL")
    return found.absolute()
