"""Fourier coefficients of a field in several normalizations, and the field of coefficients."""

import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from apexr.errors import ShapeError
from apexr.spectral._grid import Grid
from apexr.spectral._inverse import ifft
from apexr.spectral._scaling import ScalingMode, scaling
from apexr.spectral._transforms import as_field, fft, grid_of


def fourier_coefficients(
    field: Float[Array, "channel *space"],
    mode: ScalingMode = "coef_extraction",
    *,
    decimals: int | None = None,
) -> Complex[Array, "channel *spectrum"]:
    """Return the Fourier coefficients of a field.

    Parameters
    ----------
    field
        One state.
    mode
        The divisor of the transform, see :func:`~apexr.spectral.scaling`. With
        ``"coef_extraction"`` the real part holds the amplitudes of products of cosines.
    decimals
        Round to so many decimals, to read coefficients off.

    Raises
    ------
    ShapeError
        If the field has no spatial axis.
    SpecError
        If the mode is unknown.
    """
    field = as_field(field)
    grid = grid_of(field)
    coefficients = fft(field, grid.num_spatial_dims) / scaling(grid, mode).astype(field.dtype)
    return coefficients if decimals is None else jnp.round(coefficients, decimals)


def field_from_coefficients(
    coefficients: Complex[Array, "channel *spectrum"],
    num_points: int | tuple[int, ...],
    mode: ScalingMode = "coef_extraction",
) -> Float[Array, "channel *space"]:
    """Return the field of Fourier coefficients: the inverse of :func:`fourier_coefficients`.

    Parameters
    ----------
    coefficients
        One spectrum a channel.
    num_points
        Points along each axis, or one number an axis; the half spectrum does not tell.
    mode
        The normalization of the coefficients.

    Raises
    ------
    ShapeError
        If the coefficients are not those of so many points.
    SpecError
        If the mode is unknown or ``num_points`` is invalid.
    """
    coefficients = jnp.asarray(coefficients)
    grid = Grid(coefficients.ndim - 1, num_points)
    if coefficients.shape[1:] != grid.spectral_shape:
        raise ShapeError(
            f"coefficients of {' by '.join(map(str, grid.shape))} points are (channel,"
            f" {', '.join(map(str, grid.spectral_shape))}), got {coefficients.shape}"
        )
    factors = scaling(grid, mode).astype(coefficients.real.dtype)
    return ifft(coefficients * factors, grid)
