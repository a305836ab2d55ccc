"""The schemes: coefficients, conserved quantities, refused settings."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.errors import SpecError
from apexr.spectral import Grid
from apexr.steppers import Convection, ETDRKStepper, GradientNorm, Nonlinear, repeat
from apexr.steppers._contour import Circle, contour_means
from apexr.steppers._etdrk import SCHEMES
from apexr.steppers._phi import phi_functions

RNG = np.random.default_rng(0)
CENTERS = np.concatenate(
    [
        [0, 1e-8, -1e-3, 1j, -1j, -1 + 1j, 2j, -20, -20 + 3j, 50j, -200],
        RNG.normal(size=500) * np.exp(2j * np.pi * RNG.uniform(size=500)),
        1j * RNG.normal(size=200),
    ]
)


def precise_phi(order, z):
    """Return ``φ_order(z)`` in extended precision: by its series, far from zero as stated."""
    z = z.astype(np.clongdouble)
    terms = [z ** (n - order) / np.longdouble(math.factorial(n)) for n in range(order, 90)]
    known = sum(z**n / np.longdouble(math.factorial(n)) for n in range(order))
    far = np.abs(z) > 5
    return np.where(far, (np.exp(z) - known) / np.where(far, z, 1) ** order, sum(terms))


def test_phi_functions():
    for order, values in enumerate(phi_functions(CENTERS, np), 1):
        np.testing.assert_allclose(values, precise_phi(order, CENTERS), rtol=3e-15)


def test_phi_functions_in_single_precision():
    traced = jax.jit(lambda z: phi_functions(z, jnp))(CENTERS.astype("complex64"))
    for one, other in zip(traced, phi_functions(CENTERS, np), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-6)


@pytest.mark.parametrize("order", SCHEMES)
def test_means_over_a_circle_are_the_values_at_its_center(order):
    weights = SCHEMES[order].weights
    means = contour_means(weights, CENTERS, Circle())
    traced = jax.jit(lambda z: contour_means(weights, z, Circle()))(CENTERS.astype("complex64"))
    for value, mean, other in zip(weights(CENTERS, np), means, traced, strict=True):
        np.testing.assert_allclose(mean, value, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(other, value, rtol=2e-5, atol=2e-6)


def test_weights_as_published():
    z = np.array([-3.0, -1.5 + 2j, 4j])
    e = np.exp(z)
    half, start, middle, end = SCHEMES[4].weights(z, np)
    np.testing.assert_allclose(half, (np.exp(z / 2) - 1) / z)
    np.testing.assert_allclose(start, (-4 - z + e * (4 - 3 * z + z**2)) / z**3)
    np.testing.assert_allclose(middle, 2 * (2 + z + e * (z - 2)) / z**3)
    np.testing.assert_allclose(end, (-4 - 3 * z - z**2 + e * (4 - z)) / z**3)
    third = SCHEMES[3].weights(z, np)
    np.testing.assert_allclose(third, [half, (e - 1) / z, start, 2 * middle, end])


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize(
    "equation",
    [
        Convection((0.0, -1.0, 0.1, 0.2), 1.0, conservative=True),
        Convection((0.0, -1.0, 0.1), 1.0, single_channel=True, conservative=True),
        GradientNorm((0.0, 0.0, -0.1, 0.0, -0.1), 0.5),
        Nonlinear((0.0, -1.0, 0.1, 0.2), (0.0, -1.0, 0.3)),
    ],
    ids=lambda equation: type(equation).__name__,
)
def test_mean_is_conserved(equation, order):
    grid = Grid(2, 16, 2 * np.pi)
    channels = equation.num_channels(grid)
    noise = np.random.default_rng(0).normal(size=(channels, *grid.shape)).astype("float32")
    state = 0.1 * noise + 0.7
    last = repeat(ETDRKStepper(equation, grid, 0.01, order), 20)(state)
    axes = (1, 2)
    np.testing.assert_allclose(np.mean(last, axes), np.mean(state, axes), atol=1e-6)


def test_order_zero_ignores_the_nonlinear_term():
    grid = Grid(1, 32, 2 * np.pi)
    linear = ETDRKStepper(Convection((0.0, 0.0, 0.1), 0.0), grid, 0.1)
    ignoring = ETDRKStepper(Convection((0.0, 0.0, 0.1), 1.0), grid, 0.1, order=0)
    state = np.sin(grid.coordinates)
    np.testing.assert_array_equal(linear(state), ignoring(state))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"order": 5}, "order must be one of 0, 1, 2, 3, 4, got 5"),
        ({"order": "2"}, "order"),
        ({"order": True}, "order"),
        ({"coefficients": "complex"}, "coefficients must be one of exact, real"),
        ({"dt": 0.0}, "dt"),
        ({"dt": float("inf")}, "dt"),
        ({"num_circle_points": 0}, "num_circle_points"),
        ({"circle_radius": 0.0}, "circle_radius"),
        ({"dealiasing_fraction": 0.0}, "dealiasing_fraction"),
    ],
)
def test_refused_settings(change, named):
    with pytest.raises(SpecError, match=named):
        ETDRKStepper(Convection(), Grid(1, 16), **{"dt": 0.1, **change})
