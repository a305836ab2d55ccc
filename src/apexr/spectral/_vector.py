"""Divergence, curl and the velocity of a vorticity, on periodic domains.

First derivatives are zero at the Nyquist wavenumber, as the trigonometric interpolant has them,
so that every operator treats both directions of an axis equally and ``div curl`` is zero.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from apexr.errors import ShapeError, SpecError
from apexr.spectral._grid import Grid
from apexr.spectral._inverse import ifft
from apexr.spectral._transforms import as_field, fft, grid_of
from apexr.spectral._wavenumbers import derivative_operator


def divergence(
    field: Float[Array, "dim *space"], domain_extent: float | tuple[float, ...] = 1.0
) -> Float[Array, "1 *space"]:
    """Return ``Σ_d ∂_d v_d`` of a vector field.

    Raises
    ------
    ShapeError
        If the components are not as many as the axes.
    """
    field = as_field(field)
    grid = grid_of(field, domain_extent, vector=True)
    spectrum = fft(field, grid.num_spatial_dims)
    return ifft(jnp.sum(_slopes(grid, spectrum) * spectrum, axis=0, keepdims=True), grid)


def curl(
    field: Float[Array, "dim *space"], domain_extent: float | tuple[float, ...] = 1.0
) -> Float[Array, "component *space"]:
    """Return the vorticity of a velocity: ``∂₀ v₁ - ∂₁ v₀`` in 2D, ``∇ × v`` in 3D.

    Returns
    -------
    One channel in 2D, three in 3D.

    Raises
    ------
    ShapeError
        If the components are not as many as the axes.
    SpecError
        In 1D, where nothing turns.
    """
    field = as_field(field)
    grid = grid_of(field, domain_extent, vector=True)
    _check_turns(grid)
    spectrum = fft(field, grid.num_spatial_dims)
    slopes = _slopes(grid, spectrum)
    if grid.num_spatial_dims == 2:
        return ifft(slopes[:1] * spectrum[1:] - slopes[1:] * spectrum[:1], grid)
    return ifft(_cross(slopes, spectrum), grid)


def velocity_from_vorticity(
    vorticity: Float[Array, "component *space"], domain_extent: float | tuple[float, ...] = 1.0
) -> Float[Array, "dim *space"]:
    """Return the divergence-free velocity of mean zero whose :func:`curl` is the vorticity.

    In 2D ``v = (-∂₁ψ, ∂₀ψ)`` with ``Δψ = ω``, in 3D ``v = -Δ⁻¹ (∇ × ω)``. The equations for
    vorticity in :mod:`apexr.steppers` transport by ``-v``, as published data have it.

    Parameters
    ----------
    vorticity
        One channel in 2D, three in 3D. Its mean, which no periodic velocity has, is left out,
        and so is, in 3D, its divergence.
    domain_extent
        Length of each axis, or one number an axis.

    Raises
    ------
    ShapeError
        If the channels do not fit.
    SpecError
        In 1D.
    """
    vorticity = as_field(vorticity)
    grid = grid_of(vorticity, domain_extent, vector=vorticity.ndim == 4)
    _check_turns(grid)
    if vorticity.ndim == 3 and vorticity.shape[0] != 1:
        raise ShapeError(f"a vorticity in 2D has one channel, got {vorticity.shape[0]}")
    spectrum = fft(vorticity, grid.num_spatial_dims)
    slopes = _slopes(grid, spectrum)
    stream = _inverse_laplacian(grid, spectrum) * spectrum
    if grid.num_spatial_dims == 2:
        return ifft(jnp.concatenate([-slopes[1:] * stream, slopes[:1] * stream]), grid)
    return ifft(-_cross(slopes, stream), grid)


def _check_turns(grid: Grid) -> None:
    if grid.num_spatial_dims == 1:
        raise SpecError("a vorticity needs 2 or 3 spatial dimensions, got 1")


def _slopes(grid: Grid, like: Array) -> Complex[Array, "dim *spectrum"]:
    return jnp.asarray(derivative_operator(grid, nyquist="zero"), like.dtype)


def _inverse_laplacian(grid: Grid, like: Array) -> Any:
    """Return the inverse of the squared slopes, zero where they vanish."""
    squared = np.sum(derivative_operator(grid, nyquist="zero") ** 2, axis=0).real
    inverse = np.divide(1.0, squared, out=np.zeros_like(squared), where=squared != 0)
    return jnp.asarray(inverse, like.real.dtype)


def _cross(first: Array, second: Array) -> Array:
    """Return the vector product over the leading axis."""
    return jnp.stack(
        [
            first[(d + 1) % 3] * second[(d + 2) % 3] - first[(d + 2) % 3] * second[(d + 1) % 3]
            for d in range(3)
        ]
    )
