"""Spectra of fields: how much of a field lies at which wavenumber."""

from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._select import pick
from apexr.errors import ShapeError
from apexr.schema import SPATIAL_DIMS


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

    ``P(κ) = Σ |û_k|² / N²ᴰ`` over all wavenumber vectors k with ``κ − ½ <= |k| < κ + ½``, so that
    the sum over ``wavenumber`` is the mean of ``u²`` over the points (Parseval). In 2D and 3D the
    shells above N/2 are not complete. A NaN anywhere in a state makes its spectrum NaN. Nothing
    is computed where the field is lazy.

    Parameters
    ----------
    field
        Dimensions ``x``, ``x, y`` or ``x, y, z`` of equal length, and any others.

    Raises
    ------
    ShapeError
        If it has no spatial dimensions, or they differ in length.
    """
    space = [dim for dim in SPATIAL_DIMS if dim in field.dims]
    if not space or len({field.sizes[dim] for dim in space}) > 1:
        raise ShapeError(f"field must have equal dimensions x[, y[, z]], got {dict(field.sizes)}")
    points = field.sizes[space[0]]
    lazy = field.chunk(dict.fromkeys(space, -1)) if field.chunks is not None else field
    shells = _shells(len(space), points)[1]
    power: Any = xr.apply_ufunc(
        _power,
        lazy,
        input_core_dims=[space],
        output_core_dims=[["wavenumber"]],
        kwargs={"num_spatial_dims": len(space)},
        dask="parallelized",
        output_dtypes=[field.dtype],
        dask_gufunc_kwargs={"output_sizes": {"wavenumber": len(shells)}},
    )
    labels = xr.Variable("wavenumber", shells, {"long_name": "wavenumber", "units": "1"})
    attrs = {"long_name": "power spectrum", "units": "1", "of": str(field.name)}
    result: xr.DataArray = power.assign_coords(wavenumber=labels).assign_attrs(attrs)
    return result


def _power(values: np.ndarray, num_spatial_dims: int) -> np.ndarray:
    """Return the power in each shell, along a new last axis; one state at a time."""
    points = values.shape[-1]
    order, shells, starts, weights = _shells(num_spatial_dims, points)
    states = values.reshape(-1, *[points] * num_spatial_dims)
    result = np.empty((len(states), len(shells)), values.dtype)
    for place, state in enumerate(states):
        coefficients = np.fft.rfftn(state).ravel()[order]
        power = weights * (coefficients.real**2 + coefficients.imag**2)
        result[place] = np.add.reduceat(power, starts)
    return result.reshape(*values.shape[:-num_spatial_dims], -1)


@lru_cache(maxsize=8)
def _shells(
    num_spatial_dims: int, points: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the order of a transform's entries by shell, the shells, their starts, the weights."""
    full, half = np.fft.fftfreq(points, 1 / points), np.arange(points // 2 + 1)
    axes = np.meshgrid(*[full] * (num_spatial_dims - 1), half, indexing="ij")
    norm = np.sqrt(sum(axis**2 for axis in axes)).ravel()
    number = np.floor(norm + 0.5).astype(np.int64)
    once = (axes[-1].ravel() == 0) | (2 * axes[-1].ravel() == points)
    order = np.argsort(number, kind="stable")
    shells, starts = np.unique(number[order], return_index=True)
    weights = np.where(once, 1.0, 2.0)[order] / float(points) ** (2 * num_spatial_dims)
    return order, shells, starts, weights
