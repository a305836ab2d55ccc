"""From what a user names to recordings: paths, globs, folders, URLs, arrays, labeled data."""

import dataclasses
import glob
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from apexr.errors import ApexrError, SpecError, StoreError, needs, suggest
from apexr.exchange.readers._arrays import npy_array, npz_arrays
from apexr.exchange.readers._hdf5 import MAGIC, SUFFIXES, Hdf5, closed_at_exit, opened
from apexr.exchange.readers._labeled import (
    LABELED,
    array_recordings,
    labeled_recordings,
)
from apexr.exchange.readers._recording import PARTS, Recording
from apexr.exchange.readers._registry import LAYOUTS, OwnReader, Reader
from apexr.exchange.readers._zarr import check_codecs, is_zarr
from apexr.scenarios.recorded._content import (
    Stamp,
    digest_of_arrays,
    digest_of_files,
    digest_of_remote,
    stamp_of,
)

AUTO = "auto"
ARRAY = "array"
NETCDF = (".nc", ".nc4", ".cdf", ".netcdf")
MOST_FILES = 10_000
_ENDS = (*SUFFIXES, *NETCDF, ".npy", ".npz")

Dims = Sequence[str] | Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Opened:
    """The recordings that were found.

    Attributes
    ----------
    recordings
        The trajectories, in the order of the files.
    digest, digest_of
        That of the content, and what of it.
    told
        The source in short.
    stamps
        The files as they are now.
    is_file
        Whether it has a path or a URL.
    """

    recordings: tuple[Recording, ...]
    digest: str
    digest_of: str
    told: str
    stamps: tuple[Stamp, ...] = ()
    is_file: bool = True

    def check_unchanged(self) -> None:
        """Refuse to go on where a file has changed since it was opened.

        Raises
        ------
        SpecError
            Naming it.
        """
        for stamp in self.stamps:
            if stamp_of(Path(stamp[0])) != stamp:
                raise SpecError(
                    f"{stamp[0]}: has changed since it was opened; results would be of neither"
                    " version. Make the scenario once more when the file is complete"
                )


def open_source(source: Any, layout: str, dims: Dims) -> Opened:
    """Return the recordings of a source.

    Raises
    ------
    SpecError
        If the source is not one, is ambiguous, or holds no trajectories.
    StoreError
        If a file is damaged.
    MissingExtraError
        If a package for the format or the URL is missing.
    """
    check_layout(layout)
    if isinstance(source, str | os.PathLike):
        return _from_path(source, layout, dims)
    if isinstance(source, list | tuple) and source and isinstance(source[0], str | os.PathLike):
        files = [path for one in source for path in _files_of(Path(one))]
        return _from_files(files, layout, dims, ", ".join(map(str, source))[:200])
    return _from_memory(source, dims)


def check_layout(layout: str) -> None:
    """Refuse a layout that nobody has registered.

    Raises
    ------
    SpecError
        With the nearest name and all names.
    """
    known = (AUTO, LABELED, ARRAY, *LAYOUTS.names())
    if layout not in known:
        raise SpecError(
            f"unknown layout {layout!r}{suggest(layout, known)} (known: {', '.join(known)})"
        )


# --- in memory ---------------------------------------------------------------------------------


def _from_memory(source: Any, dims: Dims) -> Opened:
    if isinstance(source, xr.DataArray | xr.Dataset):
        recordings = labeled_recordings(source, "source", _named_dims(dims, "source"))
        kind = type(source).__name__
    else:
        arrays = _as_arrays(source)
        recordings = array_recordings(arrays, "source", _axis_names(dims))
        kind = "array" if len(arrays) == 1 else "arrays"
    sizes = " and ".join(f"{one.num_trajectories} x {one.num_frames}" for one in recordings)
    return Opened(
        tuple(recordings), *_content(recordings), f"{kind} of {sizes} frames", is_file=False
    )


def _content(recordings: Sequence[Recording]) -> tuple[str, str]:
    """Return the digest of all numbers of recordings."""
    return digest_of_arrays(
        (f"{one.part or ''}/{name}", _blocks(one, place))
        for one in recordings
        for place, name in enumerate(
            [*(field.name for field in one.fields), *(held.name for held in one.constants)]
        )
    )


def _blocks(recording: Recording, place: int) -> Iterator[np.ndarray]:
    """Yield the numbers of a field or constant, one trajectory at a time."""
    count = len(recording.fields)
    for sample in range(recording.num_trajectories):
        if place < count:
            yield recording.fields[place].read(sample, 0, recording.num_frames)
        else:
            yield recording.constants[place - count].read(sample)


def _as_arrays(source: Any) -> dict[str, np.ndarray]:
    given = dict(source) if isinstance(source, Mapping) else {"u": source}
    arrays = {}
    for name, value in given.items():
        try:
            arrays[str(name)] = np.asarray(value)
        except Exception as error:  # frameworks raise what they like
            raise SpecError(
                f"source: NumPy cannot read {type(value).__name__} ({error})"
            ) from error
        if arrays[str(name)].dtype.hasobject or not arrays[str(name)].ndim:
            raise SpecError(
                f"source must be a path, a URL, an array with dims=, an xarray object or a"
                f" dictionary of arrays, got {type(value).__name__} that NumPy reads as"
                f" {arrays[str(name)].dtype}"
            )
    if not arrays:
        raise SpecError("source holds no array")
    return arrays


def _named_dims(dims: Dims, where: str) -> dict[str, str]:
    if isinstance(dims, Mapping):
        return dict(dims)
    if dims:
        raise SpecError(f"{where}: dimensions have names; say dims={{'NAME': 'time', …}}")
    return {}


def _axis_names(dims: Dims) -> tuple[str, ...]:
    if isinstance(dims, Mapping):
        raise SpecError("axes of an array are named in order: dims=('sample', 'time', 'x')")
    return (dims,) if isinstance(dims, str) else tuple(dims)


# --- files -------------------------------------------------------------------------------------


def _from_path(source: Any, layout: str, dims: Dims) -> Opened:
    from apexr import store

    if isinstance(source, str) and store.is_url(source):
        return _from_url(source, layout, dims)
    text = os.fspath(source).removeprefix("file://")
    path = Path(text).expanduser()
    if path.is_dir() and is_zarr(path):
        files = sorted(file for file in path.rglob("*") if file.is_file())
        names = [file.relative_to(path).as_posix() for file in files]
        content = digest_of_files(files, names)
        stamps = tuple(stamp_of(file) for file in files[:MOST_FILES])
        return Opened(tuple(_of_zarr(str(path), dims)), *content, str(source), stamps)
    return _from_files(_files_of(path), layout, dims, str(source))


def _files_of(path: Path) -> list[Path]:
    """Return the files that a path, a glob or a folder names.

    Raises
    ------
    SpecError
        If there are none, or far too many.
    """
    if path.is_file() or (path.is_dir() and is_zarr(path)):
        return [path]
    if path.is_dir():
        found = [file for file in path.rglob("*") if file.suffix in _ENDS and file.is_file()]
    elif path.exists():
        raise SpecError(f"{path}: is no file and no folder")
    else:
        found = [Path(name) for name in glob.glob(str(path), recursive=True)]
    if not found:
        near = path.parent.iterdir() if path.parent.is_dir() else ()
        hint = suggest(path.name, [other.name for other in near])
        raise SpecError(f"{path}: no data are there{hint}; name a file, a folder or a pattern")
    if len(found) > MOST_FILES:
        raise SpecError(f"{path}: {len(found)} files; at most {MOST_FILES} are read as one set")
    return sorted(found)


def _from_files(files: list[Path], layout: str, dims: Dims, told: str) -> Opened:
    before = tuple(stamp_of(file) for file in files)
    recordings = [one for file in files for one in _of_file(file, layout, dims)]
    if len(files) > 1:
        recordings = [_of_several(one) for one in recordings]
    own = layout in LAYOUTS and isinstance(LAYOUTS.get(layout), OwnReader)
    content = _content(recordings) if own else digest_of_files(files, [""] * len(files))
    found = Opened(tuple(recordings), *content, told, before)
    found.check_unchanged()
    return found


def _of_several(recording: Recording) -> Recording:
    """Return a recording that is one of several files: such sets are split in the end."""
    usual = "last;0.1" if recording.usual_split else None
    return dataclasses.replace(recording, usual_split=usual)


def _of_file(file: Path, layout: str, dims: Dims) -> list[Recording]:
    path = str(file)
    own = LAYOUTS.get(layout) if layout in LAYOUTS else None
    if isinstance(own, OwnReader):
        found = _of_own(own, path, dims)
    elif file.is_dir():
        found = _of_zarr(path, dims)
    elif file.suffix == ".npy":
        found = array_recordings({"u": npy_array(file)}, path, _axis_names(dims))
    elif file.suffix == ".npz":
        found = array_recordings(npz_arrays(file), path, _axis_names(dims))
    elif file.suffix in NETCDF or layout == LABELED:
        found = _of_netcdf(file, dims)
    else:
        found = _of_hdf5(opened(path, stamp_of(file)[1:]), own)
    part = next((part for part in PARTS if part in file.parts[-3:-1]), None)
    return [dataclasses.replace(one, part=one.part or part) for one in found]


def _of_own(own: OwnReader, path: str, dims: Dims) -> list[Recording]:
    data = own.function(path)
    if isinstance(data, xr.DataArray | xr.Dataset):
        return labeled_recordings(data, path, _named_dims(dims, path))
    return array_recordings(_as_arrays(data), path, _axis_names(dims))


def _of_hdf5(file: Hdf5, chosen: Reader | None) -> list[Recording]:
    """Return the recordings of an HDF5 file in a layout that is named or recognized.

    Raises
    ------
    SpecError
        If it has none of the layouts, or several.
    """
    if chosen is not None:
        if not chosen.recognises(file):
            raise SpecError(
                f"{file.where}: not in the layout {chosen.name!r}; it holds {file.keys()[:10]}"
            )
        return chosen.recordings(file)
    readers = [LAYOUTS.get(name) for name in LAYOUTS.names()]
    fitting = [one for one in readers if isinstance(one, Reader) and one.recognises(file)]
    if len(fitting) == 1:
        return fitting[0].recordings(file)
    names = [one.name for one in (fitting or readers) if isinstance(one, Reader)]
    said = "fits several layouts" if fitting else f"no known layout; it holds {file.keys()[:10]}"
    raise SpecError(
        f"{file.where}: {said}. Say layout= one of {', '.join(names)}"
        + ("" if fitting else ", or register a reader of your own: apexr.scenarios.layout")
    )


def _of_netcdf(file: Path, dims: Dims) -> list[Recording]:
    with file.open("rb") as head:
        is_hdf5 = head.read(len(MAGIC)) == MAGIC
    if is_hdf5:
        opened(str(file), stamp_of(file)[1:]).check_links()
        with needs("netcdf", "netCDF files need"):
            import h5netcdf  # noqa: F401
    engine = "h5netcdf" if is_hdf5 else "scipy"
    # xarray keeps paths open, and old
    return _labeled(closed_at_exit(file.open("rb")), engine, dims, str(file))


def _of_zarr(path: str, dims: Dims) -> list[Recording]:
    array = check_codecs(path)
    if array is not None:
        return array_recordings({"u": array}, path, _axis_names(dims))
    return _labeled(path, "zarr", dims)


def _labeled(path: Any, engine: str, dims: Dims, where: str = "") -> list[Recording]:
    names = _named_dims(dims, where or path)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Failed to open Zarr store with consolidated")
            ds = closed_at_exit(
                xr.open_dataset(path, engine=engine, chunks=None, cache=False, decode_times=False)
            )
    except ApexrError:
        raise
    except Exception as error:  # backends raise what they like
        raise StoreError(f"{where or path}: cannot be read ({error})") from error
    return labeled_recordings(ds, where or path, names)


# --- URLs --------------------------------------------------------------------------------------


def _from_url(url: str, layout: str, dims: Dims) -> Opened:
    from apexr import store

    place = store.at(url)
    try:
        is_file, told = place.is_file(), {}
        if is_file:
            told = place.fs.info(place.path)
            opened_file = place.fs.open(place.path, "rb")
            content = digest_of_remote(opened_file, told)
        elif place.is_dir():
            sizes = place.sizes()
            arrays = [(name, [np.asarray(size)]) for name, size in sorted(sizes.items())]
            content = (digest_of_arrays(arrays)[0], "names and sizes")
        else:
            raise SpecError(f"{url}: nothing is there")
    except ImportError as error:
        raise SpecError(f"{url}: {error}") from error
    if not is_file:
        recordings = _of_zarr(url, dims)
    elif place.suffix in NETCDF:
        recordings = _labeled(opened_file, "h5netcdf", dims, url)
    elif place.suffix == ".npy":
        values = np.load(opened_file)
        recordings = array_recordings({"u": values}, url, _axis_names(dims))
    else:
        own = LAYOUTS.get(layout) if layout in LAYOUTS else None
        if isinstance(own, OwnReader):
            raise SpecError(f"{url}: layout {layout!r} reads files of this machine")
        recordings = _of_hdf5(Hdf5(opened_file, url), own)
    return Opened(tuple(recordings), *content, url)
