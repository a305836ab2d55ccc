"""The used part of recorded trajectories: some fields, some frames, a part of space."""

import bisect
import functools
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from apexr.errors import SpecError, suggest
from apexr.exchange.readers._recording import (
    ROUGHLY,
    Axis,
    Constant,
    Field,
    Part,
    Recording,
)

ALL = "all"
APART = 4
"""Strides above which frames are read one by one."""

Crop = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class View:
    """Trajectories of several recordings of the same grid and fields, one after another.

    Attributes
    ----------
    recordings
        Where they are read.
    fields, constants
        Labels of the channels to predict, and of those that are only given.
    stride
        Frames from one that is used to the next.
    crop
        First point and last point (not included) along each axis.
    coarsen
        Points along each axis that become one, their mean.
    """

    recordings: tuple[Recording, ...]
    fields: tuple[str, ...]
    constants: tuple[str, ...]
    stride: int
    crop: Crop
    coarsen: tuple[int, ...]

    @classmethod
    def of(
        cls,
        recordings: Sequence[Recording],
        *,
        fields: Sequence[str],
        constants: Sequence[str],
        stride: int,
        crop: Any,
        coarsen: Any,
    ) -> "View":
        """Return a view, all of it checked.

        Raises
        ------
        SpecError
            If recordings differ, or a name or number does not fit.
        """
        check_same(recordings)
        first = recordings[0]
        chosen = _chosen(fields, first.fields, "fields")
        given = () if not constants else _chosen(constants, first.constants, "constants")
        limits = _read_crop(crop, first.shape)
        return cls(
            tuple(recordings),
            chosen or tuple(label for field in first.fields for label in field.labels),
            given,
            stride,
            limits,
            _read_coarsen(coarsen, limits),
        )

    @property
    def parts(self) -> list[Part | None]:
        """For each trajectory the part of a split that its file says."""
        return [one.part for one in self.recordings for _ in range(one.num_trajectories)]

    @property
    def dt(self) -> float | None:
        """Time from one frame that is used to the next."""
        dt = self.recordings[0].dt
        return None if dt is None else dt * self.stride

    @property
    def units(self) -> tuple[tuple[str, str], ...]:
        """The units in which all files agree, by name of an axis, a channel and ``time``."""
        first, *others = (one.units for one in self.recordings)
        return tuple(
            (name, unit)
            for name, unit in sorted(first.items())
            if all(other.get(name) == unit for other in others)
        )

    @functools.cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The grid that is used."""
        return tuple(
            _changed(axis, limits, factor)
            for axis, limits, factor in zip(
                self.recordings[0].axes, self.crop, self.coarsen, strict=True
            )
        )

    @functools.cached_property
    def shape(self) -> tuple[int, ...]:
        """Points along each axis."""
        return tuple(axis.num_points for axis in self.axes)

    def num_frames(self, trajectories: Iterable[int]) -> int:
        """Return the frames of some trajectories, all of one length.

        Raises
        ------
        SpecError
            If they differ in length.
        """
        held = {one.num_frames: one for one in map(self._of, trajectories)}
        if len(held) > 1:
            told = " and ".join(f"{one.num_frames} in {one.where}" for one in held.values())
            raise SpecError(
                f"trajectories of one part must be equally long; there are {told} frames"
            )
        return (next(iter(held)) - 1) // self.stride + 1

    def _of(self, trajectory: int) -> Recording:
        return self.recordings[bisect.bisect_right(self._starts, trajectory) - 1]

    @functools.cached_property
    def _starts(self) -> list[int]:
        return list(itertools.accumulate((o.num_trajectories for o in self.recordings), initial=0))

    def read(self, trajectory: int, first: int, last: int) -> np.ndarray:
        """Return frames ``(frame, channel, *space)`` of a trajectory, constants last.

        Parameters
        ----------
        trajectory
            Its number in the order of the files.
        first, last
            Frames that are used, the last not included.
        """
        place = bisect.bisect_right(self._starts, trajectory) - 1
        one, sample = self.recordings[place], trajectory - self._starts[place]
        shape = (last - first, *self.shape)
        parts = [
            self._in_space(frames, 2)
            for frames in _picked(one.fields, self.fields, self._reading(sample, first, last))
        ]
        parts += [
            np.broadcast_to(
                self._in_space(_spread(state, len(one.axes)), 1), (shape[0], 1, *shape[1:])
            )
            for state in _picked(one.constants, self.constants, lambda held: held.read(sample))
        ]
        return np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]

    def _reading(self, sample: int, first: int, last: int) -> Any:
        start, stop = first * self.stride, (last - 1) * self.stride + 1

        def frames(field: Field) -> np.ndarray:
            if self.stride <= APART:
                return field.read(sample, start, stop)[:: self.stride]
            each = [field.read(sample, k, k + 1) for k in range(start, stop, self.stride)]
            return np.concatenate(each)

        return frames

    def _in_space(self, values: np.ndarray, lead: int) -> np.ndarray:
        """Return values on the part of space and the points that are used."""
        index: list[slice] = [slice(None)] * lead
        shape: list[int] = list(values.shape[:lead])
        means: list[int] = []
        for size, (low, high), factor in zip(
            values.shape[lead:], self.crop, self.coarsen, strict=True
        ):
            alone = size == 1
            index.append(slice(None) if alone else slice(low, high))
            shape += [1, 1] if alone else [(high - low) // factor, factor]
            means.append(len(shape) - 1)
        kept = values[tuple(index)]
        if all(factor == 1 for factor in self.coarsen):
            return kept
        return kept.reshape(shape).mean(axis=tuple(means), dtype=np.float64).astype(kept.dtype)


def _picked(held: Sequence[Any], labels: Sequence[str], read: Any) -> Iterable[np.ndarray]:
    """Yield the components with these labels, each with its axis; what they share is read once."""
    values: dict[str, np.ndarray] = {}
    for label in labels:
        one = next(one for one in held if label in one.labels)
        if one.name not in values:
            values[one.name] = read(one)
        axis = 1 if isinstance(one, Field) else 0
        place = one.labels.index(label)
        yield np.take(values[one.name], [place], axis=axis)


def _spread(state: np.ndarray, num_dims: int) -> np.ndarray:
    """Return a constant ``(component, *space)``, with axes of length one where it has none."""
    values = np.asarray(state, np.float64) if state.dtype.kind != "f" else state
    return values.reshape(*values.shape, *(1,) * (1 + num_dims - values.ndim))


def check_same(recordings: Sequence[Recording]) -> None:
    """Refuse files that are not of one kind.

    Raises
    ------
    SpecError
        Naming two that differ, and in what.
    """
    first = recordings[0]
    for other in recordings[1:]:
        differences = [
            f"{name} {mine} and {theirs}"
            for name, mine, theirs in (
                ("grid", first.shape, other.shape),
                ("fields", _labels(first.fields), _labels(other.fields)),
                ("constants", sorted(_labels(first.constants)), sorted(_labels(other.constants))),
                ("boundaries", _boundaries(first), _boundaries(other)),
            )
            if mine != theirs
        ]
        differences += [
            f"{name} {mine} and {theirs}"
            for name, mine, theirs in [
                ("dt", first.dt, other.dt),
                *((f"length of {a.name}", a.length, b.length) for a, b in _pairs(first, other)),
            ]
            if not _about(mine, theirs)
        ]
        if differences:
            raise SpecError(
                f"{first.where} and {other.where} differ: {', '.join(differences)}; a set has one"
                " grid, one time step and the same fields. Name those files alone that belong"
                " together"
            )


def _pairs(first: Recording, other: Recording) -> list[tuple[Axis, Axis]]:
    return list(zip(first.axes, other.axes, strict=False))


def _about(mine: float | None, theirs: float | None) -> bool:
    if mine is None or theirs is None:
        return mine is theirs
    return math.isclose(mine, theirs, rel_tol=ROUGHLY)


def _boundaries(recording: Recording) -> list[str | None]:
    return [axis.boundary for axis in recording.axes]


def _labels(held: Sequence[Field] | Sequence[Constant]) -> list[str]:
    return [label for one in held for label in one.labels]


def _chosen(names: Sequence[str], held: Sequence[Any], noun: str) -> tuple[str, ...]:
    """Return the labels that names of fields or of components mean.

    Raises
    ------
    SpecError
        For a name that is not there, or is there twice.
    """
    by_name = {one.name: one.labels for one in held}
    every = _labels(held)
    labels: list[str] = []
    for name in names:
        found = every if name == ALL else by_name.get(name, (name,) if name in every else ())
        if not found:
            known = list(dict.fromkeys([*by_name, *every]))
            raise SpecError(
                f"{noun}: nothing is called {name!r}{suggest(str(name), known)}; there is"
                f" {', '.join(known) or 'none'}"
            )
        labels += found
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise SpecError(f"{noun}: {twice!r} is named twice")
    return tuple(labels)


def _read_crop(given: Any, shape: tuple[int, ...]) -> Crop:
    if not given:
        return tuple((0, size) for size in shape)
    limits = _per_axis("crop", given, len(shape))
    for limit, size in zip(limits, shape, strict=True):
        whole = [isinstance(end, int) and not isinstance(end, bool) for end in limit]
        if len(limit) != 2 or not all(whole) or not 0 <= limit[0] <= limit[1] - 2 < size - 1:
            raise SpecError(
                "crop must be a first and a last point (not included) for each axis, at least two"
                f" points within {shape}, got {given!r}"
            )
    return tuple((low, high) for low, high in limits)


def _per_axis(name: str, given: Any, num_dims: int) -> list[tuple[int, ...]]:
    """Return a pair for each axis from pairs, from one pair in 1D, or from a table by axis."""
    form = f"{name} must be ((first, last), …) with a pair for each of {num_dims} axes"
    try:
        pairs = [given] if isinstance(given[0], int) else [tuple(one) for one in given]
    except (TypeError, KeyError, IndexError):
        raise SpecError(f"{form}, got {given!r}") from None
    if len(pairs) != num_dims:
        raise SpecError(f"{form}, got {given!r}")
    return [tuple(pair) for pair in pairs]


def _read_coarsen(given: Any, crop: Crop) -> tuple[int, ...]:
    factors = (given,) * len(crop) if isinstance(given, int) else tuple(given)
    whole = all(isinstance(one, int) and not isinstance(one, bool) and one >= 1 for one in factors)
    if not whole or len(factors) != len(crop):
        raise SpecError(
            f"coarsen must be a whole number from 1, or one for each of {len(crop)} axes, got"
            f" {given!r}"
        )
    for (low, high), factor in zip(crop, factors, strict=True):
        if (high - low) % factor or (high - low) // factor < 2:
            fitting = [n for n in range(1, high - low) if not (high - low) % n][:8]
            raise SpecError(
                f"coarsen {factor} does not divide {high - low} points into two at least; what"
                f" would: {fitting}"
            )
    return factors


def _changed(axis: Axis, limits: tuple[int, int], factor: int) -> Axis:
    low, high = limits
    whole = (low, high) == (0, axis.num_points)
    spacing = axis.spacing or axis.length / axis.num_points
    return Axis(
        name=axis.name,
        num_points=(high - low) // factor,
        spacing=None if axis.spacing is None else spacing * factor,
        origin=axis.origin + spacing * (low + (factor - 1) / 2),
        boundary=axis.boundary if whole else "cut",
        extent=axis.length if whole else spacing * (high - low),
    )


def named(told: Mapping[str, Any] | Sequence[str] | str) -> tuple[str, ...]:
    """Return names from a list of them, or from text in which commas separate them."""
    if isinstance(told, str):
        return tuple(word.strip() for word in told.split(",") if word.strip())
    return tuple(told)
