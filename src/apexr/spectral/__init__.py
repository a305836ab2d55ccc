"""Fourier spectra on periodic grids: wavenumbers, masks, transforms, and tools for fields.

Fields are differentiated, projected, resampled, interpolated, and their spectra taken.

Diagonal operators are NumPy arrays in double precision with a leading axis of length 1 or one
entry a dimension; fields and spectra are JAX arrays with the channel axis first.
"""

from apexr._doors import check_all
from apexr.spectral._coefficients import field_from_coefficients, fourier_coefficients
from apexr.spectral._grid import Grid
from apexr.spectral._interpolate import interpolate
from apexr.spectral._inverse import ifft, ifft_of_real
from apexr.spectral._leray import leray_projection, leray_symbols, project_incompressible
from apexr.spectral._masks import dealiasing_mask, low_pass_mask, nyquist_mask
from apexr.spectral._resample import NyquistWave, resample
from apexr.spectral._scaling import ScalingMode, scaling
from apexr.spectral._spectrum import Spectrum, SpectrumKind, spectrum
from apexr.spectral._transforms import (
    derivative,
    fft,
    grid_of,
    mirrored,
    project_real,
    wrap_periodic,
)
from apexr.spectral._vector import curl, divergence, velocity_from_vorticity
from apexr.spectral._wavenumbers import (
    NyquistSlope,
    derivative_operator,
    gradient_inner_product,
    laplacian,
    summed_derivative,
    wave_vectors,
    wavenumber_norm,
    wavenumbers,
)

__all__ = [
    "Grid",
    "NyquistSlope",
    "NyquistWave",
    "ScalingMode",
    "Spectrum",
    "SpectrumKind",
    "curl",
    "dealiasing_mask",
    "derivative",
    "derivative_operator",
    "divergence",
    "fft",
    "field_from_coefficients",
    "fourier_coefficients",
    "gradient_inner_product",
    "grid_of",
    "ifft",
    "ifft_of_real",
    "interpolate",
    "laplacian",
    "leray_projection",
    "leray_symbols",
    "low_pass_mask",
    "mirrored",
    "nyquist_mask",
    "project_incompressible",
    "project_real",
    "resample",
    "scaling",
    "spectrum",
    "summed_derivative",
    "velocity_from_vorticity",
    "wave_vectors",
    "wavenumber_norm",
    "wavenumbers",
    "wrap_periodic",
]

check_all(
    globals(),
    own={
        "Grid": ("num_spatial_dims", "num_points", "domain_extent"),
        "interpolate": ("points",),
    },
)
