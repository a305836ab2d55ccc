"""Labeled trajectories: xarray objects, netCDF and Zarr with named dimensions."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr.errors import SpecError
from apexr.exchange.readers._recording import (
    PARTS,
    Axis,
    Constant,
    Field,
    Part,
    Recording,
    axis_of,
    check_frame,
    check_real,
    numbered,
    step_of,
)
from apexr.schema import SPATIAL_DIMS

LABELED = "labelled"
"""The layout of named dimensions."""

DIMS = ("sample", "time", "channel", *SPATIAL_DIMS)
_LONGEST_UNIT = 40
_ALSO = {
    "sample": ("trajectory", "trajectories", "samples", "member", "realization", "test_sample"),
    "time": ("t", "step", "frame", "times"),
    "channel": ("channels", "component", "variable"),
}
"""Other names of dimensions that leave no doubt."""


def _usual_name(dim: str) -> str:
    """Return apexr's name for a dimension, the same if none is known."""
    return next((ours for ours, others in _ALSO.items() if dim.lower() in others), dim)


def labeled_recordings(
    data: xr.Dataset | xr.DataArray, where: str, dims: Mapping[str, str]
) -> list[Recording]:
    """Return the trajectories of labeled data.

    Parameters
    ----------
    data
        A variable, or several of one grid; ``train``, ``valid``, ``test`` with samples and times of
        their own are the parts of a split.
    where
        Its name in messages.
    dims
        Names of dimensions to those of apexr.

    Raises
    ------
    SpecError
        If a dimension means nothing, or there are no trajectories.
    """
    ds = (
        data.to_dataset(name="u" if data.name is None else data.name)
        if isinstance(data, xr.DataArray)
        else data
    )
    parts = [part for part in PARTS if f"{part}_sample" in ds.dims]
    if not parts:
        return [_recording(ds, where, dims, None)]
    return [_recording(_of_part(ds, part), f"{where}: {part}", dims, part) for part in parts]


def _of_part(ds: xr.Dataset, part: Part) -> xr.Dataset:
    """Return the variables of one part, under their usual names."""
    own = f"{part}_sample"
    held = ds[[name for name in ds.data_vars if own in ds[name].dims]]
    names = {f"{part}_{name}": name for name in ("sample", "time", "time_value")}
    return held.rename({old: new for old, new in names.items() if old in held.variables})


def _recording(ds: xr.Dataset, where: str, dims: Mapping[str, str], part: Part | None) -> Recording:
    ds = ds.rename(_renaming(ds, where, dims))
    space = [name for name in SPATIAL_DIMS if name in ds.dims]
    if "time" not in ds.dims or not space:
        raise SpecError(
            f"{where}: trajectories need the dimensions time and x[, y[, z]], got"
            f" {[str(dim) for dim in ds.dims]}; say which are which by dims="
            "{'NAME': 'time', 'OTHER': 'x'}"
        )
    fields = [n for n in ds.data_vars if {"time", *space} <= set(ds[n].dims)]
    constants = [n for n in ds.data_vars if "time" not in ds[n].dims and ds[n].dtype.kind in "fiu"]
    samples = ds.sizes.get("sample", 1)
    check_frame([ds.sizes[name] for name in space], 8, where)
    return Recording(
        layout=LABELED,
        where=where,
        num_trajectories=samples,
        num_frames=ds.sizes["time"],
        axes=tuple(_axis(ds, name, where) for name in space),
        fields=tuple(_field(ds[name], str(name), space, where) for name in fields),
        constants=tuple(_constant(ds[name], str(name), space) for name in constants),
        dt=_dt(ds, where),
        part=part,
        name=str(ds.attrs.get("scenario") or ""),
        units=_units(ds, space, list(map(str, fields))),
    )


def _units(ds: xr.Dataset, space: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    """Return the units that a file tells of its axes, its times and its channels."""
    named: dict[str, tuple[str, ...]] = {name: (name,) for name in space if name in ds.coords}
    named |= {name: _labels(ds[name], name) for name in fields}
    found = {
        label: ds[name].attrs["units"]
        for name, labels in named.items()
        for label in labels
        if isinstance(ds[name].attrs.get("units"), str)
    }
    times = ds.get("time_value", ds.get("time"))
    if times is not None and times.dtype.kind in "mM":
        found["time"] = "s"  # as _dt counts them
    elif times is not None and isinstance(times.attrs.get("units"), str):
        found["time"] = times.attrs["units"]
    return {name: unit for name, unit in found.items() if 0 < len(unit) <= _LONGEST_UNIT}


def _renaming(ds: xr.Dataset, where: str, dims: Mapping[str, str]) -> dict[str, str]:
    """Return the names of apexr for dimensions that have others.

    Raises
    ------
    SpecError
        If one means nothing, or two mean the same.
    """
    wrong = [f"{old!r} to {new!r}" for old, new in dims.items() if new not in DIMS]
    lost = [name for name in dims if name not in ds.dims]
    if wrong or lost:
        held = [str(dim) for dim in ds.dims]
        said = f"no dimension {lost[0]!r}; there is {held}" if lost else f"{wrong[0]} in dims"
        raise SpecError(f"{where}: {said}; dims= names a dimension for one of {', '.join(DIMS)}")
    names = dict(dims)
    for dim in map(str, ds.dims):
        if dim in names or dim in DIMS:
            continue
        meant = [ours for ours, others in _ALSO.items() if dim.lower() in others]
        if not meant or meant[0] in ds.dims or meant[0] in names.values():
            raise SpecError(
                f"{where}: what is the dimension {dim!r}? Say it by dims={{{dim!r}: …}}, one of"
                f" {', '.join(DIMS)}, or select along it first"
            )
        names[dim] = meant[0]
    if len(set(names.values())) < len(names):
        raise SpecError(f"{where}: two dimensions mean the same: {names}")
    return {old: new for old, new in names.items() if old != new}


def _axis(ds: xr.Dataset, name: str, where: str) -> Axis:
    if name not in ds.coords:
        return Axis(name, ds.sizes[name])
    coordinate = ds[name]
    told = coordinate.attrs
    boundary = told.get("boundary")
    if coordinate.dtype.kind not in "fiu":
        return Axis(name, ds.sizes[name])
    axis = axis_of(name, coordinate.values, f"{where}: {name}", boundary)
    extent = told.get("extent")
    if not isinstance(extent, int | float) or not extent > 0:
        return axis
    return dataclasses.replace(axis, extent=float(extent))


def _dt(ds: xr.Dataset, where: str) -> float | None:
    """Return the time step; None where times only count the steps."""
    if "time_value" in ds.coords:
        return step_of(ds["time_value"].values, f"{where}: time_value")
    if "time" not in ds.coords:
        return None
    times = ds["time"].values
    if times.dtype.kind in "mM":
        times = (times - times[0]) / np.timedelta64(1, "s")
    check_real(times.dtype, f"{where}: time")
    step = step_of(times, f"{where}: time")
    counted = ds["time"].dtype.kind in "iu" or ds["time"].attrs.get("units") == "1"
    return None if counted else step


def _field(array: xr.DataArray, name: str, space: Sequence[str], where: str) -> Field:
    check_real(array.dtype, f"{where}: {name}")
    labels = _labels(array, name)
    variable = array.variable
    order = [dim for dim in ("time", "channel", *space) if dim in variable.dims]

    def frames(sample: int, first: int, last: int) -> np.ndarray:
        index: dict[str, Any] = {"time": slice(first, last)}
        index |= {"sample": sample} if "sample" in variable.dims else {}
        part = variable.isel(index).transpose(*order)
        values = np.asarray(part.values)
        return values if "channel" in order else values[:, None]

    return Field(name, labels, frames)


def _constant(array: xr.DataArray, name: str, space: Sequence[str]) -> Constant:
    labels = _labels(array, name)
    variable = array.variable
    order = [dim for dim in ("channel", *space) if dim in variable.dims]
    places = [place for place, dim in enumerate(space) if dim not in variable.dims]

    def state(sample: int) -> np.ndarray:
        picked = {"sample": sample} if "sample" in variable.dims else {}
        values = np.asarray(variable.isel(picked).transpose(*order).values)
        values = values if "channel" in order else values[None]
        for place in places:
            values = np.expand_dims(values, 1 + place)
        return values

    return Constant(name, labels, state)


def _labels(array: xr.DataArray, name: str) -> tuple[str, ...]:
    """Return the names of the channels: their labels, where these are words."""
    if "channel" not in array.dims:
        return (name,)
    count = array.sizes["channel"]
    told = array["channel"].values.tolist() if "channel" in array.coords else []
    if told and all(isinstance(one, str) for one in told):
        if len({*told}) < count or "" in told:
            raise SpecError(f"{name}: channels must have different names, got {told}")
        return tuple(told)
    return tuple(map(str, range(count))) if told else numbered(name, count)


def array_recordings(arrays: Mapping[str, Any], where: str, dims: Sequence[str]) -> list[Recording]:
    """Return the trajectories of plain arrays, whose axes are named in order.

    Parameters
    ----------
    arrays
        One array; or several of one grid, of which ``train``, ``valid``, ``test`` are the parts of
        a split. One-dimensional ones called like a dimension (of time also ``t``) are its
        coordinates.
    where
        Its name in messages.
    dims
        The names of the axes.

    Raises
    ------
    SpecError
        If the names do not fit.
    """
    names = tuple(dims)
    big = {name: array for name, array in arrays.items() if np.ndim(array) > 1}
    if not names:
        shapes = {name: tuple(np.shape(array)) for name, array in big.items()}
        raise SpecError(
            f"{where}: which axis is which? Give dims=, such as"
            f" dims=('sample', 'time', 'channel', 'x'), for arrays of the shapes {shapes}"
        )
    unknown = [name for name in names if name not in DIMS]
    if unknown or len(set(names)) < len(names):
        raise SpecError(f"dims must be different names of {', '.join(DIMS)}, got {names}")
    for name, array in big.items():
        check_real(array.dtype, f"{where}: {name}")
        if array.ndim != len(names):
            raise SpecError(
                f"{where}: {name} has {array.ndim} axes {tuple(array.shape)}, but dims names"
                f" {len(names)}: {names}"
            )
    parts = [part for part in PARTS if part in big]
    small = {name: array for name, array in arrays.items() if name not in big}
    meant = {_usual_name(name): np.asarray(array) for name, array in small.items()}
    coords = {name: (name, array) for name, array in meant.items() if name in names}
    sets: list[tuple[Part | None, Mapping[str, Any]]] = [
        (part, {"u": big[part]}) for part in parts
    ] or [(None, big)]
    return list(
        itertools.chain.from_iterable(
            _renamed(labeled_recordings(_dataset(held, names, coords, where), where, {}), part)
            for part, held in sets
        )
    )


def _dataset(
    held: Mapping[str, Any], names: Sequence[str], coords: Mapping[str, Any], where: str
) -> xr.Dataset:
    try:
        return xr.Dataset({name: (names, array) for name, array in held.items()}, coords)
    except ValueError as error:
        raise SpecError(f"{where}: the arrays do not fit together ({error})") from error


def _renamed(recordings: list[Recording], part: Part | None) -> list[Recording]:
    return [Recording(**{**vars(one), "layout": "array", "part": part}) for one in recordings]
