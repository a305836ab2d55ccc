"""Labelled arrays of users, brought into the order of labels that are expected."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from apexr.errors import ShapeError, suggest
from apexr.schema import SPATIAL_DIMS


def aligned(
    given: xr.DataArray, dims: Sequence[str], labels: Mapping[str, np.ndarray], *, noun: str
) -> xr.DataArray:
    """Return an array with its dimensions and labels in the order that is expected.

    Parameters
    ----------
    given
        The array.
    dims
        All its dimensions, in order.
    labels
        The labels along some of them. Where the array has none, sizes must be equal.
    noun
        What the array is, for messages.

    Raises
    ------
    ShapeError
        If a dimension is missing or unknown, or labels such as the grid differ.
    """
    for dim in dims:
        if dim not in given.dims:
            hint = suggest(dim, map(str, given.dims))
            raise ShapeError(f"{noun} has no dimension {dim!r}{hint}; it has {given.dims}")
    extra = [dim for dim in given.dims if dim not in dims]
    if extra:
        raise ShapeError(
            f"{noun} has dimensions {extra} beside the expected {', '.join(dims)}; select along"
            " them first"
        )
    for dim, wanted in labels.items():
        given = _match_labels(given, wanted, dim, noun)
    return given.transpose(*dims)


def _match_labels(given: xr.DataArray, wanted: np.ndarray, dim: str, noun: str) -> xr.DataArray:
    """Return the array with the labels ``wanted`` along one dimension.

    Raises
    ------
    ShapeError
        If it lacks some of them.
    """
    if dim not in given.coords:
        if given.sizes[dim] != len(wanted):
            raise ShapeError(f"{dim}: expected {len(wanted)} entries, got {given.sizes[dim]}")
        return given.assign_coords({dim: wanted})
    if not given.get_index(dim).is_unique:
        raise ShapeError(f"{dim}: the {noun} has a label more than once")
    if dim in SPATIAL_DIMS:
        return _match_grid(given, wanted, dim, noun)
    missing = [label for label in wanted.tolist() if label not in given[dim].values]
    if missing:
        raise ShapeError(
            f"{dim}: the {noun} lacks {missing[:5]}{' …' if len(missing) > 5 else ''}; "
            f"it has {given[dim].values[:5].tolist()} …"
        )
    return given.sel({dim: wanted})


def _match_grid(given: xr.DataArray, wanted: np.ndarray, dim: str, noun: str) -> xr.DataArray:
    points = given[dim].values
    if points.shape != wanted.shape or not np.allclose(np.sort(points), wanted, rtol=1e-5):
        raise ShapeError(
            f"{dim}: the {noun} lives on another grid ({_span(points)}) than the expected one"
            f" ({_span(wanted)}); map it to that grid first"
        )
    return given.sortby(dim).assign_coords({dim: wanted})


def _span(points: np.ndarray) -> str:
    return f"{len(points)} points from {points.min():g} to {points.max():g}"
