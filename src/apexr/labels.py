"""Labeled Datasets from plain arrays: the only place where labels are attached.

The name, dimensions and meaning of each variable are declared in
:mod:`apexr.schema`; here the arrays of one run meet those declarations.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from apexr._doors import check_all
from apexr._per_axis import read_count, read_length, read_per_axis, spread
from apexr.errors import SchemaError, ShapeError, SpecError, suggest
from apexr.schema import (
    BIN,
    CHANNEL_UNITS,
    CONFIG_COORDS,
    CONVENTIONS,
    COORDINATES,
    DIVERGED,
    INTERVAL,
    LAG,
    MEMBER_RANK,
    RANK,
    RUNG,
    SCHEMA_VERSION,
    SPATIAL_DIMS,
    VARIABLES,
    WAVENUMBER,
    Variable,
    identifier,
    mean_metric,
    metric_names,
    plain_attrs,
    record,
    step_dim,
    train_solver_metric,
    trajectory_metric,
)

__all__ = ["Axes", "Recorded", "comparison", "experiment", "states", "trajectories"]

_FLOATS = ("float32", "float64")
_OWN = (RANK, MEMBER_RANK, INTERVAL, BIN, LAG, WAVENUMBER, RUNG)
_COUNTED = {**COORDINATES, **{own.name: own for own in _OWN}}


@dataclass(frozen=True)
class Axes:
    """The axes of a field: a grid, a time step and names of the channels.

    Parameters
    ----------
    num_spatial_dims
        1, 2 or 3.
    num_points
        Grid points in each direction, the periodic end point excluded; or one number an axis.
    domain_extent
        Length of the domain in each direction, or one number an axis.
    dt
        Time between two steps, None where the scenario is dimensionless.
    channel_names
        Names of the channels where they mean something; None numbers them.
    origins
        Place of the first point along each axis; None is 0.
    boundaries
        The boundary of each axis; None is ``"periodic"``.
    units
        Pairs of a name (of an axis, a channel or ``time``) and its unit. The unit of anything else
        is unknown, and the labels claim none; None says that everything is dimensionless.
    """

    num_spatial_dims: int
    num_points: int | tuple[int, ...]
    domain_extent: float | tuple[float, ...] = 1.0
    dt: float | None = None
    channel_names: tuple[str, ...] | None = None
    origins: tuple[float, ...] | None = None
    boundaries: tuple[str, ...] | None = None
    units: tuple[tuple[str, str], ...] | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.num_spatial_dims not in (1, 2, 3):
            raise ShapeError(f"num_spatial_dims must be 1, 2 or 3, got {self.num_spatial_dims}")
        read_points = functools.partial(read_count, minimum=1)
        for name, read in (("num_points", read_points), ("domain_extent", _read_extent)):
            given = getattr(self, name)
            try:
                value = read_per_axis(name, given, self.num_spatial_dims, read)
            except SpecError as error:
                raise ShapeError(str(error)) from None
            object.__setattr__(self, name, value)
        if self.channel_names is not None:
            object.__setattr__(self, "channel_names", tuple(self.channel_names))

    @property
    def space(self) -> tuple[str, ...]:
        """The spatial dimension names: the first of ``x, y, z``."""
        return SPATIAL_DIMS[: self.num_spatial_dims]

    @property
    def shape(self) -> tuple[int, ...]:
        """Grid points along each axis."""
        return spread(self.num_points, self.num_spatial_dims)

    @property
    def extents(self) -> tuple[float, ...]:
        """Length of each axis."""
        return spread(self.domain_extent, self.num_spatial_dims)

    def with_unit(self, attrs: Mapping[str, Any], *names: str) -> dict[str, Any]:
        """Return attributes with the unit that all names have, or without any."""
        if self.units is None:
            return dict(attrs)
        found = {dict(self.units).get(name) for name in names}
        bare = {key: value for key, value in attrs.items() if key != "units"}
        return bare if len(found) != 1 or None in found else {**bare, "units": found.pop()}

    @property
    def sizes(self) -> dict[str, int]:
        """Grid points by the name of the dimension."""
        return dict(zip(self.space, self.shape, strict=True))


def _read_extent(name: str, value: Any) -> float:
    return float(read_length(name, value))


@dataclass(frozen=True)
class Recorded:
    """The record of a callback.

    Parameters
    ----------
    callback
        Its name, which is also that of the variable, unless there is a key.
    update_steps, values
        The steps, and an array ``(seed, step, *dims)``.
    dims
        Its dimensions besides seed and step; ``space`` stands for those of the grid.
    key
        The key that tells the variable ``{callback}_{key}`` from others of the callback, such as
        the config string of a metric.
    """

    callback: str
    update_steps: Sequence[int] | np.ndarray
    values: ArrayLike
    dims: tuple[str, ...] = ()
    key: str = ""

    @property
    def name(self) -> str:
        """The name of the variable."""
        return f"{self.callback}_{identifier(self.key)}" if self.key else self.callback

    @property
    def declared(self) -> Variable:
        """The declaration of the variable."""
        return record(self.name, self.callback, self.dims, self.key)


def trajectories(
    values: ArrayLike,
    axes: Axes,
    *,
    name: str = "trajectories",
    attrs: Mapping[str, Any] | None = None,
    steps: ArrayLike | None = None,
    samples: ArrayLike | None = None,
    diverged_at: ArrayLike | None = None,
) -> xr.DataArray:
    """Return trajectories as a labeled array; time 0 is the initial state.

    Parameters
    ----------
    values
        Shape ``(sample, time, channel, *space)``.
    axes
        Grid, time step and channel names.
    name, attrs
        Name and attributes of the array.
    steps, samples
        Labels of time and of the samples, whole numbers; None counts from 0.
    diverged_at
        For each sample the first step with a number that is not finite, or -1.

    Raises
    ------
    SchemaError
        If the shape does not fit.
    """
    dims = ("sample", "time", "channel", "space")
    array = _field(values, axes, dims, name, attrs, {"time": steps, "sample": samples})
    if diverged_at is None:
        return array
    found = xr.Variable("sample", np.asarray(diverged_at, np.int64), DIVERGED.attrs)
    return array.assign_coords(diverged_at=found)


def states(
    values: ArrayLike,
    axes: Axes,
    *,
    name: str = "states",
    attrs: Mapping[str, Any] | None = None,
) -> xr.DataArray:
    """Return states, shape ``(sample, channel, *space)``, as a labeled array.

    Raises
    ------
    SchemaError
        If the shape does not fit.
    """
    return _field(values, axes, ("sample", "channel", "space"), name, attrs)


def splits(
    trajectories: Mapping[str, xr.DataArray], attrs: Mapping[str, Any] | None = None
) -> xr.Dataset:
    """Return sets of trajectories side by side, each with samples and times of its own.

    Parameters
    ----------
    trajectories
        Name, such as ``train``, to ``(sample, time, channel, *space)``. The dimensions become
        ``train_sample`` and ``train_time``; the grid is shared.
    attrs
        Attributes of the Dataset.
    """
    own = ("sample", "time", "time_value")
    variables = {
        name: array.rename({dim: f"{name}_{dim}" for dim in own if dim in array.coords})
        for name, array in trajectories.items()
    }
    meta = {"Conventions": CONVENTIONS, **(attrs or {})}
    return xr.Dataset(variables, attrs=plain_attrs(meta))


def experiment(
    arrays: Mapping[str, ArrayLike],
    axes: Axes,
    *,
    seeds: Sequence[int] | np.ndarray,
    update_steps: Sequence[int] | np.ndarray,
    counts: Mapping[str, Sequence[int] | np.ndarray] | None = None,
    config: Mapping[str, str],
    metrics: Mapping[str, str],
    attrs: Mapping[str, Any] | None = None,
    records: Sequence[Recorded] = (),
) -> xr.Dataset:
    """Return the result of one experiment as a Dataset that fits the schema.

    Parameters
    ----------
    arrays
        Name to values: names of :data:`apexr.schema.VARIABLES`, and for each metric its
        identifier, shape ``(seed, time)``, and its per-trajectory twin, shape
        ``(seed, test_sample, time)``. Any subset will do.
    axes
        Grid, time step and channel names.
    seeds, update_steps
        Labels of the seeds and of the recorded losses.
    counts
        Labels of ``time``, ``test_sample`` and ``sample`` where they are not simply counted.
    config
        ``scenario``, ``task``, ``net``, ``train``, ``scenario_kwargs`` (JSON text): what
        identifies the experiment.
    metrics
        Metric identifier to config string.
    attrs
        Attributes of the Dataset: strings, numbers and flat lists.
    records
        The records of callbacks.

    Raises
    ------
    SchemaError
        Naming the variable, what was given and what was expected.
    """
    declared = _declarations(metrics)
    sizes = {"seed": len(seeds), "update_step": len(update_steps)}
    sizes.update({dim: len(values) for dim, values in (counts or {}).items()})
    sizes.update(axes.sizes)
    variables = {
        name: _labeled(values, _lookup(name, declared), axes, sizes)
        for name, values in arrays.items()
    }
    steps = {}
    for one in records:
        dim = step_dim(one.callback)
        sizes[dim] = len(one.update_steps)
        steps[dim] = _index(dim, one.update_steps, "update_step")
        variables[one.name] = _labeled(one.values, one.declared, axes, sizes)
    labels = {
        "seed": np.asarray(seeds),
        "update_step": np.asarray(update_steps),
        **{dim: np.asarray(values) for dim, values in (counts or {}).items()},
    }
    used = {dim for variable in variables.values() for dim in variable.dims}
    coords = {
        **_config_coords(config),
        **_coords(axes, {d: n for d, n in sizes.items() if d in used}, labels),
        **steps,
    }
    meta = {"Conventions": CONVENTIONS, "schema_version": SCHEMA_VERSION, **(attrs or {})}
    return xr.Dataset(variables, coords, plain_attrs(meta))


def comparison(
    arrays: Mapping[str, ArrayLike],
    declared: Mapping[str, Variable],
    coords: Mapping[str, Sequence[int] | np.ndarray],
    *,
    dt: float | None = None,
    channel_names: tuple[str, ...] | None = None,
    config: Mapping[str, str] | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Return what a comparison of emulators with solvers tells, as a Dataset without space.

    Parameters
    ----------
    arrays
        Name to values: all the variables that are declared.
    declared
        Their declarations, such as :data:`apexr.schema.DECOMPOSITION`.
    coords
        Labels of each dimension, whole numbers.
    dt
        Time between two steps, None where there is none.
    channel_names
        Names of the channels, None where there are none.
    config
        The labels that identify the experiment; None where there is none.
    attrs
        Attributes of the Dataset.

    Raises
    ------
    SchemaError
        Naming the variable, what was given and what was expected.
    """
    axes = Axes(1, 1, dt=dt, channel_names=channel_names)
    sizes = {dim: len(values) for dim, values in coords.items()}
    variables = {
        name: _labeled(arrays[name], variable, axes, sizes) for name, variable in declared.items()
    }
    labels = {dim: np.asarray(values) for dim, values in coords.items()}
    known = {} if config is None else _config_coords(config)
    meta = {"Conventions": CONVENTIONS, "schema_version": SCHEMA_VERSION, **(attrs or {})}
    return xr.Dataset(variables, {**known, **_coords(axes, sizes, labels)}, plain_attrs(meta))


def _declarations(metrics: Mapping[str, str]) -> dict[str, Variable]:
    means = [mean_metric(config) for config in metrics.values()]
    names = metric_names(metrics.values())
    twins = [trajectory_metric(config, twin) for config, (_, twin) in names.items()]
    solver = [one for one in map(train_solver_metric, (*means, *twins)) if one]
    return {**VARIABLES, **{variable.name: variable for variable in (*means, *twins, *solver)}}


def _lookup(name: str, declared: Mapping[str, Variable]) -> Variable:
    if name not in declared:
        known = ", ".join(declared)
        raise SchemaError(f"variable {name!r}: not declared in {known}{suggest(name, declared)}")
    return declared[name]


def _labeled(
    values: ArrayLike, declared: Variable, axes: Axes, sizes: dict[str, int]
) -> xr.Variable:
    """Return ``values`` with dimension names; sizes seen for the first time enter ``sizes``."""
    array = _as_numpy(values, declared)
    dims = declared.dims_for(axes.num_spatial_dims)
    if array.ndim < len(dims):
        dims = tuple(dim for dim in dims if dim not in declared.optional)
    expected = tuple(sizes.get(dim) for dim in dims)
    fits = array.ndim == len(dims) and all(
        want in (None, got) for want, got in zip(expected, array.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join(
            f"{d}: {'any' if n is None else n}" for d, n in zip(dims, expected, strict=True)
        )
        raise SchemaError(f"{declared.name}: expected shape ({wanted}), got {array.shape}")
    sizes.update(zip(dims, array.shape, strict=True))
    attrs: Mapping[str, Any] = declared.attrs
    if set(dims) & set(SPATIAL_DIMS):  # states
        attrs = axes.with_unit(attrs, *(axes.channel_names or ("u",)))
    return xr.Variable(dims, array, attrs)


def _as_numpy(values: ArrayLike, declared: Variable) -> np.ndarray:
    array = np.asarray(values)
    if declared.kind == "float" and array.dtype.name not in _FLOATS:
        wide = array.dtype.kind in "iu" or array.ndim == 0
        return array.astype(np.float64 if wide else np.float32)
    if declared.kind == "int":
        return array.astype(np.int64)
    return array


def _field(
    values: ArrayLike,
    axes: Axes,
    dims: tuple[str, ...],
    name: str,
    attrs: Mapping[str, Any] | None,
    given: Mapping[str, ArrayLike | None] | None = None,
) -> xr.DataArray:
    declared = Variable(
        name=name, dims=dims, kind="float", long_name=name.replace("_", " "), description=""
    )
    sizes = dict(axes.sizes)
    variable = _labeled(values, declared, axes, sizes)
    labels = {"time": np.arange(sizes["time"])} if "time" in sizes else {}
    labels |= {dim: np.asarray(at) for dim, at in (given or {}).items() if at is not None}
    meta = {"long_name": declared.long_name, "units": declared.units, **(attrs or {})}
    return xr.DataArray(
        variable.data, _coords(axes, sizes, labels), variable.dims, name, plain_attrs(meta)
    )


# --- coordinates -----------------------------------------------------------------------------


def _config_coords(config: Mapping[str, str]) -> dict[str, xr.Variable]:
    wrong = set(config) ^ set(CONFIG_COORDS)
    if wrong:
        raise SchemaError(f"config: expected the keys {CONFIG_COORDS}, got {tuple(config)}")
    return {
        name: xr.Variable((), np.array(str(config[name]), dtype=object), COORDINATES[name].attrs)
        for name in CONFIG_COORDS
    }


def _coords(
    axes: Axes, sizes: Mapping[str, int], labels: Mapping[str, np.ndarray]
) -> dict[str, xr.Variable]:
    """Return the coordinate of every dimension in ``sizes``, counted where no label is given."""
    coords = {}
    for dim, size in sizes.items():
        if dim in SPATIAL_DIMS:
            coords[dim] = _space(dim, axes)
        elif dim == "channel":
            coords[dim] = _channel(size, axes)
        elif dim in _COUNTED:
            first = _COUNTED[dim].first or 0
            coords[dim] = _index(dim, labels.get(dim, np.arange(first, first + size)), dim)
    if "time" in coords and axes.dt is not None:
        value = coords["time"].values * float(axes.dt)
        attrs = axes.with_unit(COORDINATES["time_value"].attrs, "time")
        coords["time_value"] = xr.Variable("time", value, attrs)
    return coords


def _index(dim: str, labels: ArrayLike, like: str) -> xr.Variable:
    return xr.Variable(dim, np.asarray(labels).astype(np.int64), _COUNTED[like].attrs)


def _space(dim: str, axes: Axes) -> xr.Variable:
    place = axes.space.index(dim)
    points, extent = axes.shape[place], axes.extents[place]
    origin = axes.origins[place] if axes.origins else 0.0
    positions = origin + np.arange(points) * (extent / points)
    boundary = axes.boundaries[place] if axes.boundaries else "periodic"
    attrs = {
        **axes.with_unit(COORDINATES[dim].attrs, dim),
        "extent": float(extent),
        "boundary": boundary,
    }
    return xr.Variable(dim, positions, attrs)


def _channel(size: int, axes: Axes) -> xr.Variable:
    names = axes.channel_names
    if names is None:
        return _index("channel", np.arange(size), "channel")
    if len(names) != size:
        raise SchemaError(f"channel: expected {len(names)} channels {names}, got {size}")
    attrs = {key: at for key, at in COORDINATES["channel"].attrs.items() if key != "units"}
    if told := {name: unit for name, unit in axes.units or () if name in names}:
        attrs[CHANNEL_UNITS] = json.dumps(told)
    return xr.Variable("channel", np.array(names, dtype=object), attrs)


check_all(globals())
