"""Truncated Fourier series: their modes, and their values at points and on grids."""

import string
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from apexr.spectral import Grid, fft

Axes = Sequence[np.ndarray]
"""The wavenumbers along each axis; those of the last one are not negative."""


def half_modes(num_spatial_dims: int, cutoff: int) -> Axes:
    """Return the wavenumbers up to the cutoff."""
    full = np.arange(-cutoff, cutoff + 1)
    return [full] * (num_spatial_dims - 1) + [full[cutoff:]]


def coefficients(
    u: Float[Array, "1 *space"], grid: Grid, cutoff: int
) -> tuple[Axes, Complex[Array, "..."]]:
    """Return the modes of a real state up to the cutoff; ``Re Σ c_k exp(2πi k·x)`` is its series.

    Modes that stand for a pair ``±k`` count twice.
    """
    full = [np.fft.fftfreq(points, 1 / points).astype(int) for points in grid.shape[:-1]]
    axes = [*full, np.arange(grid.spectral_shape[-1])]
    kept = np.ix_(*[np.flatnonzero(np.abs(axis) <= cutoff) for axis in axes])
    axes = [axis[np.abs(axis) <= cutoff] for axis in axes]
    pairs = np.where((axes[-1] == 0) | (2 * axes[-1] == grid.shape[-1]), 1, 2)
    spectrum = fft(u, grid.num_spatial_dims)[0][kept]
    return axes, spectrum * (pairs / grid.size)


def at_points(
    axes: Axes, modes: Complex[Array, "..."], x: Float[Array, "dim *space"]
) -> Float[Array, "1 *space"]:
    """Return ``Re Σ c_k exp(2πi k·x)``."""
    points = x.reshape(len(axes), -1)
    letters = string.ascii_lowercase[: len(axes)]
    terms = ",".join([letters, *[f"{letter}z" for letter in letters]])
    waves = [_waves(k, position) for k, position in zip(axes, points, strict=True)]
    values = jnp.einsum(f"{terms}->z", modes, *waves)
    return jnp.real(values).reshape(1, *x.shape[1:])


def on_axes(axes: Axes, modes: Complex[Array, "..."], grid: Grid) -> Float[Array, "1 *space"]:
    """Return the same on a grid, one axis after another."""
    values = modes
    for k, points in zip(axes, grid.shape, strict=True):  # the leading axis becomes the last one
        position = jnp.asarray(np.arange(points) / points)
        values = jnp.tensordot(values, _waves(k, position), axes=(0, 0))
    return jnp.real(values)[None]


def _waves(k: np.ndarray, x: Float[Array, " point"]) -> Complex[Array, "wave point"]:
    angle = (2 * np.pi) * jnp.asarray(k, x.dtype)[:, None] * x
    return jnp.exp(1j * angle)
