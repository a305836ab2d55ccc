"""The result of a reader: trajectories, of which frames are read when they are needed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from apexr.errors import SpecError
from apexr.schema import SPATIAL_DIMS

Part = Literal["train", "valid", "test"]
PARTS: tuple[Part, ...] = ("train", "valid", "test")

ROUGHLY = 1e-3
"""Relative difference up to which steps of a coordinate count as equal."""

MOST_BYTES_OF_A_STATE = 2**31
"""Bytes of one frame of a field, or of one chunk of it, above which a file is refused."""


@dataclass(frozen=True)
class Axis:
    """One axis of the grid.

    Attributes
    ----------
    name
        ``x``, ``y`` or ``z``.
    num_points
        Grid points.
    spacing
        Distance of two points; None where the file does not say.
    extent
        Length of the axis, where it is known better than from the spacing.
    origin
        Place of the first point.
    boundary
        The boundary: ``"periodic"``, ``"wall"``, ``"open"``; None where the file does
        not say.
    """

    name: str
    num_points: int
    spacing: float | None = None
    origin: float = 0.0
    boundary: str | None = None
    extent: float | None = None

    @property
    def length(self) -> float:
        """How long the axis is: a spacing for each point; 1 where the file does not say."""
        return self.extent or (self.num_points * self.spacing if self.spacing else 1.0)


@dataclass(frozen=True)
class Field:
    """A field that varies in time.

    Attributes
    ----------
    name, labels
        Its name, and that of each of its components.
    read
        Takes a trajectory and the first and last frame (not included) and returns
        ``(frame, component, *space)``.
    """

    name: str
    labels: tuple[str, ...]
    read: Callable[[int, int, int], np.ndarray]


@dataclass(frozen=True)
class Constant:
    """A field or a number that does not vary in time.

    Attributes
    ----------
    name, labels
        Its name, and that of each of its components.
    read
        Takes a trajectory and returns what can be broadcast to ``(component, *space)``.
    """

    name: str
    labels: tuple[str, ...]
    read: Callable[[int], np.ndarray]


@dataclass(frozen=True)
class Recording:
    """Trajectories of equal length on one grid, from one file or a part of it.

    Attributes
    ----------
    layout, where
        The layout that was recognized, and the file.
    num_trajectories, num_frames
        How many there are, and how long each of them is.
    axes
        The grid.
    fields, constants
        The fields that vary in time, and those that do not.
    dt
        Time from frame to frame; None where there is none.
    part
        Of which part of a split the file says that it is.
    usual_split
        How users of the layout split one such file.
    name
        The name of the data set.
    units
        By name of an axis, of a channel and of ``time``: its unit, where the file says it.
    """

    layout: str
    where: str
    num_trajectories: int
    num_frames: int
    axes: tuple[Axis, ...]
    fields: tuple[Field, ...]
    constants: tuple[Constant, ...] = ()
    dt: float | None = None
    part: Part | None = None
    usual_split: str | None = None
    name: str = ""
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.fields:
            raise SpecError(f"{self.where}: no field varies in time; there is nothing to predict")
        if not 1 <= len(self.axes) <= len(SPATIAL_DIMS):
            raise SpecError(f"{self.where}: expected 1 to 3 spatial axes, got {len(self.axes)}")
        if self.num_trajectories < 1 or self.num_frames < 2:
            raise SpecError(
                f"{self.where}: {self.num_trajectories} trajectories of {self.num_frames} frames;"
                " at least one trajectory of two frames is needed"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Grid points along each axis."""
        return tuple(axis.num_points for axis in self.axes)


def step_of(times: Any, where: str, num_frames: int = 0) -> float:
    """Return the distance of equally spaced numbers, such as the times of frames.

    Raises
    ------
    SpecError
        Naming the first place at which the distance differs, or if there are fewer times than
        frames. There may be more: some files end with the time after the last frame.
    """
    given = np.asarray(times)
    if len(given) < num_frames:
        raise SpecError(f"{where}: {len(given)} times for {num_frames} frames")
    given = given[:num_frames] if num_frames else given
    values = given.astype(np.float64)
    if not np.isfinite(values).all():
        raise SpecError(f"{where}: holds numbers that are not finite")
    step = (values[-1] - values[0]) / (len(values) - 1)
    rounding = np.finfo(given.dtype if given.dtype.kind == "f" else np.float64).eps
    allowed = ROUGHLY * abs(step) + 8 * rounding * np.abs(values).max()
    wrong = np.flatnonzero(np.abs(np.diff(values) - step) > allowed)
    if step <= 0 or wrong.size:
        at = int(wrong[0]) if wrong.size else 0
        raise SpecError(
            f"{where}: steps must be equal and positive, but the step from entry {at} to"
            f" {at + 1} is {values[at + 1] - values[at]:.6g} and their mean {step:.6g}; resample"
            " the data to a fixed step first"
        )
    return shortest(step, given.dtype)


def equal_step(steps: Any, where: str) -> float:
    """Return the one value of time steps that a file states for each trajectory.

    Raises
    ------
    SpecError
        If they differ.
    """
    given = np.atleast_1d(np.asarray(steps))
    values = given.astype(np.float64)
    if not np.isfinite(values).all() or np.ptp(values) > ROUGHLY * abs(values[0]):
        raise SpecError(
            f"{where}: dt varies from {np.min(values):.6g} to {np.max(values):.6g} between"
            " trajectories; an emulator has one time step, so train on those of one dt"
        )
    return shortest(float(values[0]), given.dtype)


def shortest(value: float, dtype: np.dtype[Any]) -> float:
    """Return a number without the digits that a type does not hold."""
    return float(f"{value:.{6 if dtype == np.float32 else 12}g}")


def axis_of(name: str, points: Any, where: str, boundary: str | None = None) -> Axis:
    """Return an axis from the positions of its points.

    Raises
    ------
    SpecError
        If they are not equally spaced.
    """
    values = np.asarray(points)
    if values.ndim != 1 or values.dtype.kind not in "fiu" or len(values) < 2:
        raise SpecError(
            f"{where}: expected at least two positions along {name}, got {values.dtype} of shape"
            f" {values.shape}"
        )
    spacing = step_of(values, where)
    return Axis(name, len(values), spacing, shortest(float(values[0]), values.dtype), boundary)


def component_labels(name: str, count: int, order: int = 1) -> tuple[str, ...]:
    """Return the names of the components of a vector or a tensor."""
    dims = SPATIAL_DIMS[:count]
    ends = dims if order == 1 else [a + b for a in dims for b in dims]
    return tuple(f"{name}_{end}" for end in ends)


def numbered(name: str, count: int) -> tuple[str, ...]:
    """Return names of components that nobody has named."""
    return (name,) if count == 1 else tuple(f"{name}_{place}" for place in range(count))


def check_real(dtype: np.dtype[Any], where: str) -> None:
    """Refuse what holds no real numbers.

    Raises
    ------
    SpecError
        For an array of objects, text or complex numbers.
    """
    if dtype.kind not in "fiu":
        raise SpecError(f"{where}: expected real numbers, got {dtype}; nothing of it is read")


def check_frame(shape: Sequence[int], itemsize: int, where: str) -> None:
    """Refuse states that no memory holds, which a few bytes of a file can declare.

    Raises
    ------
    SpecError
        With the size.
    """
    size = itemsize
    for length in shape:
        size *= int(length)
    if size > MOST_BYTES_OF_A_STATE:
        raise SpecError(f"{where}: one frame of {tuple(shape)} numbers takes {size} bytes; refused")


def all_equal(values: Iterable[Any]) -> bool:
    """Tell whether there is one value."""
    held = list(values)
    return all(value == held[0] for value in held)
