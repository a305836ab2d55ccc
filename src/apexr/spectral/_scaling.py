"""Factors between the entries of an unscaled real Fourier transform and amplitudes."""

from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float

from apexr.spectral._grid import Grid
from apexr.spectral._wavenumbers import (
    along_axes,
    at_nyquist,
    check_choice,
    frozen,
    wavenumbers,
)

ScalingMode = Literal["norm_compensation", "reconstruction", "coef_extraction"]
"""The purpose of scaled Fourier coefficients."""


@lru_cache(maxsize=32)
def scaling(grid: Grid, mode: ScalingMode) -> Float[np.ndarray, "1 *spectrum"]:
    """Return what :func:`fft` multiplies each coefficient by.

    Parameters
    ----------
    grid
        The grid of the states.
    mode
        ``"norm_compensation"``: the number of points, of coefficients of a sum over all waves.
        ``"reconstruction"``: halved for the entries of the last axis that stand for two
        conjugate wavenumbers. ``"coef_extraction"``: halved so along every axis, hence of
        amplitudes of products of cosines.

    Raises
    ------
    SpecError
        If the mode is unknown.
    """
    check_choice("scaling mode", mode, get_args(ScalingMode))
    halved = {"norm_compensation": 0, "reconstruction": 1, "coef_extraction": grid.num_spatial_dims}
    once = (wavenumbers(grid) == 0) | at_nyquist(grid)
    factors = np.broadcast_to(along_axes(grid.shape, grid), once.shape).astype(float)
    for axis in range(grid.num_spatial_dims - halved[mode], grid.num_spatial_dims):
        factors[axis] = np.where(once[axis], factors[axis], factors[axis] / 2)
    return frozen(np.prod(factors, axis=0, keepdims=True))
