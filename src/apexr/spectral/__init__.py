"""Fourier spectra on periodic grids: wavenumbers, derivatives, masks, transforms.

Diagonal operators are NumPy arrays in double precision with a leading axis of length 1 or one
entry a dimension; fields and spectra are JAX arrays with the channel axis first.
"""

from apexr.spectral._grid import Grid
from apexr.spectral._masks import dealiasing_mask, low_pass_mask, nyquist_mask
from apexr.spectral._scaling import ScalingMode, scaling
from apexr.spectral._transforms import derivative, fft, grid_of, ifft, mirrored, project_real
from apexr.spectral._wavenumbers import (
    derivative_operator,
    gradient_inner_product,
    laplacian,
    summed_derivative,
    wavenumber_norm,
    wavenumbers,
)

__all__ = [
    "Grid",
    "ScalingMode",
    "dealiasing_mask",
    "derivative",
    "derivative_operator",
    "fft",
    "gradient_inner_product",
    "grid_of",
    "ifft",
    "laplacian",
    "low_pass_mask",
    "mirrored",
    "nyquist_mask",
    "project_real",
    "scaling",
    "summed_derivative",
    "wavenumber_norm",
    "wavenumbers",
]
