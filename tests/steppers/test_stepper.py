"""Steppers: shapes, settings, substeps, equations of one's own, gradients."""

import dataclasses
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.errors import ShapeError, SpecError
from apexr.spectral import Grid, fft, laplacian, summed_derivative
from apexr.steppers import (
    Convection,
    Equation,
    ETDRKStepper,
    Linear,
    Nonlinear,
    PointwiseTerm,
    QuadraticTerm,
    RepeatedStepper,
    repeat,
    simulate,
)


@pytest.fixture
def stepper():
    return ETDRKStepper(Convection(conservative=True), Grid(2, 8), 0.1)


def test_metadata(stepper):
    assert stepper.num_channels == 2
    assert stepper.dt == 0.1
    assert stepper.equation == Convection(conservative=True)
    assert RepeatedStepper(stepper, 4).dt == 0.4


@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 8), (2, 8, 9), (3, 2, 8, 8)])
def test_wrong_shapes_name_both(stepper, shape):
    with pytest.raises(ShapeError) as caught:
        stepper(np.zeros(shape))
    assert "(2, 8, 8)" in str(caught.value)
    assert str(shape) in str(caught.value)


def test_wrong_batches(stepper):
    with pytest.raises(ShapeError, match="any, 2, 8, 8"):
        simulate(stepper, np.zeros((2, 8, 8)), 3)


def test_step_in_fourier_space(stepper):
    state = jnp.asarray(np.random.default_rng(0).normal(size=(2, 8, 8)), float)
    stepped = stepper.step_fourier(fft(state, 2))
    np.testing.assert_allclose(stepped, fft(stepper(state), 2), atol=1e-4)


@pytest.mark.parametrize("coefficients", ["exact", "real"])
def test_substeps_are_single_steps(coefficients):
    grid = Grid(2, 16, 2 * np.pi)
    equation = Nonlinear((0.0, -0.3, 0.1, 0.1), (-0.1, -1.0, 0.2))
    inner = ETDRKStepper(equation, grid, 0.02, 3, coefficients=coefficients)
    state = np.sin(grid.coordinates[:1]) + 0.3 * np.random.default_rng(0).normal(size=(1, 16, 16))
    expected = state
    for _ in range(6):
        expected = inner(expected)
    outer = RepeatedStepper(inner, 3)
    np.testing.assert_allclose(outer(outer(state)), expected, atol=1e-5)
    np.testing.assert_allclose(repeat(outer, 2)(state), expected, atol=1e-5)


@pytest.mark.parametrize("count", [0, -1, 1.5, True])
def test_refused_substeps(stepper, count):
    with pytest.raises(SpecError, match="num_substeps"):
        RepeatedStepper(stepper, count)


@dataclasses.dataclass(frozen=True)
class Kawahara(Equation):
    a: float = 1.0
    b: float = 1.0

    def linear_symbol(self, grid):
        return -self.a * summed_derivative(grid, 3) + self.b * summed_derivative(grid, 5)

    def nonlinear_term(self, transform):
        return QuadraticTerm(transform, square=-0.5 * summed_derivative(transform.grid, 1))


def test_equation_of_ones_own_travels_as_its_solitary_wave():
    # u_t + u u_x + u_xxx - u_xxxxx = 0 has u = 105/169 sech^4((x - 36/169 t) / (2 sqrt(13)))
    def wave(x):
        return 105 / 169 / np.cosh((x - 40) / (2 * np.sqrt(13))) ** 4

    with jax.enable_x64(True):
        grid = Grid(1, 128, 100.0)
        stepper = ETDRKStepper(Kawahara(), grid, 0.1, 4)
        last = repeat(stepper, 200)(wave(grid.coordinates))
        np.testing.assert_allclose(last, wave(grid.coordinates - 36 / 169 * 20.0), atol=1e-7)


@dataclasses.dataclass(frozen=True)
class Predators(Equation):
    """Two species that eat, breed and spread."""

    spread: float = 0.1
    default_dealiasing_fraction = 1 / 2

    def num_channels(self, grid):
        return 2

    def linear_symbol(self, grid):
        return np.concatenate(
            [self.spread * laplacian(grid) + 1, self.spread * laplacian(grid) - 1]
        )

    def nonlinear_term(self, transform):
        return PointwiseTerm(transform, eat, 2.0)


def eat(u, rate):
    return rate * u[0] * u[1] * jnp.stack([-jnp.ones_like(u[0]), jnp.ones_like(u[0])])


def test_reaction_system_follows_the_ordinary_equation_where_it_is_uniform():
    grid = Grid(2, 8)
    state = np.ones((2, 8, 8)) * np.array([0.4, 0.3])[:, None, None]
    last = repeat(ETDRKStepper(Predators(), grid, 0.01, 4), 100)(state)
    u = np.array([0.4, 0.3])
    for _ in range(10_000):  # to first order
        u = u + 1e-4 * np.array([u[0] - 2 * u[0] * u[1], 2 * u[0] * u[1] - u[1]])
    np.testing.assert_allclose(np.asarray(last)[:, 3, 3], u, atol=1e-4)
    assert float(jnp.ptp(last[0])) < 1e-6


def test_symbol_of_a_wrong_shape():
    class Wrong(Linear):
        def linear_symbol(self, grid):
            return super().linear_symbol(grid)[0]

    with pytest.raises(ShapeError, match="linear symbol of Wrong"):
        ETDRKStepper(Wrong(), Grid(1, 8), 1.0)


def test_symbols_that_no_float_holds():
    with pytest.raises(SpecError, match="not finite"):
        ETDRKStepper(Linear((0.0, float("nan"))), Grid(1, 8), 1.0)
    with pytest.raises(SpecError, match="grows by exp"):
        ETDRKStepper(Linear((0.0, 0.0, -1.0)), Grid(1, 64), 1.0)


@pytest.mark.parametrize(("order", "coefficients"), [(1, "exact"), (4, "exact"), (2, "real")])
def test_gradients_by_finite_differences(order, coefficients):
    with jax.enable_x64(True):
        grid = Grid(1, 16, 2 * np.pi)
        state = np.sin(grid.coordinates) + 0.2 * np.cos(3 * grid.coordinates)

        def loss(viscosity, scale, dt, state):
            equation = Convection((0.0, -0.3, viscosity, 0.1), scale, conservative=True)
            stepper = ETDRKStepper(equation, grid, dt, order, coefficients=coefficients)
            return jnp.sum(simulate(stepper, state[None], 5)[0, -1] ** 3)

        point = (0.1, 1.0, 0.05)
        slopes = jax.grad(loss, (0, 1, 2))(*point, jnp.asarray(state))
        for index, slope in enumerate(slopes):
            ends = [list(point), list(point)]
            ends[0][index] -= 1e-5
            ends[1][index] += 1e-5
            low, high = (loss(*end, jnp.asarray(state)) for end in ends)
            np.testing.assert_allclose(slope, (high - low) / 2e-5, rtol=1e-6)


def test_gradient_of_a_linear_equation():
    with jax.enable_x64(True):
        grid = Grid(2, 8, 2 * np.pi)
        state = np.sin(grid.coordinates[:1]) + np.random.default_rng(0).normal(size=(1, 8, 8))

        def loss(velocity):
            stepper = ETDRKStepper(Linear((0.0, velocity, 0.01)), grid, 0.1)
            return jnp.sum(repeat(stepper, 20)(state) ** 3)

        slope = (loss(0.3 + 1e-5) - loss(0.3 - 1e-5)) / 2e-5
        np.testing.assert_allclose(jax.grad(loss)(0.3), slope, rtol=1e-6)


def test_building_compiles_nothing():
    code = (
        "import jax\n"
        "from apexr.spectral import Grid\n"
        "from apexr.steppers import Convection, ETDRKStepper\n"
        "count = []\n"
        "listen = jax.monitoring.register_event_duration_secs_listener\n"
        "listen(lambda event, *_, **__: count.append(event) if 'compile' in event else None)\n"
        "ETDRKStepper(Convection(conservative=True), Grid(2, 8), 0.1, 4)\n"
        "assert not count, count\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_equal_shapes_share_executables():
    grid = Grid(1, 12)
    states = np.zeros((2, 1, 12))
    steppers = [ETDRKStepper(Convection((0.0, 0.0, nu)), grid, nu) for nu in (0.1, 0.2)]
    assert jax.tree.structure(steppers[0].kernel) == jax.tree.structure(steppers[1].kernel)
    simulate(steppers[0], states, 3)
    count = []

    def listen(event, *_, **__):
        if "backend_compile" in event:
            count.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    simulate(steppers[1], states, 3)
    jax.monitoring.unregister_event_duration_listener(listen)
    assert not count
