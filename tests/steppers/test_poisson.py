"""The Poisson solver against waves that it must divide by their symbol."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.errors import ShapeError, SpecError
from apexr.spectral import Grid, derivative
from apexr.steppers import Poisson


@pytest.mark.parametrize("order", [2, 4, 6])
@pytest.mark.parametrize(
    ("wave", "num_points"), [((3,), 16), ((3,), 15), ((1, -2), 12), ((1, -2, 2), 7)], ids=str
)
def test_waves_are_divided_by_their_symbol(wave, num_points, order):
    with jax.enable_x64(True):
        grid = Grid(len(wave), num_points, 2.5)
        scale = 2 * np.pi / 2.5
        angle = scale * np.einsum("d,d...->...", wave, grid.coordinates)
        f = np.cos(angle + 0.4)[None]
        symbol = -sum((1j * scale * k) ** order for k in wave).real
        solution = Poisson(grid, order)(f + 3.0)  # the mean is ignored
        np.testing.assert_allclose(solution, f / symbol, rtol=1e-13, atol=1e-14)


def test_a_white_right_hand_side_is_met():
    with jax.enable_x64(True):
        grid = Grid(2, 9, 3.0)
        f = np.random.default_rng(0).normal(size=(3, 9, 9))
        u = Poisson(grid)(f)
        second = derivative(u, 3.0, 2).sum(axis=1)
        np.testing.assert_allclose(-second, f - f.mean((1, 2), keepdims=True), atol=1e-12)
        np.testing.assert_allclose(np.mean(u, (1, 2)), 0, atol=1e-15)


def test_it_can_be_mapped_and_differentiated():
    grid = Grid(1, 8)
    f = np.random.default_rng(0).normal(size=(2, 1, 8)).astype("float32")
    solver = Poisson(grid)
    together = jax.vmap(solver)(f)
    np.testing.assert_allclose(together[1], solver(f[1]), atol=1e-7)
    slope = jax.grad(lambda f: jnp.sum(solver(f) * f))(f[0])
    np.testing.assert_allclose(slope, 2 * solver(f[0]), atol=1e-7)  # it is symmetric


@pytest.mark.parametrize("order", [0, 1, 3, -2, 2.0, True, "2"])
def test_refused_orders(order):
    with pytest.raises(SpecError, match="order"):
        Poisson(Grid(1, 8), order)


@pytest.mark.parametrize("shape", [(), (8, 8), (1, 8, 7), (2, 1, 8, 8)])
def test_refused_shapes(shape):
    with pytest.raises(ShapeError, match="any, 8, 8"):
        Poisson(Grid(2, 8))(np.zeros(shape))
