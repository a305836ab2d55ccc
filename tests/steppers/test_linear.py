"""Linear equations against their exact solutions."""

import jax
import numpy as np
import pytest

from apexr.errors import SpecError
from apexr.spectral import Grid
from apexr.steppers import ETDRKStepper, Linear, RepeatedStepper, repeat, rollout

# coefficients a_j for waves on a domain of extent 2π
EQUATIONS = {
    "advection": (0.0, -0.3),
    "diffusion": (0.0, 0.0, 0.02),
    "dispersion": (0.0, 0.0, 0.0, 0.01),
    "hyper-diffusion": (0.0, 0.0, 0.0, 0.0, -0.001),
    "all": (-0.05, -0.3, 0.02, 0.01, -0.001),
}


def plane_wave(grid, coefficients, time, wave, phase=0.4):
    """Return ``cos(k · x)`` advanced in time by its own exponent."""
    exponent = sum(a * sum((1j * k) ** j for k in wave) for j, a in enumerate(coefficients))
    angle = np.einsum("d,d...->...", wave, grid.coordinates) + phase
    return np.real(np.exp(1j * angle + exponent * time))[None]


@pytest.mark.parametrize("coefficients", EQUATIONS.values(), ids=EQUATIONS)
@pytest.mark.parametrize("wave", [(3,), (1, -2), (-2, 1, 3)], ids=str)
def test_plane_waves_in_single_precision(coefficients, wave):
    grid = Grid(len(wave), 16, 2 * np.pi)
    stepper = ETDRKStepper(Linear(coefficients), grid, 0.1)
    start = plane_wave(grid, coefficients, 0.0, wave)
    frames = np.asarray(rollout(stepper, 5)(start))
    for step, frame in enumerate(frames, 1):
        exact = plane_wave(grid, coefficients, 0.1 * step, wave)
        np.testing.assert_allclose(frame, exact, atol=3e-6)


@pytest.mark.parametrize("coefficients", EQUATIONS.values(), ids=EQUATIONS)
def test_plane_waves_in_double_precision(coefficients):
    with jax.enable_x64(True):
        grid = Grid(2, 16, 2 * np.pi)
        stepper = ETDRKStepper(Linear(coefficients), grid, 0.1)
        start = plane_wave(grid, coefficients, 0.0, (1, -2))
        last = rollout(stepper, 100)(start)[-1]
        exact = plane_wave(grid, coefficients, 10.0, (1, -2))
        np.testing.assert_allclose(last, exact, atol=1e-12)


@pytest.mark.parametrize("num_steps", [1, 200, 1000, 4001])
def test_error_does_not_grow_with_the_number_of_steps(num_steps):
    grid = Grid(1, 160, 2 * np.pi)
    velocity = 2 * np.pi * 3.7 / 160  # cells a step
    stepper = ETDRKStepper(Linear((0.0, -velocity)), grid, 1.0)
    start = plane_wave(grid, (0.0,), 0.0, (35,)) + plane_wave(grid, (0.0,), 0.0, (5,))
    exact = sum(plane_wave(grid, (0.0, -velocity), num_steps, (k,)) for k in (35, 5))
    np.testing.assert_allclose(repeat(stepper, num_steps)(start), exact, atol=3e-6)


@pytest.mark.parametrize("grid", [Grid(1, 16), Grid(1, 15), Grid(2, 8), Grid(3, 4)], ids=str)
def test_closed_form_is_stepping_even_for_white_noise(grid):
    equation = Linear.difficulty(
        (0.01, -2.3, 0.4, 1.7), num_spatial_dims=grid.num_spatial_dims, num_points=grid.num_points
    )
    stepper = ETDRKStepper(equation, grid, 1.0)
    state = np.random.default_rng(0).normal(size=(1, *grid.shape)).astype("float32")
    stepped = state
    frames = rollout(stepper, 6)(state)
    for frame in frames:
        stepped = stepper(stepped)
        np.testing.assert_allclose(frame, stepped, atol=5e-6)
    np.testing.assert_allclose(repeat(stepper, 6)(state), stepped, atol=5e-6)
    np.testing.assert_allclose(RepeatedStepper(stepper, 6)(state), stepped, atol=5e-6)
    twice = repeat(RepeatedStepper(stepper, 3), 2)
    np.testing.assert_allclose(twice(state), stepped, atol=5e-6)


def test_zero_order_term_is_summed_over_the_dimensions():
    grid = Grid(3, 4)
    stepper = ETDRKStepper(Linear((-0.1,)), grid, 1.0)
    np.testing.assert_allclose(stepper(np.ones((1, 4, 4, 4))), np.exp(-0.3), rtol=1e-6)


@pytest.mark.parametrize("given", [(), "abc", 1.0, None, (1.0, "2")])
def test_refused_coefficients(given):
    with pytest.raises(SpecError, match="linear_coefficients"):
        Linear(given)
