"""Wavenumbers and the operators built from them."""

import numpy as np
import pytest

from apexr.errors import ShapeError, SpecError
from apexr.spectral import (
    Grid,
    derivative_operator,
    gradient_inner_product,
    laplacian,
    summed_derivative,
    wavenumber_norm,
    wavenumbers,
)

INEXACT_BY_FREQUENCIES = (49, 98, 103, 107, 161, 187, 196, 197, 206, 214, 237, 239, 249, 253)


@pytest.mark.parametrize("num_points", [2, 3, 8, 9, *INEXACT_BY_FREQUENCIES])
def test_integers_are_exact(num_points):
    first, last = wavenumbers(Grid(2, num_points))
    assert np.issubdtype(first.dtype, np.integer)
    np.testing.assert_array_equal(last[0], range(num_points // 2 + 1))
    order = [*range((num_points + 1) // 2), *range(-(num_points // 2), 0)]
    np.testing.assert_array_equal(first[:, 0], order)


def test_shapes_of_three_dimensions():
    assert wavenumbers(Grid(3, 6)).shape == (3, 6, 6, 4)
    assert wavenumber_norm(Grid(3, 6)).shape == (1, 6, 6, 4)


def test_derivative_operator_is_exactly_real_or_imaginary():
    grid = Grid(2, 8, 3.0)
    once = derivative_operator(grid)
    np.testing.assert_allclose(once.imag, 2 * np.pi / 3.0 * wavenumbers(grid))
    for order in range(5):
        symbol = derivative_operator(grid, order)
        np.testing.assert_allclose(symbol, once**order, rtol=1e-14, atol=1e-12)
        assert not np.any(symbol.imag if order % 2 == 0 else symbol.real)


def test_zero_order_laplacian_counts_the_dimensions():
    np.testing.assert_array_equal(laplacian(Grid(3, 4), 0), 3)


def test_laplacian_of_order_four_does_not_mix_axes():
    grid = Grid(2, 8)
    kx, ky = 2 * np.pi * wavenumbers(grid)
    np.testing.assert_allclose(laplacian(grid, 4)[0], kx**4 + ky**4)
    np.testing.assert_allclose(laplacian(grid)[0], -(kx**2) - ky**2)


def test_gradient_inner_product():
    grid = Grid(2, 8)
    symbol = gradient_inner_product(grid, (2.0, -3.0), 3)
    expected = np.einsum("d,dxy->xy", [2.0, -3.0], derivative_operator(grid, 3))
    np.testing.assert_allclose(symbol[0], expected)


def test_refused():
    grid = Grid(2, 8)
    with pytest.raises(SpecError, match="even"):
        laplacian(grid, 3)
    with pytest.raises(SpecError, match="odd"):
        gradient_inner_product(grid, (1.0, 1.0), 2)
    with pytest.raises(ShapeError, match="2 entries"):
        gradient_inner_product(grid, (1.0,))
    with pytest.raises(SpecError, match="at least 0"):
        summed_derivative(grid, -1)


def test_cached_arrays_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        wavenumbers(Grid(1, 8))[0, 0] = 1
