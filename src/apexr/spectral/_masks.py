"""Boolean masks over the entries of a spectrum."""

from functools import lru_cache

import numpy as np
from jaxtyping import Bool

from apexr.errors import SpecError
from apexr.spectral._grid import Grid
from apexr.spectral._wavenumbers import at_nyquist, frozen, wavenumber_norm, wavenumbers

# cutoffs come out of products like 2/3 * 9; wavenumbers are integers
_TOLERANCE = 1e-6


@lru_cache(maxsize=64)
def low_pass_mask(
    grid: Grid, cutoff: float, *, radial: bool = False
) -> Bool[np.ndarray, "1 *spectrum"]:
    """Return which entries have ``|k_d| <= cutoff`` along each axis.

    Parameters
    ----------
    grid
        The grid of the states.
    cutoff
        The largest wavenumber that passes.
    radial
        Compare the norm of the wavenumber vector instead: a ball in place of a cube.
    """
    if radial:
        return frozen(wavenumber_norm(grid) <= cutoff + _TOLERANCE)
    return frozen(np.all(np.abs(wavenumbers(grid)) <= cutoff + _TOLERANCE, axis=0, keepdims=True))


def dealiasing_mask(grid: Grid, fraction: float) -> Bool[np.ndarray, "1 *spectrum"]:
    """Return which entries a product may be formed from: ``|k_d| <= fraction · (N // 2) - 1``.

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
    return low_pass_mask(grid, fraction * (grid.num_points // 2) - 1)


@lru_cache(maxsize=32)
def nyquist_mask(grid: Grid) -> Bool[np.ndarray, "1 *spectrum"]:
    """Return which entries have a wavenumber of ``±N/2`` along any axis (none for odd ``N``)."""
    return frozen(np.any(at_nyquist(grid), axis=0, keepdims=True))
