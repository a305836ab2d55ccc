"""Boolean masks over the entries of a spectrum."""

from functools import lru_cache

import numpy as np
from jaxtyping import Bool

from apexr._per_axis import spread
from apexr.errors import SpecError
from apexr.spectral._grid import Grid
from apexr.spectral._wavenumbers import (
    along_axes,
    at_nyquist,
    frozen,
    wavenumber_norm,
    wavenumbers,
)

# cutoffs come out of products like 2/3 * 9; wavenumbers are integers
_TOLERANCE = 1e-6


@lru_cache(maxsize=64)
def low_pass_mask(
    grid: Grid, cutoff: float | tuple[float, ...], *, radial: bool = False
) -> Bool[np.ndarray, "1 *spectrum"]:
    """Return which entries have ``|k_d| <= cutoff`` along each axis.

    Parameters
    ----------
    grid
        The grid of the states.
    cutoff
        The largest wavenumber that passes, or a tuple of one an axis.
    radial
        Compare the length of the wavenumber vector instead, in units of ``2π`` over the longest
        axis: a ball in place of a cube.

    Raises
    ------
    SpecError
        If there are cutoffs for another number of axes, or several for a ball.
    """
    if radial and isinstance(cutoff, tuple):
        raise SpecError(f"a radial mask has one cutoff, got {cutoff!r}")
    if isinstance(cutoff, tuple) and len(cutoff) != grid.num_spatial_dims:
        raise SpecError(f"cutoff must be one number or {grid.num_spatial_dims}, got {cutoff!r}")
    if radial:
        return frozen(wavenumber_norm(grid) <= np.asarray(cutoff) + _TOLERANCE)
    limits = along_axes(spread(cutoff, grid.num_spatial_dims), grid) + _TOLERANCE
    return frozen(np.all(np.abs(wavenumbers(grid)) <= limits, axis=0, keepdims=True))


def dealiasing_mask(grid: Grid, fraction: float) -> Bool[np.ndarray, "1 *spectrum"]:
    """Return which entries a product may be formed from: ``|k_d| <= fraction · (N_d // 2) - 1``.

    Parameters
    ----------
    grid
        The grid of the states.
    fraction
        2/3 keeps a quadratic product free of aliases, 1/2 a cubic one.

    Raises
    ------
    SpecError
        If ``fraction`` is not above 0 and at most 1.

    References
    ----------
    Orszag (1971), "On the elimination of aliasing in finite-difference schemes by filtering
    high-wavenumber components", J. Atmos. Sci. 28, 1074.
    """
    if not 0 < fraction <= 1:
        raise SpecError(f"dealiasing_fraction must be above 0 and at most 1, got {fraction!r}")
    return low_pass_mask(grid, tuple(fraction * (points // 2) - 1 for points in grid.shape))


@lru_cache(maxsize=32)
def nyquist_mask(grid: Grid) -> Bool[np.ndarray, "1 *spectrum"]:
    """Return which entries have a wavenumber of ``±N/2`` along any axis (none for odd ``N``)."""
    return frozen(np.any(at_nyquist(grid), axis=0, keepdims=True))
