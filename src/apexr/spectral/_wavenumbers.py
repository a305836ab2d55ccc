"""Wavenumbers and the diagonal operators built from them, as double-precision NumPy arrays.

They are made on the host: building a solver compiles nothing, and what reaches the device has
been rounded once. The arrays are cached and read-only.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Bool, Complex, Float, Int, Real

from apexr._typing import Number
from apexr.errors import ShapeError, SpecError, suggest
from apexr.spectral._grid import Grid

NyquistSlope = Literal["keep", "zero"]
"""The odd derivative of the Nyquist wave of an even grid."""

_POWERS_OF_I = (1 + 0j, 1j, -1 + 0j, -1j)


def frozen(array: np.ndarray) -> np.ndarray:
    """Return the array itself, made read-only so that a cache may hand it out."""
    array.setflags(write=False)
    return array


@lru_cache(maxsize=32)
def wavenumbers(grid: Grid) -> Int[np.ndarray, "dim *spectrum"]:
    """Return the integer wavenumber along each axis, for every entry of a spectrum.

    The last axis counts ``0 … N // 2``; the others ``0, 1, … -2, -1`` with a Nyquist wavenumber
    of ``-N / 2`` for even ``N``. The integers are counted, not divided out of frequencies, and
    hence exact for every ``N``.
    """
    half = np.arange(grid.spectral_shape[-1])
    full = [(np.arange(n) + n // 2) % n - n // 2 for n in grid.shape[:-1]]
    return frozen(np.stack(np.meshgrid(*full, half, indexing="ij")))


def along_axes(values: Sequence[float], grid: Grid) -> Real[np.ndarray, "dim *ones"]:
    """Return one number an axis in the shape that multiplies ``(dim, *spectrum)``."""
    return np.reshape(values, (-1, *[1] * grid.num_spatial_dims))


@lru_cache(maxsize=32)
def wave_vectors(grid: Grid) -> Float[np.ndarray, "dim *spectrum"]:
    """Return the wavenumber vector of every entry in units of ``2π / L``, L the longest axis.

    Where all axes are equally long, these are the integer wavenumbers.
    """
    longest = max(grid.extents)
    ratios = along_axes([longest / length for length in grid.extents], grid)
    return frozen(ratios * wavenumbers(grid))


@lru_cache(maxsize=32)
def wavenumber_norm(grid: Grid) -> Float[np.ndarray, "1 *spectrum"]:
    """Return the length of :func:`wave_vectors`, in units of ``2π / L``, L the longest axis."""
    return frozen(np.sqrt(np.sum(wave_vectors(grid) ** 2, axis=0, keepdims=True)))


@lru_cache(maxsize=32)
def at_nyquist(grid: Grid) -> Bool[np.ndarray, "dim *spectrum"]:
    """Return which entries have a wavenumber of ``±N/2`` along each axis (none for odd ``N``)."""
    return frozen(2 * np.abs(wavenumbers(grid)) == along_axes(grid.shape, grid))


@lru_cache(maxsize=64)
def derivative_operator(
    grid: Grid, order: int = 1, *, nyquist: NyquistSlope = "keep"
) -> Complex[np.ndarray, "dim *spectrum"]:
    """Return ``(i 2π/L_d k_d)^order``, the symbol of ``∂_d^order``, for each axis ``d``.

    Even orders are exactly real, odd ones exactly imaginary.

    Parameters
    ----------
    grid
        The grid of the states.
    order
        Order of the derivative, at least 0.
    nyquist
        The factor of odd orders at ``|k_d| = N/2``, for even ``N``. The grid cannot tell ``N/2``
        from ``-N/2``, and the trigonometric interpolant, which has half of each, has a slope of
        zero at the points: ``"zero"``. ``"keep"``, as published data have it, takes the sign under
        which the wavenumber is stored; beyond one dimension that favors a direction.

    Raises
    ------
    SpecError
        If ``order`` is negative or ``nyquist`` unknown.
    """
    if order < 0:
        raise SpecError(f"order of a derivative must be at least 0, got {order}")
    check_choice("nyquist", nyquist, get_args(NyquistSlope))
    scaled = 2 * np.pi / along_axes(grid.extents, grid) * wavenumbers(grid)
    if nyquist == "zero" and order % 2:
        scaled = np.where(at_nyquist(grid), 0.0, scaled)
    return frozen(_POWERS_OF_I[order % 4] * scaled**order)


def check_choice(name: str, given: str, known: Sequence[str]) -> None:
    """Refuse what is not among the known words.

    Raises
    ------
    SpecError
        Naming the parameter, the word and the nearest known one.
    """
    if given not in known:
        hint = suggest(str(given), known)
        raise SpecError(f"unknown {name} {given!r}{hint or ';'} known: {', '.join(known)}")


@lru_cache(maxsize=64)
def summed_derivative(grid: Grid, order: int) -> Complex[np.ndarray, "1 *spectrum"]:
    """Return ``Σ_d (i 2π/L_d k_d)^order``, the symbol of ``Σ_d ∂_d^order``.

    Order 0 is the sum of ``D`` ones: the constant ``D``, not 1.
    """
    return frozen(np.sum(derivative_operator(grid, order), axis=0, keepdims=True))


def laplacian(grid: Grid, order: int = 2) -> Complex[np.ndarray, "1 *spectrum"]:
    """Return the symbol of ``Σ_d ∂_d^order``, for order 2 that of the Laplacian.

    Order 0 gives the constant ``D``; orders above 2 do not mix the axes.

    Raises
    ------
    SpecError
        If ``order`` is odd or negative.
    """
    if order % 2:
        raise SpecError(f"order of a Laplacian must be even, got {order}")
    return summed_derivative(grid, order)


def gradient_inner_product(grid: Grid, vector: Sequence[Number], order: int = 1) -> Any:
    """Return the symbol of ``Σ_d v_d ∂_d^order``, for order 1 that of ``v · ∇``.

    An array like the others, or a traced one if an entry of ``vector`` is traced.

    Raises
    ------
    SpecError
        If ``order`` is even.
    ShapeError
        If ``vector`` does not have one entry a dimension.
    """
    if order % 2 == 0:
        raise SpecError(f"order of a gradient inner product must be odd, got {order}")
    if len(vector) != grid.num_spatial_dims:
        raise ShapeError(
            f"vector must have {grid.num_spatial_dims} entries, one a dimension, got {len(vector)}"
        )
    operators = derivative_operator(grid, order)[:, None]
    return sum(entry * operator for entry, operator in zip(vector, operators, strict=True))
