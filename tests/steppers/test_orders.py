"""Orders of convergence in double precision, for every nonlinear term, with odd derivatives."""

import dataclasses

import jax
import numpy as np
import pytest

from apexr.spectral import Grid, fft, ifft
from apexr.steppers import (
    CahnHilliard,
    Composed,
    Convection,
    Equation,
    ETDRKStepper,
    GradientNorm,
    Linear,
    Nonlinear,
    Polynomial,
)

EVEN, ODD = Linear((0.0, 0.0, 0.1)), Linear((0.0, -1.0, 0.1, 0.2))


@dataclasses.dataclass(frozen=True)
class Sum(Composed):
    """A nonlinear term with a linear part of its own."""

    linear: Equation
    nonlinear: Equation

    @property
    def parts(self):
        return self.linear, self.nonlinear


FREE = (0.0,)
TERMS = {
    "flux": Convection(FREE, conservative=True),
    "advective": Convection(FREE),
    "flux-one": Convection(FREE, single_channel=True, conservative=True),
    "advective-one": Convection(FREE, single_channel=True),
    "gradient-norm": GradientNorm(FREE, 0.5),
    "square": Polynomial(FREE, (0.0, 0.0, -1.0)),
    "cubic": Polynomial(FREE, (0.1, 0.0, 0.5, -1.0)),
    "general": Nonlinear(FREE, (-0.3, -1.0, 0.3)),
    "cahn-hilliard": CahnHilliard(0.1, 0.2),
    "two": Sum(Polynomial(FREE, (0.0, 0.0, -1.0)), Convection(FREE, single_channel=True)),
}
COUNTS = (20, 40, 80)


@jax.jit
def advance_many(kernel, u_hat, count):
    return jax.lax.fori_loop(0, count, lambda _, u: kernel(u), u_hat)


def states(grid, num_channels):
    angles = 2 * np.pi / grid.domain_extent * grid.coordinates
    shift = np.arange(num_channels).reshape(-1, *(1,) * grid.num_spatial_dims)
    waves = [np.cos(angle + shift) + 0.3 * np.sin(2 * angle + 1 - shift) for angle in angles]
    return sum(waves)


def last_order(equation, order, mode="exact", dims=1, time=0.5):
    """Return the order seen between the two finest time steps."""
    with jax.enable_x64(True):
        grid = Grid(dims, 32 if dims == 1 else 16, 2 * np.pi)
        start = fft(states(grid, equation.num_channels(grid)), dims)

        def solve(count, order, mode):
            choices = {"coefficients": mode, "mask_products": True}
            stepper = ETDRKStepper(equation, grid, time / count, order, **choices)
            return np.asarray(ifft(advance_many(stepper.kernel, start, count), grid))

        exact = solve(800, 4, "exact")
        errors = [np.abs(solve(count, order, mode) - exact).max() for count in COUNTS]
    return np.log2(errors[-2] / errors[-1])


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("term", TERMS.values(), ids=TERMS)
def test_order_with_odd_derivatives(term, order):
    np.testing.assert_allclose(last_order(Sum(ODD, term), order), order, atol=0.2)


@pytest.mark.parametrize("mode", ["exact", "real"])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_order_without_odd_derivatives(order, mode):
    seen = last_order(Sum(EVEN, TERMS["flux"]), order, mode)
    np.testing.assert_allclose(seen, order, atol=0.2)


@pytest.mark.parametrize("name", ["flux", "advective", "cahn-hilliard"])
def test_order_in_two_dimensions(name):
    np.testing.assert_allclose(last_order(Sum(ODD, TERMS[name]), 4, dims=2), 4, atol=0.25)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_real_coefficients_are_of_first_order_with_odd_derivatives(order):
    seen = last_order(Sum(ODD, TERMS["flux"]), order, "real")
    np.testing.assert_allclose(seen, 1, atol=0.15)
