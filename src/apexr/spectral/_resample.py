"""The same field on a grid of another resolution."""

from functools import partial
from typing import Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from apexr.spectral._grid import Grid
from apexr.spectral._transforms import as_field, grid_of
from apexr.spectral._wavenumbers import check_choice

NyquistWave = Literal["split", "zero"]
"""The treatment of the Nyquist wave of an even grid on another grid."""


def resample(
    field: Float[Array, "channel *space"],
    num_points: int | tuple[int, ...],
    *,
    nyquist: NyquistWave = "split",
) -> Float[Array, "channel *space_new"]:
    """Return a field on a grid of ``num_points`` an axis, from its trigonometric interpolant.

    A finer grid samples the interpolant and loses nothing; a coarser one samples what is left
    of the interpolant without the waves that the grid cannot hold. A field that both grids hold
    is therefore mapped exactly, up or down, for odd and even sizes, and up and down again is the
    identity. The same size returns the field.

    Parameters
    ----------
    field
        One state.
    num_points
        Points along each axis of the result, at least 2; or one number an axis.
    nyquist
        The treatment of waves of wavenumber ``N/2`` on the coarser of the grids, if its ``N`` is
        even. ``"split"``: such a wave is a cosine, half ``N/2``, half ``-N/2``, and is kept.
        ``"zero"``: it is dropped, as published data have it.

    Raises
    ------
    ShapeError
        If the field has no spatial axis.
    SpecError
        If ``num_points`` or ``nyquist`` is invalid.
    """
    field = as_field(field)
    check_choice("nyquist", nyquist, get_args(NyquistWave))
    old = grid_of(field)
    new = Grid(old.num_spatial_dims, num_points)
    if new == old:
        return field
    return _resample(field, new.shape, nyquist)


@partial(jax.jit, static_argnums=(1, 2))
def _resample(field: Array, shape: tuple[int, ...], nyquist: NyquistWave) -> Array:
    for axis, points in enumerate(shape, start=1):  # the interpolant is a product over the axes
        if points != field.shape[axis]:
            field = _resample_axis(field, axis, points, nyquist)
    return field


def _resample_axis(field: Array, axis: int, points: int, nyquist: NyquistWave) -> Array:
    given = field.shape[axis]
    size = min(given, points)
    weights = np.full(size // 2 + 1, points / given)
    if size % 2 == 0:
        weights[-1] *= _nyquist_weight(nyquist, growing=points > given)
    line = jnp.moveaxis(field, axis, -1)
    spectrum = jnp.fft.rfft(line)[..., : size // 2 + 1] * weights.astype(field.dtype)
    if size % 2 == 0:  # a cosine; a sine is zero at all points of the even grid
        spectrum = spectrum.at[..., -1].set(spectrum[..., -1].real)
    return jnp.moveaxis(jnp.fft.irfft(spectrum, points), -1, axis)


def _nyquist_weight(nyquist: NyquistWave, *, growing: bool) -> float:
    """Return how much a stored wave changes: one that stood for itself becomes one of a pair."""
    if nyquist == "zero":
        return 0.0
    return 0.5 if growing else 2.0
