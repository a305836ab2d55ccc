"""Reference data that took much work, kept on disk for the next process and the next worker.

A file is named by the digest of all that its numbers depend on: the parameters of the scenario, the
precision, the versions and the files of the solver, the compiler's flags and the kind of device.
It is checked when it is read, and made again where it is damaged. Nothing of it enters a result.
"""

import functools
import json
import logging
import os
import platform
import shutil
import zipfile
import zlib
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import filelock
import jax
import numpy as np
from jaxtyping import Float

import apexr
from apexr._digest import digest
from apexr._doors import check_all
from apexr._memory import format_bytes, read_bytes

LIMIT = "APEXR_DATA_CACHE"
"""The environment variable that says how large the cache may grow; 0 switches it off."""

DEFAULT_LIMIT = 10 * 10**9
FREE_FRACTION = 0.2
"""The part of what is free on the disk, the cache included, that it may take."""

_CODE = ("experiment", "initial", "recipe", "scenarios", "spectral", "steppers")
"""Packages whose code makes the numbers."""

_log = logging.getLogger(__name__)

Trajectories = Float[np.ndarray, "sample time channel *space"]


class Entry(NamedTuple):
    """The cache's entry under one digest."""

    path: Path
    about: Mapping[str, Any]
    nbytes: int
    used: float  # seconds since 1970


def folder() -> Path:
    """Return where the cache is, whether it exists or not."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "apexr" / "data"


def limit() -> int:
    """Return how many bytes the cache may take; 0 if it is switched off.

    Raises
    ------
    SpecError
        If the environment variable is no size.
    """
    given = os.environ.get(LIMIT, "").strip()
    if given == "0":
        return 0
    wanted = read_bytes(LIMIT, given) if given else DEFAULT_LIMIT
    existing = next(path for path in (folder(), *folder().parents) if path.exists())
    return min(wanted, int(FREE_FRACTION * (shutil.disk_usage(existing).free + size())))


def kept(about: Mapping[str, Any], shape: tuple[int, ...], make: Callable[[], Any]) -> Trajectories:
    """Return trajectories from the cache, or make them and keep them there.

    One process makes them; others that want the same wait for it.

    Parameters
    ----------
    about
        Plain data that say what is to be made.
    shape
        The shape that the trajectories must have.
    make
        Makes them.
    """
    most = limit()
    dtype = jax.dtypes.canonicalize_dtype(float)
    if np.prod(shape, dtype=float) * dtype.itemsize > most:
        return make()
    path = folder() / f"{digest({'about': about, 'made_with': _circumstances()})}.npz"
    lock = filelock.FileLock(path.with_suffix(".lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:  # a home that is read-only, or on a disk without locks
        _log.info("reference data are not kept in %s: %s", path.parent, error)
        return make()
    try:
        return _kept(path, about, shape, dtype, make, most)
    finally:
        lock.release()


def _kept(
    path: Path,
    about: Mapping[str, Any],
    shape: tuple[int, ...],
    dtype: np.dtype,
    make: Callable[[], Any],
    most: int,
) -> Trajectories:
    held = _read(path, shape, dtype)
    if held is not None:
        return held
    made = np.asarray(make())
    try:
        _make_room(most - made.nbytes)
        _write(path, about, made)
        _make_room(most)
    except OSError as error:
        _log.info("reference data are not kept in %s: %s", path.parent, error)
    return made


def entries() -> list[Entry]:
    """Return what the cache holds, what was used last first."""
    found = []
    for path in _files():
        try:
            with np.load(path) as file:
                about = json.loads(str(file["about"]))
            state = path.stat()
        except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error):
            continue  # damaged, or removed by another process
        found.append(Entry(path, about, state.st_size, state.st_mtime))
    return sorted(found, key=lambda entry: -entry.used)


def size() -> int:
    """Return how many bytes the cache takes."""
    return sum(path.stat().st_size for path in _files())


def clear() -> int:
    """Remove all that the cache holds; return how many bytes that frees."""
    freed = 0
    for path in _files():
        freed += path.stat().st_size
        path.unlink(missing_ok=True)
        path.with_suffix(".lock").unlink(missing_ok=True)
    return freed


def _files() -> list[Path]:
    """Return the files of the cache: those with names of its own form."""
    return [
        path
        for path in folder().glob("*.npz")
        if len(path.stem) == 32 and set(path.stem) <= set("0123456789abcdef") and path.is_file()
    ]


def _read(path: Path, shape: tuple[int, ...], dtype: np.dtype) -> Trajectories | None:
    """Return what a file holds if it is whole; reading it compares the sums of a ZIP archive."""
    try:
        with np.load(path) as file:
            held = file["trajectories"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        _log.warning("%s is damaged (%s): the data are made again", path, error)
        return None
    if held.shape != shape or held.dtype != dtype:
        return None
    os.utime(path)
    _log.info("reference data come from %s", path)
    return held


def _write(path: Path, about: Mapping[str, Any], made: Trajectories) -> None:
    """Write a file in one step as seen by those who read."""
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        with unfinished.open("wb") as file:
            np.savez(file, trajectories=made, about=np.array(json.dumps(about)))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    _log.info("reference data of %s are kept in %s", format_bytes(made.nbytes), path)


def _make_room(most: int) -> None:
    """Remove what was not used for longest, until all that is left takes so many bytes."""
    files = sorted(_files(), key=lambda path: path.stat().st_mtime)
    taken = size()
    for path in files:
        if taken <= most:
            return
        taken -= path.stat().st_size
        path.unlink(missing_ok=True)


@functools.cache
def _circumstances() -> dict[str, Any]:
    """Return what the bits of a trajectory depend on besides its scenario."""
    device = jax.local_devices()[0]
    names = ("jax", "jaxlib", "equinox", "numpy")
    return {
        **{name: version(name) for name in names},
        "apexr": apexr.__version__,
        "code": _stamp(),
        "device": f"{device.platform}: {device.device_kind}",
        "machine": [platform.machine(), platform.processor()],
        "flags": {
            name: value
            for name, value in os.environ.items()
            if name.startswith(("XLA_", "JAX_")) and "CACHE" not in name
        },
    }


def _stamp() -> str:
    """Return what changes where somebody edits the solver: sizes and times of its files."""
    home = Path(__file__).parents[1]
    files = (path for name in _CODE for path in sorted((home / name).rglob("*.py")))
    states = [(str(path.relative_to(home)), path.stat()) for path in files]
    return digest([[name, state.st_size, state.st_mtime_ns] for name, state in states])


check_all(globals(), ("clear", "entries", "folder", "kept", "limit", "size"))
