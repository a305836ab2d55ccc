"""Values of a field between its grid points."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from apexr.errors import ShapeError
from apexr.spectral._grid import Grid
from apexr.spectral._scaling import scaling
from apexr.spectral._transforms import as_field, fft, grid_of
from apexr.spectral._wavenumbers import wavenumbers

# numbers that the points of one batch may hold together
_BATCH_NUMBERS = 2**22


def interpolate(
    field: Float[Array, "channel *space"],
    points: Float[Array, "dim *points"],
    domain_extent: float | tuple[float, ...] = 1.0,
) -> Float[Array, "channel *points"]:
    """Return the trigonometric interpolant of a field at arbitrary points.

    Exact for fields whose waves the grid holds. Points outside the domain are periodic images of
    points inside it. Differentiable with respect to the field and the points. The cost is that of
    reading the whole spectrum for each point; points are taken in batches, so that memory does
    not grow with their number.

    Parameters
    ----------
    field
        One state.
    points
        Coordinates in the order of the axes, in any arrangement: like
        :attr:`~apexr.spectral.Grid.coordinates`, or ``(dim, number)``, or ``(dim,)`` for one.
    domain_extent
        Length of each axis, or one number an axis.

    Raises
    ------
    ShapeError
        If a point has not one coordinate a dimension.
    """
    field = as_field(field)
    grid = grid_of(field, domain_extent)
    points = jnp.asarray(points, field.dtype)
    if points.ndim == 0 or points.shape[0] != grid.num_spatial_dims:
        raise ShapeError(
            f"points must be (dim, …) with {grid.num_spatial_dims} coordinates each,"
            f" got {points.shape}"
        )
    flat = points.reshape(points.shape[0], -1).T / jnp.asarray(grid.extents, points.dtype)
    values = _values(_amplitudes(field, grid), flat, grid, _BATCH_NUMBERS)
    return values.T.reshape(field.shape[0], *points.shape[1:])


def _amplitudes(field: Array, grid: Grid) -> Complex[Array, "channel *spectrum"]:
    """Return the weights of ``exp(i k · x)`` whose real part is summed over the half spectrum."""
    spectrum = fft(field, grid.num_spatial_dims)
    return spectrum / scaling(grid, "reconstruction").astype(field.dtype)


@partial(jax.jit, static_argnames=("grid", "batch_numbers"))
def _values(
    amplitudes: Array, places: Array, grid: Grid, batch_numbers: int
) -> Float[Array, "point channel"]:
    """Return the values at places ``x / L``, one a row."""
    lines = math.prod(amplitudes.shape[:-1])
    batch = max(1, batch_numbers // (2 * max(lines, *grid.shape)))

    @jax.checkpoint  # type: ignore[untyped-decorator]
    def value(place: Array) -> Array:
        total = amplitudes
        for axis in reversed(range(grid.num_spatial_dims)):
            total = jnp.matmul(total, _waves(grid, axis, place[axis]), precision="highest")
        return total.real

    return jax.lax.map(value, places, batch_size=batch)


def _waves(grid: Grid, axis: int, place: Array) -> Complex[Array, "wavenumber"]:
    """Return ``exp(2πi k x/L)`` for the wavenumbers of an axis; at ``N/2`` the cosine."""
    along = np.moveaxis(wavenumbers(grid)[axis], axis, 0).reshape(grid.spectral_shape[axis], -1)[
        :, 0
    ]
    turns = along.astype(place.dtype) * place
    turns = turns - jax.lax.stop_gradient(jnp.round(turns))  # few digits are lost to full turns
    angle = 2 * np.pi * turns
    sine = jnp.where(2 * np.abs(along) == grid.shape[axis], 0.0, jnp.sin(angle))
    return jax.lax.complex(jnp.cos(angle), sine)
