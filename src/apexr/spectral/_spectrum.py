"""How amplitude and energy are spread over the wavenumbers."""

import math
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from apexr.spectral._grid import Grid
from apexr.spectral._scaling import scaling
from apexr.spectral._transforms import as_field, fft, grid_of
from apexr.spectral._wavenumbers import check_choice, frozen, wavenumber_norm, wavenumbers

_ROUNDING = 1e-9  # of ratios of lengths, which would move a wave between two shells

SpectrumKind = Literal["amplitude", "power", "one_sided_power"]
"""The quantity that a spectrum holds for each wavenumber."""


class Spectrum(NamedTuple):
    """A spectrum and the integer wavenumbers that it stands over."""

    wavenumbers: Int[np.ndarray, "..."]
    values: Float[Array, "channel *wavenumber"]


def spectrum(
    field: Float[Array, "channel *space"],
    kind: SpectrumKind = "power",
    *,
    binned: bool = True,
    corners: bool = True,
    domain_extent: float | tuple[float, ...] = 1.0,
) -> Spectrum:
    """Return the spectrum of a field, summed over shells of wavenumbers of nearly equal length.

    The shell of the integer ``κ`` holds the wavenumber vectors with ``κ - ½ <= ‖k‖ < κ + ½``; in
    1D each holds one wavenumber. Where the axes differ in length, ``k`` is in units of ``2π`` over
    the longest of them, so that a shell holds waves of equal length whatever their direction.

    Parameters
    ----------
    field
        One state.
    kind
        ``"amplitude"``: ``a = |û| / reconstruction``, that of the cosine of a wavenumber and its
        conjugate. ``"power"``: their part in the mean of ``½ u²``, which the sum over all
        wavenumbers is (Parseval). ``"one_sided_power"``: ``½ a²``, as published spectra have it,
        twice the power except at ``k = 0`` and ``N/2``.
    binned
        Sum over shells. Otherwise one value for each entry of the half spectrum.
    corners
        Include the shells beyond ``N // 2``, of which only the corners of the grid of wavenumbers
        are there. Without them the power of the others remains. Where the axes differ, ``N // 2``
        is the largest wavenumber along all of them, in units of the longest.
    domain_extent
        Length of each axis, or one number an axis. Only the ratios matter.

    Returns
    -------
    ``(wavenumbers, values)``: the ``k`` of the shells and ``(channel, shell)``, or, not binned,
    the wavenumber vectors ``(dim, *spectrum)`` and ``(channel, *spectrum)``.

    Raises
    ------
    ShapeError
        If the field has no spatial axis.
    SpecError
        If the kind is unknown.

    Examples
    --------
    >>> shells, energy = spectrum(np.cos(2 * np.pi * 3 * Grid(1, 8).coordinates))
    >>> shells.tolist(), energy.round(3).tolist()
    ([0, 1, 2, 3, 4], [[0.0, 0.0, 0.0, 0.25, 0.0]])
    """
    check_choice("kind of spectrum", kind, get_args(SpectrumKind))
    field = as_field(field)
    grid = grid_of(field, domain_extent)
    values = _entries(field, grid, kind)
    if not binned:
        return Spectrum(wavenumbers(grid), values)
    shells = shell_numbers(grid)
    count = int(shells.max()) + 1 if corners else _whole_shells(grid)
    summed = jax.ops.segment_sum(
        values.reshape(field.shape[0], -1).T, shells.ravel(), num_segments=count
    )
    return Spectrum(np.arange(count), summed.T)


def _entries(field: Array, grid: Grid, kind: SpectrumKind) -> Float[Array, "channel *spectrum"]:
    transformed = fft(field, grid.num_spatial_dims)
    amplitude_scale = scaling(grid, "reconstruction").astype(field.dtype)
    if kind == "amplitude":
        return jnp.abs(transformed) / amplitude_scale
    other = scaling(grid, "norm_compensation") if kind == "power" else amplitude_scale
    scaled = transformed / amplitude_scale
    unscaled = jnp.conj(transformed) / other.astype(field.dtype)
    return (scaled * unscaled).real / 2


def _whole_shells(grid: Grid) -> int:
    """Return how many shells no axis cuts off."""
    longest = max(grid.extents)
    return min(
        math.floor(points // 2 * (longest / length) + 0.5 + _ROUNDING) + 1
        for points, length in zip(grid.shape, grid.extents, strict=True)
    )


@lru_cache(maxsize=16)
def shell_numbers(grid: Grid) -> Int[np.ndarray, "*spectrum"]:
    """Return the shell of each entry: the integer nearest to the length of its wavenumber."""
    return frozen(np.floor(wavenumber_norm(grid)[0] + 0.5 + _ROUNDING).astype(np.int32))
