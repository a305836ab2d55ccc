"""Forces inside the stages: orders of convergence against solutions that are known."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.errors import ShapeError
from apexr.spectral import Grid
from apexr.steppers import (
    Advection,
    Burgers,
    Composed,
    Dispersion,
    ETDRKStepper,
    ForcedStepper,
    Linear,
    RepeatedStepper,
    Stepper,
    Wave,
    rollout,
)

COUNTS = (20, 40)


@pytest.fixture(autouse=True)
def _double_precision():
    with jax.enable_x64(True):
        yield


class Drifting(Composed):
    """Burgers in a current, with dispersion: odd derivatives in the linear part."""

    parts = (Burgers(0.1, conservative=True), Advection(1.0), Dispersion(0.2))


def order_seen(make, force, start, exact, counts=COUNTS):
    """Return the order of the errors at time 1 of ``make(dt)`` under a force of time."""
    errors = []
    for count in counts:
        forced = ForcedStepper(make(1 / count))
        run = rollout(
            lambda u, time, forced=forced: forced(u, force, time),
            count,
            takes_aux=True,
            constant_aux=False,
        )
        last = run(start, np.arange(count) / count)[-1]
        errors.append(float(np.abs(last - exact).max()))
    return np.log2(errors[0] / errors[1]), errors[-1]


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_order_of_a_nonlinear_equation(order):
    """By construction ``u = sin(x - 2 t)`` solves ``uₜ = 0.1 uₓₓ - u uₓ - uₓ + 0.2 uₓₓₓ + f``."""
    grid = Grid(1, 32, 2 * np.pi)
    x = grid.coordinates

    def force(time):
        s, c = jnp.sin(x - 2 * time), jnp.cos(x - 2 * time)
        return -2 * c + 0.1 * s + s * c + c + 0.2 * c

    seen, _ = order_seen(
        lambda dt: ETDRKStepper(Drifting(), grid, dt, order), force, np.sin(x), np.sin(x - 2)
    )
    np.testing.assert_allclose(seen, order, atol=0.2)


@pytest.mark.parametrize(("order", "expected"), [(1, 1), (2, 2), (3, 4), (4, 4)])
def test_order_of_a_linear_equation(order, expected):
    """``u̇ = -u + cos t``: a quadrature, by three stages that of Simpson, which is of order 4."""
    exact = (np.cos(1) + np.sin(1) - np.exp(-1)) / 2
    seen, _ = order_seen(
        lambda dt: ETDRKStepper(Linear((-1.0,)), Grid(1, 4), dt, order),
        lambda time: jnp.full((1, 4), jnp.cos(time)),
        np.zeros((1, 4)),
        exact,
    )
    np.testing.assert_allclose(seen, expected, atol=0.15)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_a_held_force_on_a_linear_equation_is_exact(order):
    forced = ForcedStepper(
        ETDRKStepper(Linear((-1.5, 0.0, 0.3)), Grid(1, 8, 2 * np.pi), 2.0, order)
    )
    wave = np.cos(2 * forced.grid.coordinates)
    rate = -1.5 - 0.3 * 4
    expected = np.exp(2 * rate) * wave + (np.exp(2 * rate) - 1) / rate * 0.7 * wave
    np.testing.assert_allclose(forced(wave, 0.7 * wave), expected, atol=1e-13)


def test_forces_held_at_the_middle_of_steps_are_of_second_order():
    errors = []
    for count in COUNTS:
        forced = ForcedStepper(ETDRKStepper(Linear((-1.0,)), Grid(1, 4), 1 / count))
        times = (np.arange(count) + 0.5) / count
        forces = np.cos(times)[:, None, None] * np.ones((count, 1, 4))
        run = rollout(forced, count, takes_aux=True, constant_aux=False)
        exact = (np.cos(1) + np.sin(1) - np.exp(-1)) / 2
        errors.append(float(np.abs(run(np.zeros((1, 4)), forces)[-1] - exact).max()))
    np.testing.assert_allclose(np.log2(errors[0] / errors[1]), 2, atol=0.1)


def test_substeps_see_the_force_at_their_own_times():
    grid = Grid(1, 16, 2 * np.pi)

    def force(time):
        return jnp.sin(grid.coordinates + 3 * time)

    inner = ETDRKStepper(Burgers(0.1), grid, 0.05, 3)
    state = np.cos(grid.coordinates)
    once = ForcedStepper(RepeatedStepper(inner, 2))(state, force, 0.3)
    plain = ForcedStepper(inner)
    twice = plain(plain(state, force, 0.3), force, 0.35)
    np.testing.assert_allclose(once, twice, atol=1e-13)


def test_a_pushed_wave_is_of_fourth_order():
    """Wave 2 with speed 1.5 under ``v̇ = … + cos t cos 2x``: resonance-free, by hand."""
    grid = Grid(1, 8, 2 * np.pi)
    shape, omega = np.cos(2 * grid.coordinates), 3.0
    height = (np.cos(1.0) - np.cos(omega)) / (omega**2 - 1) * shape
    speed = (-np.sin(1.0) + omega * np.sin(omega)) / (omega**2 - 1) * shape

    def force(time):
        return jnp.concatenate([0 * shape, jnp.cos(time) * shape])

    seen, _ = order_seen(
        lambda dt: Wave(grid, dt, 1.5),
        force,
        np.zeros((2, 8)),
        np.concatenate([height, speed]),
    )
    np.testing.assert_allclose(seen, 4, atol=0.1)


class Decay(Stepper):
    """A stepper of one's own: ``u̇ = -u``, exactly."""

    grid: Grid = eqx.field(static=True)
    dt: float
    num_channels: int = eqx.field(static=True, default=1)

    @property
    def kernel(self):
        return lambda u_hat: jnp.exp(-self.dt) * u_hat


def test_other_steppers_are_of_second_order():
    exact = (np.cos(1) + np.sin(1) - np.exp(-1)) / 2
    seen, _ = order_seen(
        lambda dt: Decay(Grid(1, 4), dt),
        lambda time: jnp.full((1, 4), jnp.cos(time)),
        np.zeros((1, 4)),
        exact,
    )
    np.testing.assert_allclose(seen, 2, atol=0.1)


@pytest.mark.parametrize("equation", [Advection(0.7), Burgers(0.1)])
def test_no_force_changes_nothing(equation):
    grid = Grid(1, 8, 2 * np.pi)
    noise = np.random.default_rng(0).normal(size=(1, 8))
    stepper = ETDRKStepper(equation, grid, 0.3)
    forced = ForcedStepper(stepper)
    np.testing.assert_allclose(forced(noise, 0 * noise), stepper(noise), atol=1e-13)
    np.testing.assert_allclose(forced(noise, lambda t: 0 * noise), stepper(noise), atol=1e-13)


def test_functions_of_time_of_another_shape_are_refused():
    forced = ForcedStepper(ETDRKStepper(Burgers(0.1), Grid(1, 8), 0.1))
    with pytest.raises(ShapeError, match=r"\(1, 8\)"):
        forced(np.zeros((1, 8)), lambda t: np.zeros((2, 8)))


def test_a_force_under_traced_coefficients_and_steps():
    grid = Grid(1, 8, 2 * np.pi)
    wave = np.cos(grid.coordinates)

    @jax.jit
    def last(rate, dt):
        forced = ForcedStepper(ETDRKStepper(Linear((rate,)), grid, dt))
        return forced(wave, wave)

    expected = (np.exp(-0.6) + (1 - np.exp(-0.6)) / 2.0) * wave
    np.testing.assert_allclose(last(-2.0, 0.3), expected, atol=1e-12)
    outside = ForcedStepper(ETDRKStepper(Linear((-2.0,)), grid, jnp.asarray(0.3)))
    np.testing.assert_allclose(outside(wave, wave), expected, atol=1e-12)
