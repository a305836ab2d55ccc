"""The Well: fields by their tensor order, with all that describes them in attributes.

References
----------
Ohana et al. (2024), "The Well: a Large-Scale Collection of Diverse Physics Simulations for Machine
Learning", NeurIPS; its data format, version 1.
"""

import dataclasses
from typing import Any

import numpy as np

from apexr.errors import SpecError
from apexr.exchange.readers._hdf5 import Hdf5, read, texts
from apexr.exchange.readers._recording import (
    ROUGHLY,
    Axis,
    Constant,
    Field,
    Recording,
    axis_of,
    check_frame,
    component_labels,
    step_of,
)
from apexr.exchange.readers._registry import Reader, reader

NO_TIME = "step"
"""Unit of the times of trajectories that have no time step."""


@reader
class Well(Reader):
    """The layout of The Well: ``t0_fields``, ``t1_fields``, ``t2_fields``, ``dimensions``."""

    name = "the_well"

    def recognises(self, file: Hdf5) -> bool:
        """Tell whether the groups of the layout are there."""
        keys = set(file.keys())
        return "dimensions" in keys and bool(keys & {"t0_fields", "t1_fields", "t2_fields"})

    def recordings(self, file: Hdf5) -> list[Recording]:
        """Return the trajectories of the file."""
        root = file.attributes()
        axes = _axes(file)
        nodes = [
            _Node.of(file, f"t{order}_fields/{name}", name, order, axes)
            for order in range(3)
            for name in _names(file, f"t{order}_fields")
        ]
        moving = [node for node in nodes if node.moves]
        counts = {node.num_samples for node in nodes if node.has_samples}
        number = root.get("n_trajectories", max(counts, default=1))
        if len(counts | {number}) > 1 or len({node.num_frames for node in moving}) > 1:
            raise SpecError(f"{file.where}: fields differ in their trajectories or frames")
        frames = moving[0].num_frames if moving else 0
        return [
            Recording(
                layout=self.name,
                where=file.where,
                num_trajectories=int(number),
                num_frames=frames,
                axes=axes,
                fields=tuple(node.field() for node in moving),
                constants=(*(n.constant() for n in nodes if not n.moves), *_scalars(file)),
                dt=_dt(file, frames),
                name=str(root.get("dataset_name", "")),
            )
        ]


def _names(file: Hdf5, group: str) -> list[str]:
    """Return the names of a group's fields, which it says or which are those of its arrays."""
    keys = file.keys(group)
    said = texts(file.attributes(group).get("field_names")) if keys else []
    return said or keys


def _axes(file: Hdf5) -> tuple[Axis, ...]:
    names = texts(file.attributes("dimensions").get("spatial_dims"))
    boundaries: dict[str, str] = {}
    for name in file.keys("boundary_conditions"):
        told = file.attributes(f"boundary_conditions/{name}")
        kind = str(told.get("bc_type", "")).lower()
        for dim in texts(told.get("associated_dims")):
            if boundaries.get(dim, "periodic") == "periodic" and kind:
                boundaries[dim] = kind
    return tuple(_axis(file, place, name, boundaries) for place, name in enumerate(names))


def _axis(file: Hdf5, place: int, name: str, boundaries: dict[str, str]) -> Axis:
    path = f"dimensions/{name}"
    points = file.small(path)
    if points.ndim == 2:  # one row a trajectory
        if np.ptp(points, axis=0).any():
            raise SpecError(f"{file.where}: the grid along {name} differs between trajectories")
        points = points[0]
    axis = axis_of("xyz"[place], points, f"{file.where}: {path}", boundaries.get(name))
    extent = file.attributes(path).get("extent")  # in full precision, where apexr wrote the file
    measured = axis.num_points * (axis.spacing or 1.0)
    if not isinstance(extent, float) or abs(extent / measured - 1) > ROUGHLY:
        return axis
    return dataclasses.replace(axis, extent=extent)


def _dt(file: Hdf5, num_frames: int) -> float | None:
    times, told = file.small("dimensions/time"), file.attributes("dimensions/time")
    where = f"{file.where}: dimensions/time"
    rows = times if times.ndim == 2 else times[None]
    if rows.shape[1] != num_frames:
        raise SpecError(f"{where}: {rows.shape[1]} times for {num_frames} frames")
    steps = [step_of(row, where) for row in rows]
    if max(steps) - min(steps) > ROUGHLY * steps[0]:
        raise SpecError(
            f"{where}: dt varies from {min(steps)} to {max(steps)} between trajectories"
        )
    if told.get("units") == NO_TIME:
        return None
    exact = told.get("dt")  # in full precision, where apexr wrote the file
    return exact if isinstance(exact, float) and abs(exact / steps[0] - 1) < ROUGHLY else steps[0]


def _scalars(file: Hdf5) -> list[Constant]:
    found = []
    for name in _names(file, "scalars"):
        told = file.attributes(f"scalars/{name}")
        if told.get("time_varying"):
            continue  # it is no constant, and no field
        values = np.atleast_1d(file.small(f"scalars/{name}").astype(np.float64))
        found.append(Constant(name, (name,), _number_of(values)))
    return found


def _number_of(values: np.ndarray) -> Any:
    return lambda sample: values[[sample if len(values) > 1 else 0]]


@dataclasses.dataclass(frozen=True)
class _Node:
    """One array of fields: which of the axes it has."""

    file: Hdf5
    path: str
    name: str
    order: int
    shape: tuple[int, ...]
    has_samples: bool
    moves: bool
    dims: tuple[bool, ...]

    @classmethod
    def of(cls, file: Hdf5, path: str, name: str, order: int, axes: tuple[Axis, ...]) -> "_Node":
        """Return the array with what its attributes say.

        Raises
        ------
        SpecError
            If its shape is another one.
        """
        node, told = file.dataset(path), file.attributes(path)
        varying = told.get("dim_varying", [True] * len(axes))
        dims = tuple(bool(one) for one in (varying if isinstance(varying, list) else [varying]))
        samples, moves = (
            bool(told.get("sample_varying", True)),
            bool(told.get("time_varying", True)),
        )
        space = [a.num_points for a, there in zip(axes, dims, strict=False) if there]
        lead = samples + moves
        wanted = (*space, *(len(axes),) * order)
        if len(dims) != len(axes) or tuple(node.shape[lead:]) != wanted:
            raise SpecError(
                f"{file.where}: {path} has the shape {node.shape}, expected the grid {wanted} after"
                f" {lead} leading axes, by its attributes and those of dimensions"
            )
        check_frame(wanted, 8, f"{file.where}: {path}")
        return cls(file, path, name, order, tuple(node.shape), samples, moves, dims)

    @property
    def num_samples(self) -> int:
        """Trajectories."""
        return self.shape[0]

    @property
    def num_frames(self) -> int:
        """Frames of each."""
        return self.shape[int(self.has_samples)]

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the components."""
        count = len(self.dims)
        return component_labels(self.name, count, self.order) if self.order else (self.name,)

    def field(self) -> Field:
        """Return the field, its components in front of space."""

        def frames(sample: int, first: int, last: int) -> np.ndarray:
            index = (sample, slice(first, last)) if self.has_samples else (slice(first, last),)
            return self._arranged(read(self.file.dataset(self.path), index, self.file.where), 1)

        return Field(self.name, self.labels, frames)

    def constant(self) -> Constant:
        """Return the field that does not vary in time."""

        def state(sample: int) -> np.ndarray:
            index = (sample,) if self.has_samples else ()
            return self._arranged(read(self.file.dataset(self.path), index, self.file.where), 0)

        return Constant(self.name, self.labels, state)

    def _arranged(self, values: np.ndarray, lead: int) -> np.ndarray:
        """Return values with one component axis, and axes of length one where they are constant."""
        flat = values.reshape(*values.shape[: values.ndim - self.order], len(self.labels))
        moved = np.moveaxis(flat, -1, lead)
        for place, there in enumerate(self.dims):
            if not there:
                moved = np.expand_dims(moved, lead + 1 + place)
        return moved
