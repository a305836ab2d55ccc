"""Nonlinear terms against the formulas evaluated on the grid, for waves that nothing aliases."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.errors import SpecError
from apexr.spectral import Grid, derivative_operator, fft, ifft
from apexr.steppers import (
    Convection,
    GradientNorm,
    Nonlinear,
    Polynomial,
    PseudoSpectral,
    ZeroTerm,
)

L = 3.0


def smooth(grid, num_channels):
    """Return channels with waves up to 2 in each direction, and a mean."""
    angles = 2 * np.pi / grid.domain_extent * grid.coordinates
    fields = []
    for channel in range(num_channels):
        u = 0.3 + channel
        for axis, angle in enumerate(angles):
            u = u + np.sin(angle + axis) + 0.5 * np.cos(2 * angle + channel)
        product = np.prod(np.cos(angles + channel), axis=0)
        fields.append(u + product)
    return jnp.asarray(np.stack(fields), float)


@jax.jit
def apply(term, u):
    grid = term.transform.grid
    return ifft(term(fft(u, grid.num_spatial_dims)), grid)


def evaluate(equation, grid):
    u = smooth(grid, equation.num_channels(grid))
    transform = PseudoSpectral(grid, equation.default_dealiasing_fraction)
    return np.asarray(u), np.asarray(apply(equation.nonlinear_term(transform), u))


def gradient(u):
    """Return ``(channel, dim, *space)``."""
    axes = tuple(range(1, u.ndim))
    operator = derivative_operator(Grid(u.ndim - 1, u.shape[-1], L))
    slopes_hat = operator * np.fft.rfftn(u, axes=axes)[:, None]
    return np.fft.irfftn(slopes_hat, s=u.shape[1:], axes=tuple(range(2, u.ndim + 1)))


GRIDS = [Grid(1, 24, L), Grid(3, 18, L)]


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_multi_channel_convection(grid):
    u, advective = evaluate(Convection(convection_scale=1.7), grid)
    slopes = gradient(u)
    expected = -1.7 * np.einsum("j...,ij...->i...", u, slopes)
    np.testing.assert_allclose(advective, expected, atol=1e-3)
    _, conservative = evaluate(Convection(convection_scale=1.7, conservative=True), grid)
    divergence = np.einsum("jj...->...", slopes)
    np.testing.assert_allclose(conservative, (expected - 1.7 * u * divergence) / 2, atol=1e-3)


@pytest.mark.parametrize("conservative", [True, False])
@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_single_channel_convection(grid, conservative):
    equation = Convection(convection_scale=-6.0, single_channel=True, conservative=conservative)
    u, term = evaluate(equation, grid)
    np.testing.assert_allclose(term, 6.0 * u * gradient(u).sum(axis=1), atol=3e-3)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_gradient_norm_without_its_mean(grid):
    u, term = evaluate(GradientNorm(gradient_norm_scale=0.7), grid)
    norm = np.sum(gradient(u) ** 2, axis=1)
    np.testing.assert_allclose(term, -0.35 * (norm - norm.mean()), atol=1e-3)
    _, whole = evaluate(GradientNorm(gradient_norm_scale=0.7, remove_mean=False), grid)
    np.testing.assert_allclose(whole, -0.35 * norm, atol=1e-3)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_polynomial(grid):
    u, term = evaluate(Polynomial(polynomial_coefficients=(0.3, -1.0, 0.5)), grid)
    np.testing.assert_allclose(term, 0.3 - u + 0.5 * u**2, atol=1e-4)


def test_cubic_polynomial_with_gaps():
    u, term = evaluate(Polynomial(polynomial_coefficients=(0.0, 0.0, 0.0, -2.0)), Grid(1, 32, L))
    np.testing.assert_allclose(term, -2 * u**3, atol=1e-3)


@pytest.mark.parametrize(
    "b", [(0.3, -1.1, 0.7), (0.3, 0, 0), (0, -1.1, 0), (0, 0, 0.7), (0.3, 0, 0.7), (0, -1.1, 0.7)]
)
def test_general_term(b):
    grid = Grid(2, 24, L)
    u, term = evaluate(Nonlinear(nonlinear_coefficients=b), grid)
    slopes = gradient(u)
    norm = np.sum(slopes**2, axis=1)
    expected = b[0] * u**2 + b[1] * u * slopes.sum(axis=1) + b[2] / 2 * (norm - norm.mean())
    np.testing.assert_allclose(term, expected, atol=2e-3)


@pytest.mark.parametrize(
    "equation",
    [
        Convection(convection_scale=0.0),
        GradientNorm(gradient_norm_scale=0),
        Polynomial(polynomial_coefficients=(0.0, 0.0)),
        Nonlinear(nonlinear_coefficients=(0.0, 0.0, 0.0)),
    ],
    ids=lambda equation: type(equation).__name__,
)
def test_zero_coefficients_leave_no_term(equation):
    assert isinstance(equation.nonlinear_term(PseudoSpectral(Grid(2, 8), 0.5)), ZeroTerm)


def test_unused_parts_are_not_built():
    transform = PseudoSpectral(Grid(1, 8), 2 / 3)
    term = Nonlinear(nonlinear_coefficients=(0.0, 1.0, 0.0)).nonlinear_term(transform)
    assert term.gradient is None
    assert term.derivative is None


def test_only_resolved_waves_enter_a_product():
    grid = Grid(1, 24)
    transform = PseudoSpectral(grid, 2 / 3)  # keeps |k| <= 7
    equation = Polynomial(polynomial_coefficients=(0.0, 0.0, 1.0))
    for wave, seen in ((7, True), (8, False)):
        u = jnp.asarray(np.cos(2 * np.pi * wave * grid.coordinates), float)
        spectrum = equation.nonlinear_term(transform)(fft(u, 1))
        assert bool(jnp.max(jnp.abs(spectrum)) > 1) is seen


def test_three_nonlinear_coefficients():
    with pytest.raises(SpecError, match=r"three .* got 2"):
        Nonlinear(nonlinear_coefficients=(0.0, 1.0))
