"""Where a store lies: a path of this machine, or a URL of anything that fsspec reads.

The path that a user gives becomes a place here, once: a :class:`Local` or a :class:`Remote`, which
answer to the same questions.
"""

import os
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from apexr._files._local import Local
from apexr._files._remote import Remote
from apexr.errors import MissingExtraError, StoreError, how_to_install

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(::[A-Za-z].*)?://.*")
_LOCAL = ("file://", "local://")
_AT_ONCE = 32
_UNIT = re.compile(r"[0-9a-f]{32}(\.zip)?")
_HOLDERS = ("experiments", ".index")
_EXTRAS = {"s3": "cloud", "s3a": "cloud", "gs": "gcs", "gcs": "gcs"}
"""The extra of apexr that brings what fsspec needs, by the scheme of a URL."""

PathLike = str | os.PathLike[str]

T = TypeVar("T")
R = TypeVar("R")

Place = Local | Remote
"""A place on this machine, or in an object store."""

Address = Path | Remote
"""A place as users are given it: a path of this machine, or a place in an object store."""


def address(place: Place) -> Address:
    """Return a place as users are given it."""
    return place.path if isinstance(place, Local) else place


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
    if isinstance(path, Local | Remote):
        return path
    text = os.fspath(path)
    if isinstance(path, str) and is_url(path):
        return at(path)
    if isinstance(path, str) and path.startswith(_LOCAL):
        text = path.partition("://")[2]
    if "\0" in text:
        raise StoreError(f"{path!r}: no path")
    if _is_mangled(found := Path(text)):
        raise StoreError(f"{path}: a URL must be given as text with two slashes, not as a path")
    return _within_study(found.absolute())


def _within_study(path: Path) -> Local:
    """Return the place of a path; of a unit in a study, what the user has named is the study."""
    if path.parent.name in _HOLDERS and _UNIT.fullmatch(path.name):
        return Local(path.parent.parent, (path.parent.name, path.name))
    return Local(path)


def _is_mangled(path: Path) -> bool:
    """Tell whether a URL has been made a path of, which leaves one slash."""
    return bool(re.match(r"[a-z][a-z0-9+]+:/[^/]", path.as_posix()))


def at(url: str, **storage_options: Any) -> Remote:
    """Return a place in an object store, for all that takes the path of a store.

    Parameters
    ----------
    url
        Such as ``s3://bucket/study.zarr`` or ``memory://study.zarr``.
    **storage_options
        Options of the client, as fsspec takes them: ``endpoint_url``, ``key``, ``secret``,
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
        extra = _EXTRAS.get(url.partition("://")[0])
        how = f"; {how_to_install(extra)}" if extra else ""
        raise MissingExtraError(f"{url}: {error}{how}") from error
    except (ValueError, TypeError, OSError) as error:
        raise StoreError(f"{url}: no place for a store ({error})") from error
    return Remote(fs, path.rstrip("/"))


def entries(folder: Place) -> list[Place]:
    """Return what lies right below a folder, by name; nothing where there is none."""
    found: Iterable[Local | Remote] = folder.iterdir() if folder.is_dir() else ()
    return sorted(found, key=lambda entry: entry.name)


def at_once(function: Callable[[T], R], items: Iterable[T], like: Place) -> list[R]:
    """Return what a function gives for items; for several at a time where they are far away."""
    if not isinstance(like, Remote):
        return [function(item) for item in items]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(function, items))


def local(path: PathLike, what: str) -> Local:
    """Return the place of what only a folder of this machine can hold.

    Raises
    ------
    StoreError
        If it is a URL.
    """
    found = place(path)
    if isinstance(found, Remote):
        raise StoreError(f"{found}: {what} needs a path of this machine, not a URL")
    return found
