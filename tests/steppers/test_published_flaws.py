"""What the published solver library gets wrong, done right.

Each test names a flaw of Exponax 0.1.0, on which the APEBench data were made.
"""

import jax
import numpy as np
import pytest

from apexr.spectral import Grid, derivative_operator, fft, ifft, wavenumbers
from apexr.steppers import (
    Advection,
    AdvectionDiffusion,
    Burgers,
    Composed,
    Dispersion,
    ETDRKStepper,
    FisherKPP,
    KortewegDeVries,
    repeat,
)


class Drifting(Composed):
    """Burgers in a current, with dispersion: odd derivatives in the linear part."""

    parts = (Burgers(0.1, conservative=True), Advection(1.0), Dispersion(0.2))


def errors(mode, order, counts=(16, 32, 64)):
    with jax.enable_x64(True):
        grid = Grid(1, 64, 2 * np.pi)
        state = np.cos(grid.coordinates) + 0.3 * np.sin(2 * grid.coordinates + 1)

        def solve(count, order, mode):
            stepper = ETDRKStepper(Drifting(), grid, 0.25 / count, order, coefficients=mode)
            return np.asarray(repeat(stepper, count)(state))

        exact = solve(500, 4, "exact")
        return np.array([np.abs(solve(count, order, mode) - exact).max() for count in counts])


@pytest.mark.parametrize("order", [2, 3, 4])
def test_odd_derivatives_cost_the_order_of_accuracy(order):
    """Flaw: the real part of complex coefficients is taken, which leaves first order."""
    exact, published = errors("exact", order), errors("real", order)
    np.testing.assert_allclose(np.log2(exact[:-1] / exact[1:]), order, atol=0.25)
    np.testing.assert_allclose(np.log2(published[:-1] / published[1:]), 1, atol=0.1)
    assert np.all(exact < 0.1 * published)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_option_of_korteweg_de_vries(dims):
    """Flaw: ``advect_over_diffuse`` stops with an ``AttributeError``."""
    grid = Grid(dims, 8, 2 * np.pi)
    equation = KortewegDeVries(advect_over_diffuse=True, hyper_diffusivity=0.0)
    k = np.asarray(wavenumbers(grid), float)
    exact = 1j * k.sum(axis=0) * (k**2).sum(axis=0)
    np.testing.assert_allclose(equation.linear_symbol(grid)[0], exact, atol=1e-12)
    state = 0.1 * np.random.default_rng(0).normal(size=(dims, *grid.shape))
    stepped = repeat(ETDRKStepper(equation, grid, 1e-3, 4), 10)(state)
    assert np.isfinite(stepped).all()


@pytest.mark.parametrize("velocity", [2, np.int32(2), (1, -2), [1, -2], np.array([1, -2])], ids=str)
@pytest.mark.parametrize("cls", [Advection, AdvectionDiffusion])
def test_velocities_that_are_integers(cls, velocity):
    """Flaw: an integer velocity stops with an error about its shape."""
    grid = Grid(2, 8)
    state = np.random.default_rng(0).normal(size=(1, 8, 8)).astype("float32")
    real = np.asarray(velocity, float)
    steps = [ETDRKStepper(cls(c), grid, 0.1)(state) for c in (velocity, real)]
    np.testing.assert_array_equal(*steps)


def test_wavenumbers_are_integers_in_double_precision():
    """Flaw: ``k / (N (1 / N))`` misses an integer for N = 49, 98, 103, … in double precision."""
    with jax.enable_x64(True):
        for num_points in range(2, 261):
            last = wavenumbers(Grid(1, num_points))[0]
            assert np.issubdtype(last.dtype, np.integer)
            assert last.tolist() == list(range(num_points // 2 + 1))
            slope = derivative_operator(Grid(1, num_points, 2 * np.pi))[0]
            assert np.array_equal(slope.imag, last), num_points
    for num_points in (49, 98, 103, 107):
        first = wavenumbers(Grid(2, num_points))[0, :, 0]
        half = (num_points + 1) // 2
        expected = [*range(half), *range(-(num_points // 2), 0)]
        assert first.tolist() == expected


@pytest.mark.parametrize("num_points", [49, 98, 103])
def test_one_wave_is_one_entry_of_a_spectrum(num_points):
    with jax.enable_x64(True):
        grid = Grid(1, num_points, 2 * np.pi)
        spectrum = np.where(wavenumbers(grid) == 4, num_points / 2, 0).astype(complex)
        wave = ifft(spectrum, grid)
        np.testing.assert_allclose(wave, np.cos(4 * grid.coordinates), atol=1e-13)
        np.testing.assert_allclose(fft(wave, 1), spectrum, atol=1e-12)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_a_rate_does_not_depend_on_the_dimension(dims):
    """Flaw: the Laplacian of order zero is ``D``, which multiplies drags and rates."""
    grid = Grid(dims, 4)
    growth = ETDRKStepper(FisherKPP(0.01, 0.5), grid, 0.1, order=0)
    np.testing.assert_allclose(growth(np.ones((1, *grid.shape))), np.exp(0.05), rtol=1e-6)
