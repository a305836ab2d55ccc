"""Spectra of fields: how much of a field lies at which wavenumber."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._selection import pick
from apexr.errors import ShapeError
from apexr.schema import SPATIAL_DIMS

_ROUNDING = 1e-9
"""Of ratios of lengths, which would move a wave between two shells."""


def spectra(ds: xr.Dataset) -> xr.Dataset:
    """Return the spectra of prediction and reference, at every time step.

    The variables ``prediction`` and ``reference`` are :func:`spectrum` of ``sample_rollout`` and
    ``sample_reference``; ``num_trjs_returned`` of the scenario says of how many test samples.

    Raises
    ------
    MissingVariableError
        If the result holds no rollouts.
    """
    parts = {"prediction": "sample_rollout", "reference": "sample_reference"}
    return xr.Dataset({name: spectrum(pick(ds, held)) for name, held in parts.items()})


def spectrum(field: xr.DataArray) -> xr.DataArray:
    """Return the power spectrum of a field over shells of wavenumbers, in place of its space.

    ``P(κ) = ½ Σ |û_k|² / N²``, N the number of points, over all wavenumber vectors k with
    ``κ − ½ <= |k| < κ + ½``, so that the sum over ``wavenumber`` is the mean of ``½ u²`` over the
    points (Parseval): the kinetic energy where u is a velocity. That is the ``"power"`` of
    :func:`apexr.spectral.spectrum`. Where the axes differ in length, k is in units of 2π over the
    longest of them. The shells beyond the largest wavenumber that all axes have are not complete.
    A NaN anywhere in a state makes its spectrum NaN. Nothing is computed where the field is lazy.

    Parameters
    ----------
    field
        Dimensions ``x``, ``x, y`` or ``x, y, z``, and any others. The attribute ``extent`` of a
        coordinate is the length of its axis; without it, its points times their distance.

    Raises
    ------
    ShapeError
        If it has no spatial dimensions.
    """
    space = [dim for dim in SPATIAL_DIMS if dim in field.dims]
    if not space:
        raise ShapeError(f"field must have dimensions x[, y[, z]], got {dict(field.sizes)}")
    shape = tuple(field.sizes[dim] for dim in space)
    ratios = _ratios(tuple(_extent(field, dim) for dim in space))
    shells, _ = _shells(shape, ratios)
    lazy = field.chunk(dict.fromkeys(space, -1)) if field.chunks is not None else field
    power: Any = xr.apply_ufunc(
        _power,
        lazy,
        input_core_dims=[space],
        output_core_dims=[["wavenumber"]],
        kwargs={"ratios": ratios},
        dask="parallelized",
        output_dtypes=[field.dtype],
        dask_gufunc_kwargs={"output_sizes": {"wavenumber": int(shells.max()) + 1}},
    )
    attrs = {"long_name": "wavenumber", "units": "1"}
    labels = xr.Variable("wavenumber", np.arange(int(shells.max()) + 1), attrs)
    attrs = {"long_name": "power spectrum", "units": "1", "of": str(field.name)}
    result: xr.DataArray = power.assign_coords(wavenumber=labels).assign_attrs(attrs)
    return result


def _extent(field: xr.DataArray, dim: str) -> float:
    if dim not in field.coords or field.sizes[dim] < 2:
        return 1.0
    coord = field[dim]
    spread = float(coord[1] - coord[0]) * field.sizes[dim]
    return float(coord.attrs.get("extent", spread))


def _ratios(extents: tuple[float, ...]) -> tuple[float, ...]:
    """Return the longest axis over each: what a whole wavenumber of an axis counts for."""
    return tuple(max(extents) / extent for extent in extents)


def _power(values: np.ndarray, ratios: tuple[float, ...]) -> np.ndarray:
    """Return the power in each shell, along a new last axis; one state at a time."""
    shape = values.shape[-len(ratios) :]
    shells, weights = _shells(shape, ratios)
    states = values.reshape(-1, *shape)
    result = np.empty((len(states), int(shells.max()) + 1), values.dtype)
    for place, state in enumerate(states):
        coefficients = np.fft.rfftn(state).ravel()
        power = weights * (coefficients.real**2 + coefficients.imag**2)
        result[place] = np.bincount(shells, power, minlength=result.shape[1])
    return result.reshape(*values.shape[: -len(ratios)], -1)


@lru_cache(maxsize=8)
def _shells(shape: tuple[int, ...], ratios: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the shell of each entry of the transform, and what its square counts for."""
    whole = [np.fft.fftfreq(points, 1 / points) for points in shape[:-1]]
    axes = np.meshgrid(*whole, np.arange(shape[-1] // 2 + 1), indexing="ij")
    norm = np.sqrt(sum((axis * ratio) ** 2 for axis, ratio in zip(axes, ratios, strict=True)))
    shells = np.floor(norm.ravel() + 0.5 + _ROUNDING).astype(np.int64)
    once = (axes[-1].ravel() == 0) | (2 * axes[-1].ravel() == shape[-1])
    return shells, np.where(once, 0.5, 1.0) / float(math.prod(shape)) ** 2
