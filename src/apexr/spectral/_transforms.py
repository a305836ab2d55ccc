"""The real Fourier transform over the spatial axes, and what it takes to stay in its image."""

from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from apexr._grammar import Dimensions
from apexr._typing import Number
from apexr.errors import ShapeError
from apexr.spectral._grid import MAX_SPATIAL_DIMS, Grid
from apexr.spectral._inverse import ifft, spatial_axes
from apexr.spectral._wavenumbers import NyquistSlope, derivative_operator


def fft(
    field: Float[Array, "*batch x"], num_spatial_dims: Dimensions
) -> Complex[Array, "*batch k"]:
    """Return the unscaled real Fourier transform over the last ``num_spatial_dims`` axes."""
    return jnp.fft.rfftn(field, axes=spatial_axes(num_spatial_dims))


def derivative(
    field: Float[Array, "channel *space"],
    domain_extent: float | tuple[float, ...] = 1.0,
    order: int = 1,
    *,
    nyquist: NyquistSlope = "keep",
) -> Float[Array, "..."]:
    """Return ``∂_d^order`` of a field along each axis ``d``.

    Parameters
    ----------
    field
        One state.
    domain_extent
        Length of each axis, or one number an axis.
    order
        Order of the derivative.
    nyquist
        The factor of odd orders at the Nyquist wavenumber of an even number of points, see
        :func:`derivative_operator`. Fields without Nyquist waves do not feel it, nor does the
        field of a single axis.

    Returns
    -------
    ``(dim, *space)`` for one channel, otherwise ``(channel, dim, *space)``.

    Raises
    ------
    ShapeError
        If the field has no spatial axis.
    SpecError
        If ``order`` is negative or ``nyquist`` unknown.
    """
    field = as_field(field)
    grid = grid_of(field, domain_extent)
    spectrum = fft(field, grid.num_spatial_dims)
    operator = jnp.asarray(derivative_operator(grid, order, nyquist=nyquist), spectrum.dtype)
    slopes = ifft(operator * spectrum[:, None], grid)
    return slopes[0] if field.shape[0] == 1 else slopes


def as_field(values: Any) -> Array:
    """Return the values as a device array of floats, of their own precision if they have one."""
    field = jnp.asarray(values)
    return field.astype(float) if jnp.issubdtype(field.dtype, jnp.integer) else field


def wrap_periodic(field: Float[Array, "channel *space"]) -> Float[Array, "channel *space_full"]:
    """Return a field with the right end of each spatial axis, the image of its left end, added.

    The result stands on ``Grid.mesh(full=True)``; no two neighbors of the domain are missing
    when it is drawn.
    """
    field = jnp.asarray(field)
    return jnp.pad(field, [(0, 0)] + [(0, 1)] * (field.ndim - 1), mode="wrap")


def grid_of(
    field: Float[Array, "channel *space"],
    domain_extent: float | tuple[float, ...] = 1.0,
    *,
    vector: bool = False,
) -> Grid:
    """Return the grid of a state.

    Parameters
    ----------
    field
        One state.
    domain_extent
        Length of each axis, or one number an axis.
    vector
        Refuse what has not one channel a dimension.

    Raises
    ------
    ShapeError
        If the field has no channel, no spatial axis or more than three, or the channels are not as
        many as the axes.
    """
    space = field.shape[1:]
    if not 1 <= len(space) <= MAX_SPATIAL_DIMS or not field.shape[0]:
        raise ShapeError(f"field must be (channel, x[, y[, z]]), got {field.shape}")
    if vector and field.shape[0] != len(space):
        raise ShapeError(
            f"a vector field must have one channel a dimension, {len(space)} here,"
            f" got {field.shape[0]} in {field.shape}"
        )
    return Grid(len(space), space, domain_extent)


def mirrored(spectrum: Number, num_spatial_dims: Dimensions, xp: ModuleType = jnp) -> Any:
    """Return ``conj(û(-k))`` along all axes but the last.

    A spectrum of a real field equals its mirror image where the last wavenumber is 0 or ``N/2``:
    there, both ``k`` and ``-k`` are stored.
    """
    axes = tuple(range(-num_spatial_dims, -1))
    flipped = xp.roll(xp.flip(spectrum, axes), (1,) * len(axes), axes) if axes else spectrum
    return xp.conj(flipped)


def project_real(spectrum: Complex[Array, "*batch"], grid: Grid) -> Complex[Array, "*batch"]:
    """Return ``fft(ifft(spectrum))`` without transforming: the part that a real field has.

    Rounding leaves a part that no field shows. A solver that stays in Fourier space must drop
    it, for where the linear part of an equation grows, that part would grow without bound.

    Raises
    ------
    ShapeError
        If the spectrum is not one of the grid.
    """
    if spectrum.shape[-grid.num_spatial_dims :] != grid.spectral_shape:
        raise ShapeError(
            f"the spectrum must end with {grid.spectral_shape}, as those on {grid} do,"
            f" got {spectrum.shape}"
        )
    if grid.num_spatial_dims == 1:
        interior = jnp.asarray(_interior(grid), spectrum.real.dtype)
        shape = (1,) * (spectrum.ndim - 1) + interior.shape
        return jax.lax.complex(spectrum.real, spectrum.imag * interior.reshape(shape))
    points = grid.shape[-1]
    planes = [0, points // 2] if points % 2 == 0 else [0]
    for index in planes:
        plane = spectrum[..., index : index + 1]
        symmetric = (plane + mirrored(plane, grid.num_spatial_dims)) / 2
        spectrum = spectrum.at[..., index : index + 1].set(symmetric)
    return spectrum


def _interior(grid: Grid) -> np.ndarray:
    """Return 0 for the entries along the last axis that a real field has real, else 1."""
    entries = np.arange(grid.spectral_shape[-1])
    return np.where((entries == 0) | (2 * entries == grid.shape[-1]), 0.0, 1.0)
