"""The projection onto divergence-free fields."""

from functools import lru_cache

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from apexr.errors import ShapeError
from apexr.spectral._grid import Grid
from apexr.spectral._inverse import ifft
from apexr.spectral._transforms import as_field, fft, grid_of
from apexr.spectral._wavenumbers import at_nyquist, frozen, wave_vectors

Directions = Float[np.ndarray, "dim *spectrum"]


@lru_cache(maxsize=16)
def leray_symbols(grid: Grid) -> tuple[Directions, Directions]:
    """Return ``s`` and ``n`` of the projection ``û ↦ s û - n (n · û)``, ``(dim, *spectrum)`` each.

    ``n`` is the unit vector along the wavenumber vector, zero at the mean; ``s`` is 1. Where an
    axis has its Nyquist wavenumber, which stands for ``N/2`` and ``-N/2`` at once, a field without
    divergence has nothing along that axis, and both are zero there.
    """
    keep = np.where(at_nyquist(grid), 0.0, 1.0)
    vectors = keep * wave_vectors(grid)
    length = np.sqrt(np.sum(vectors**2, axis=0, keepdims=True))
    return frozen(keep), frozen(vectors / np.where(length == 0, 1.0, length))


def leray_projection(spectrum: Complex[Array, "*batch"], grid: Grid) -> Complex[Array, "*batch"]:
    """Return the divergence-free part of the spectra of vector fields, ``û - k (k · û) / k²``.

    The mean is kept. The projection is orthogonal; it commutes with every diagonal operator that
    is the same for all components.

    Parameters
    ----------
    spectrum
        Spectra as :func:`fft` gives them, one component a dimension; leading axes are free.
    grid
        The grid of the fields.

    Raises
    ------
    ShapeError
        If the shape does not end in ``(dim, *spectrum)``.

    References
    ----------
    Canuto, Hussaini, Quarteroni & Zang (2007), "Spectral Methods", section 3.2.
    """
    expected = (grid.num_spatial_dims, *grid.spectral_shape)
    if spectrum.shape[-len(expected) :] != expected:
        raise ShapeError(f"spectrum must end in {expected}, got {spectrum.shape}")
    keep, direction = (np.asarray(s, spectrum.real.dtype) for s in leray_symbols(grid))
    axis = -len(expected)
    along = jnp.sum(direction * spectrum, axis=axis, keepdims=True)
    return keep * spectrum - direction * along


def project_incompressible(
    field: Float[Array, "dim *space"], domain_extent: float | tuple[float, ...] = 1.0
) -> Float[Array, "dim *space"]:
    """Return the divergence-free part of a vector field, ``v - ∇ Δ⁻¹ (∇ · v)``.

    Divergence-free fields and means are left as they are; of a gradient nothing remains. The
    trigonometric interpolant of the result has no divergence anywhere, even if the field holds
    Nyquist waves.

    Parameters
    ----------
    field
        One component a dimension.
    domain_extent
        Length of each axis, or one number an axis. Only the ratios matter: where all axes are
        equally long, it may be left out.

    Raises
    ------
    ShapeError
        If the components are not as many as the axes.
    """
    field = as_field(field)
    grid = grid_of(field, domain_extent, vector=True)
    return ifft(leray_projection(fft(field, grid.num_spatial_dims), grid), grid)
