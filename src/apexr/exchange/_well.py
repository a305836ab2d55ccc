"""Trajectories in the layout of The Well, which models of many makers are trained on.

One HDF5 file: the trajectories as fields, the grid, the boundary conditions and the parameters.
Scalars are fields of order 0, ``(trajectory, time, *space)``; velocities are one field of order 1,
whose components come last.

References
----------
Ohana et al. (2024), "The Well: a Large-Scale Collection of Diverse Physics Simulations for Machine
Learning", NeurIPS; its data format, version 1.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from apexr._typing import PathInput
from apexr.errors import MissingVariableError, SpecError, needs
from apexr.exchange._whole import written_aside
from apexr.schema import SPATIAL_DIMS

SUFFIXES = (".hdf5", ".h5")
BLOCK_VALUES = 2**24
_FIELDS = ("sample_rollout", "sample_reference")
_VARYING = ("sample_varying", "time_varying")


def to_well(data: xr.DataArray | xr.Dataset, path: PathInput, variable: str | None = None) -> Path:
    """Write trajectories as an HDF5 file in the layout of The Well, and return its path.

    They are written block by block; lazy ones need not fit into memory.

    Parameters
    ----------
    data
        Trajectories ``(sample, time, channel, *space)``, as :func:`apexr.simulate` and
        :func:`apexr.open_trajectories` give them, or the result of an experiment.
    path
        File that ends in ``.hdf5`` or ``.h5``; one that is there is replaced.
    variable
        Of a result: ``"sample_reference"``, by default, or ``"sample_rollout"``, whose seeds
        become trajectories, one after another. Both begin with the initial state.

    Raises
    ------
    SpecError
        If the path or the data are not of this form.
    MissingVariableError
        If the result has no such variable.
    MissingExtraError
        If h5py is not installed.
    StoreError
        If the file cannot be written.
    """
    target = Path(path).absolute()
    if target.suffix not in SUFFIXES:
        raise SpecError(
            f"a file in the layout of The Well ends in {' or '.join(SUFFIXES)}, got {str(path)!r}"
        )
    states = _trajectories(data, variable)
    h5py = _h5py()
    with written_aside(target) as aside, h5py.File(aside, "w") as file:
        _write(file, states)
    return target


def _h5py() -> Any:
    with needs("netcdf", "files of The Well need"):
        import h5py
    return h5py


# --- which trajectories ----------------------------------------------------------------------


def _trajectories(data: Any, variable: str | None) -> xr.DataArray:
    """Return trajectories ``(sample, time, channel, *space)``, the initial state among them."""
    if isinstance(data, xr.Dataset):
        data = _of_result(data, variable)
    if not isinstance(data, xr.DataArray):
        raise SpecError(f"expected trajectories or a result, got {type(data).__name__}")
    space = [dim for dim in SPATIAL_DIMS if dim in data.dims]
    dims = ("sample", "time", "channel", *space)
    if not space or set(dims) != set(data.dims):
        raise SpecError(f"trajectories have the dimensions {dims}, got {data.dims}")
    return data.transpose(*dims)


def _of_result(ds: xr.Dataset, variable: str | None) -> xr.DataArray:
    if "experiment" in ds.dims:
        raise SpecError("a study holds many experiments; export one of them, or its rollouts")
    wanted = variable or next((name for name in _FIELDS[::-1] if name in ds), _FIELDS[1])
    if wanted not in _FIELDS or wanted not in ds or "initial_state" not in ds:
        held = [name for name in _FIELDS if name in ds]
        raise MissingVariableError(
            f"no trajectories {wanted!r} in this result; there is {', '.join(held) or 'nothing'}"
        )
    rollout = ds[wanted]
    times = rollout.drop_vars("time_value", errors="ignore")
    start = ds["initial_state"].broadcast_like(times.isel(time=0, drop=True))
    is_next = times["time"].values[0] == 1  # else there are frames between, which were given
    joined = xr.concat([start.expand_dims(time=[0]), times], "time") if is_next else times
    if "seed" in joined.dims:
        flat = joined.stack(trajectory=("seed", "sample")).reset_index("trajectory", drop=True)
        joined = flat.drop_vars("sample", errors="ignore").rename(trajectory="sample")
    dt = _dt(ds)
    if dt is not None:
        joined = joined.assign_coords(time_value=("time", joined["time"].values * dt))
    return joined.assign_attrs({**ds.attrs, "scenario": ds["scenario"].item()})


def _dt(ds: xr.Dataset) -> float | None:
    if "time_value" not in ds.coords:
        return None
    return float(ds["time_value"].values[0] / ds["time"].values[0])


# --- the file --------------------------------------------------------------------------------


def _write(file: Any, states: xr.DataArray) -> None:
    space = [str(dim) for dim in states.dims[3:]]
    parameters = _parameters(states.attrs)
    name = "apexr" if states.name is None else states.name
    file.attrs["dataset_name"] = str(states.attrs.get("scenario") or name)
    file.attrs["grid_type"] = "cartesian"
    file.attrs["n_spatial_dims"] = len(space)
    file.attrs["n_trajectories"] = states.sizes["sample"]
    file.attrs["simulation_parameters"] = _names(parameters)
    for name, value in parameters.items():
        file.attrs[name] = value
    _write_dimensions(file.create_group("dimensions"), states, space)
    _write_boundaries(file.create_group("boundary_conditions"), states, space)
    _write_scalars(file.create_group("scalars"), parameters)
    _write_fields(file, states, space)


def _names(names: Any) -> Any:
    """Return names as HDF5 takes them, none too."""
    return np.array(list(names), dtype=object) if names else np.array([], dtype="S1")


def _parameters(attrs: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers among the parameters of a scenario."""
    told = attrs.get("parameters") or attrs.get("specification") or "{}"
    try:
        held = json.loads(told)
    except (TypeError, ValueError):
        return {}
    inner = held.get("parameters", held)
    return {
        name: float(value)
        for name, value in inner.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _write_dimensions(group: Any, states: xr.DataArray, space: list[str]) -> None:
    group.attrs["spatial_dims"] = _names(space)
    times = states.coords.get("time_value", states["time"])
    time = group.create_dataset("time", data=times.values.astype(np.float32))
    time.attrs["sample_varying"] = False
    if "time_value" not in states.coords:
        time.attrs["units"] = "step"
    elif len(times) > 1:  # float32 does not hold it
        time.attrs["dt"] = float(times.values[-1] - times.values[0]) / (len(times) - 1)
    for dim in space:
        axis = group.create_dataset(dim, data=states[dim].values.astype(np.float32))
        _fixed(axis)
        if "extent" in states[dim].attrs:
            axis.attrs["extent"] = float(states[dim].attrs["extent"])


def _write_boundaries(group: Any, states: xr.DataArray, space: list[str]) -> None:
    for dim in space:
        boundary = group.create_group(f"{dim}_periodic")
        boundary.attrs["associated_dims"] = _names([dim])
        boundary.attrs["associated_fields"] = _names([])
        boundary.attrs["bc_type"] = "periodic"
        _fixed(boundary)
        mask = np.zeros(states.sizes[dim], dtype=bool)
        mask[[0, -1]] = True
        boundary.create_dataset("mask", data=mask)


def _write_scalars(group: Any, parameters: Mapping[str, float]) -> None:
    group.attrs["field_names"] = _names(parameters)
    for name, value in parameters.items():
        _fixed(group.create_dataset(name, data=np.float32(value)))


def _fixed(node: Any) -> None:
    for name in _VARYING:
        node.attrs[name] = False


def _write_fields(file: Any, states: xr.DataArray, space: list[str]) -> None:
    scalars, vectors = _fields(states, len(space))
    names: list[list[str]] = [list(scalars), list(vectors), []]
    for order, fields in enumerate(names):
        group = file.create_group(f"t{order}_fields")
        group.attrs["field_names"] = _names(fields)
        for name in fields:
            _create_field(group, name, states, space, order)
    for samples, block in _blocks(states):
        for name, channel in scalars.items():
            file["t0_fields"][name][samples] = block[:, :, channel]
        for name, channels in vectors.items():
            file["t1_fields"][name][samples] = np.moveaxis(block[:, :, channels], 2, -1)


def _fields(states: xr.DataArray, num_dims: int) -> tuple[dict[str, int], dict[str, list[int]]]:
    """Return the channels of scalar fields and of vector fields by name."""
    labels = [str(label) for label in states["channel"].values]
    if labels == [f"velocity_{dim}" for dim in SPATIAL_DIMS[:num_dims]]:
        return {}, {"velocity": list(range(num_dims))}
    numbered = all(label.isdigit() for label in labels)
    names = [f"channel_{label}" if numbered and len(labels) > 1 else label for label in labels]
    names = ["u"] if numbered and len(labels) == 1 else names
    return {name: place for place, name in enumerate(names)}, {}


def _create_field(
    group: Any, name: str, states: xr.DataArray, space: list[str], order: int
) -> None:
    shape = [states.sizes[dim] for dim in ("sample", "time", *space)] + [len(space)] * order
    field = group.create_dataset(name, shape=shape, dtype=np.float32)
    field.attrs["dim_varying"] = np.ones(len(space), dtype=bool)
    field.attrs["sample_varying"] = True
    field.attrs["time_varying"] = True


def _blocks(states: xr.DataArray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield trajectories, some at a time, as far as they fit into a block."""
    each = max(1, states.size // max(1, states.sizes["sample"]))
    step = max(1, BLOCK_VALUES // each)
    for first in range(0, states.sizes["sample"], step):
        samples = slice(first, min(first + step, states.sizes["sample"]))
        yield samples, states.isel(sample=samples).values.astype(np.float32)
