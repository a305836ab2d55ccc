"""Rollouts, repeated steps, simulations of batches."""

import jax
import numpy as np
import pytest

from apexr.errors import SpecError
from apexr.spectral import Grid
from apexr.steppers import (
    Convection,
    ETDRKStepper,
    GradientNorm,
    Linear,
    RepeatedStepper,
    repeat,
    rollout,
    simulate,
)


def cases():
    for grid in (Grid(1, 15), Grid(2, 8), Grid(3, 6)):
        yield ETDRKStepper(Convection((0.0, -0.03, 1e-3), 0.01), grid, 1.0)
    yield ETDRKStepper(Linear((0.0, -0.03, 1e-3)), Grid(1, 15), 1.0)
    yield ETDRKStepper(Linear((0.0, -0.03, 1e-3)), Grid(2, 8), 1.0)
    yield RepeatedStepper(ETDRKStepper(Convection((0.0, 0.0, 1e-3), 0.01), Grid(2, 8), 0.5), 2)


def states(stepper, count):
    shape = (count, stepper.num_channels, *stepper.grid.shape)
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize(
    "stepper", [*cases()], ids=lambda s: f"{type(getattr(s, 'equation', s)).__name__}-{s.grid}"
)
def test_trajectories_are_repeated_steps(stepper):
    batch = states(stepper, 3)
    trajectories = simulate(stepper, batch, 4, num_warmup_steps=2)
    assert trajectories.shape == (3, 5, *batch.shape[1:])
    without = simulate(stepper, batch, 6, include_init=False)
    np.testing.assert_allclose(without[:, 1:], trajectories, atol=1e-5)
    state = batch[1]
    frames = rollout(stepper, 6)(state)
    for step in range(6):
        state = stepper(state)
        np.testing.assert_allclose(without[1, step], state, atol=1e-5)
        np.testing.assert_allclose(frames[step], state, atol=1e-5)
    np.testing.assert_allclose(repeat(stepper, 6)(batch[1]), state, atol=1e-5)


@pytest.mark.parametrize("equation", [Linear(), Convection()], ids=["linear", "nonlinear"])
def test_first_frame_is_the_state_itself(equation):
    stepper = ETDRKStepper(equation, Grid(1, 16), 0.01)
    batch = states(stepper, 2)
    np.testing.assert_array_equal(simulate(stepper, batch, 2)[:, 0], batch)
    np.testing.assert_array_equal(rollout(stepper, 2, include_init=True)(batch[0])[0], batch[0])
    np.testing.assert_array_equal(repeat(stepper, 0)(batch[0]), batch[0])


@pytest.mark.parametrize("equation", [Linear(), Convection()], ids=["linear", "nonlinear"])
def test_no_steps(equation):
    stepper = ETDRKStepper(equation, Grid(1, 16), 0.01)
    batch = states(stepper, 2)
    np.testing.assert_array_equal(simulate(stepper, batch, 0), batch[:, None])
    assert simulate(stepper, batch, 0, include_init=False).shape == (2, 0, 1, 16)
    assert rollout(stepper, 0)(batch[0]).shape == (0, 1, 16)


def test_growing_waves_stay_real_in_fourier_space():
    # waves of this equation grow by exp(30) in 600 steps; unseen parts of rounding must not
    size = {"num_spatial_dims": 2, "num_points": 32}
    equation = GradientNorm.difficulty((0.0, 0.0, -1.2, 0.0, -15.0), 6.0, **size)
    stepper = ETDRKStepper(equation, Grid(2, 32), 1.0)
    warm = repeat(stepper, 600)(0.1 * states(stepper, 1)[0])
    assert np.isfinite(warm).all()
    frames = rollout(stepper, 5)(warm)
    for frame in frames:
        warm = stepper(warm)
        np.testing.assert_allclose(frame, warm, atol=1e-4 * float(np.abs(warm).max()))


@pytest.mark.parametrize("num_spatial_dims", [1, 2])
def test_any_number_of_devices_gives_the_same(num_spatial_dims):
    grid = Grid(num_spatial_dims, 12)
    for equation in (Linear((0.0, -0.03)), Convection((0.0, -0.03, 1e-3), 0.01)):
        stepper = ETDRKStepper(equation, grid, 1.0)
        batch = states(stepper, 5)
        spread = simulate(stepper, batch, 3, devices=jax.local_devices())
        np.testing.assert_allclose(spread, simulate(stepper, batch, 3), atol=1e-6)


@pytest.mark.parametrize("count", [-1, 1.0, True, "3", None])
def test_refused_numbers_of_steps(count):
    stepper = ETDRKStepper(Linear(), Grid(1, 16), 0.01)
    for refuse in (lambda: rollout(stepper, count), lambda: repeat(stepper, count)):
        with pytest.raises(SpecError, match="num_steps"):
            refuse()
    with pytest.raises(SpecError, match="num_warmup_steps"):
        simulate(stepper, states(stepper, 1), 1, num_warmup_steps=count)
