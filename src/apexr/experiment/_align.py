"""Labeled arrays of users, brought into the order of labels that are expected."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr.errors import ShapeError, suggest
from apexr.schema import SPATIAL_DIMS


@dataclasses.dataclass(frozen=True)
class Expected:
    """The axes with which an array is aligned.

    Attributes
    ----------
    noun, owner
        Names of the array and of the owner of the expected labels, for messages.
    dims
        All dimensions, in order.
    labels
        The labels along some of them. Where the array has none, sizes must be equal.
    selectable
        Dimensions along which the array may hold a part.
    left_out
        Labels along some dimensions that the array may have and that are not wanted.
    """

    noun: str
    owner: str
    dims: Sequence[str]
    labels: Mapping[str, np.ndarray]
    selectable: Collection[str] = ()
    left_out: Mapping[str, Collection[Any]] = dataclasses.field(default_factory=dict)


def aligned(given: xr.DataArray, expected: Expected) -> xr.DataArray:
    """Return an array with its dimensions and labels in the order that is expected.

    Raises
    ------
    ShapeError
        If a dimension is missing or unknown, or labels such as the grid differ.
    """
    for dim in expected.dims:
        if dim not in given.dims:
            hint = suggest(dim, map(str, given.dims))
            raise ShapeError(f"{expected.noun} has no dimension {dim!r}{hint}; it has {given.dims}")
    extra = [dim for dim in given.dims if dim not in expected.dims]
    if extra:
        raise ShapeError(
            f"{expected.noun} has dimensions {extra} that the {expected.owner} lacks, besides"
            f" {', '.join(expected.dims)}; select along them first"
        )
    for dim in expected.labels:
        given = _match_labels(given, expected, dim)
    return given.transpose(*expected.dims)


def _match_labels(given: xr.DataArray, expected: Expected, dim: str) -> xr.DataArray:
    """Return the array with the expected labels along one dimension, in their order."""
    wanted = expected.labels[dim]
    if dim not in given.coords:
        if given.sizes[dim] != len(wanted):
            raise ShapeError(f"{dim}: expected {len(wanted)} entries, got {given.sizes[dim]}")
        return given.assign_coords({dim: wanted})
    if not given.get_index(dim).is_unique:
        raise ShapeError(f"{dim}: the {expected.noun} has a label more than once")
    if dim in SPATIAL_DIMS:
        return _match_grid(given, expected, dim)
    labels = given[dim].values
    _check_labels(labels, expected, dim)
    chosen = wanted[np.isin(wanted, labels)]
    return given if np.array_equal(chosen, labels) else given.sel({dim: chosen})


def _check_labels(given: np.ndarray, expected: Expected, dim: str) -> None:
    """Refuse labels along one dimension that cannot be aligned."""
    wanted, has = expected.labels[dim].tolist(), given.tolist()
    missing = [label for label in wanted if label not in set(has)]
    if missing and (dim not in expected.selectable or len(missing) == len(wanted)):
        raise ShapeError(f"{dim}: the {expected.noun} lacks {_few(missing)}; it has {_few(has)}")
    known = {*wanted, *expected.left_out.get(dim, ())}
    unknown = [label for label in has if label not in known]
    if unknown:
        raise ShapeError(
            f"{dim}: the {expected.owner} has no {_few(unknown)}; it has {_few(wanted)}"
        )


def _few(items: list[Any]) -> str:
    return f"{items[:5]}{' …' if len(items) > 5 else ''}"


def _match_grid(given: xr.DataArray, expected: Expected, dim: str) -> xr.DataArray:
    points, wanted = given[dim].values, expected.labels[dim]
    tolerance = 1e-3 * (wanted[1] - wanted[0])
    if points.shape != wanted.shape or not np.allclose(np.sort(points), wanted, 0, tolerance):
        raise ShapeError(
            f"{dim}: the {expected.noun} lives on another grid ({_span(points)}) than the"
            f" {expected.owner} ({_span(wanted)}); map it to that grid first"
        )
    return given.sortby(dim).assign_coords({dim: wanted})


def _span(points: np.ndarray) -> str:
    return f"{len(points)} points from {points.min():g} to {points.max():g}"
