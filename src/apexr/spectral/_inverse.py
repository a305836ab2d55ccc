"""The inverse real Fourier transform, and its form for solvers, which takes a CPU less time.

A transform to real values takes the library that JAX calls on a CPU almost as long as one to
complex values of as many points. So two real fields are made by one complex transform, as its
real and its imaginary part, or one field with two halves of its lines as such a pair.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from apexr.spectral._grid import Grid

SUMMED = {2: 96, 3: 128}
"""Points along the last axis up to which few waves along it are summed by a matrix product."""


def ifft(spectrum: Complex[Array, "*batch k"], grid: Grid) -> Float[Array, "*batch x"]:
    """Return the fields whose :func:`fft` are the spectra, for any leading axes."""
    return jnp.fft.irfftn(spectrum, s=grid.shape, axes=spatial_axes(grid.num_spatial_dims))


def ifft_of_real(
    spectra: Complex[Array, "field *spectrum"], grid: Grid, low: int | None = None
) -> Float[Array, "field *space"]:
    """Return what :func:`ifft` does, of spectra that real fields have up to rounding.

    Other entries of a spectrum are not left out: they may end in another field.

    Parameters
    ----------
    spectra
        Of one field or more, ``(field, *spectrum)``.
    grid
        The grid of the fields.
    low
        How many entries of the last axis may differ from zero, less than half the points.
        Default: all.
    """
    dims = grid.num_spatial_dims
    if dims == 1 or jax.default_backend() != "cpu":
        return ifft(spectra, grid)
    entries = spectra[..., :low]
    if dims == 2 and len(spectra) > 1:
        return _paired(entries, grid)
    if low and grid.shape[-1] <= SUMMED.get(dims, 0):
        return _summed(entries, grid)
    return _paired_lines(entries, grid) if low and dims == 2 else ifft(spectra, grid)


def spatial_axes(num_spatial_dims: int) -> tuple[int, ...]:
    """Return the last axes, those of space."""
    return tuple(range(-num_spatial_dims, 0))


def _paired(spectra: Array, grid: Grid) -> Array:
    """Return the fields, each with another one by a complex transform."""
    axes = spatial_axes(grid.num_spatial_dims)
    both = jnp.fft.ifftn(_full(*_halves(spectra, 0), grid, axes), axes=axes)
    return _apart(both, len(spectra), 0)


def _paired_lines(low: Array, grid: Grid) -> Array:
    """Return the fields, each line along the last axis with another one by a complex transform."""
    waves = jnp.fft.ifftn(low, axes=spatial_axes(grid.num_spatial_dims)[:-1])
    both = jnp.fft.ifft(_full(*_halves(waves, -2), grid, (-1,)))
    return _apart(both, low.shape[-2], -2)


def _halves(array: Array, axis: int) -> tuple[Array, Array]:
    """Return two halves; both hold the middle of an odd number."""
    count = array.shape[axis]
    size = (count + 1) // 2
    first = jax.lax.slice_in_dim(array, 0, size, axis=axis)
    return first, jax.lax.slice_in_dim(array, count - size, count, axis=axis)


def _apart(both: Array, count: int, axis: int) -> Array:
    """Return what the real and the imaginary parts of the fields of two halves make together."""
    size = both.shape[axis]
    second = jax.lax.slice_in_dim(both.imag, 2 * size - count, size, axis=axis)
    return jnp.concatenate([both.real, second], axis=axis)


def _full(first: Array, second: Array, grid: Grid, axes: tuple[int, ...]) -> Array:
    """Return all entries along some axes of ``first + i second``, both of real fields."""
    points = grid.shape[-1]
    mirror = (jnp.conj(first) + 1j * jnp.conj(second))[..., (points - 1) // 2 : 0 : -1]
    for axis in axes[:-1]:
        count = mirror.shape[axis]
        mirror = jnp.take(mirror, -np.arange(count) % count, axis=axis)
    missing = points - first.shape[-1] - mirror.shape[-1]
    none = jnp.zeros((*first.shape[:-1], missing), first.dtype)
    return jnp.concatenate([first + 1j * second, none, mirror], axis=-1)


def _summed(low: Array, grid: Grid) -> Array:
    """Return the fields, the waves along the last axis summed by a matrix product."""
    waves = jnp.fft.ifftn(low, axes=spatial_axes(grid.num_spatial_dims)[:-1])
    parts = jnp.concatenate([waves.real, waves.imag], axis=-1)
    matrix = jnp.asarray(_cosines_and_sines(grid.shape[-1], low.shape[-1]), parts.dtype)
    return jnp.matmul(parts, matrix, precision="highest")


def _cosines_and_sines(num_points: int, count: int) -> np.ndarray:
    """Return the fields of the real and of the imaginary parts of the first wavenumbers."""
    numbers = np.arange(count)
    phases = 2 * np.pi / num_points * (np.outer(numbers, np.arange(num_points)) % num_points)
    weights = np.where(numbers == 0, 1, 2)[:, None] / num_points  # -k is not stored
    return np.concatenate([weights * np.cos(phases), -weights * np.sin(phases)])
