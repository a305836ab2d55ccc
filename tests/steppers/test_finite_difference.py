"""Implicit finite differences: against matrices written by hand, closed forms, the equation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.errors import SpecError
from apexr.spectral import Grid
from apexr.steppers import (
    SOLVERS,
    Advection,
    AllenCahn,
    Burgers,
    Convection,
    Diffusion,
    Dispersion,
    ETDRKStepper,
    FiniteDifferenceStepper,
    FisherKPP,
    HyperDiffusion,
    KortewegDeVries,
    KuramotoSivashinskyConservative,
    Linear,
    NavierStokesVorticity,
    Nonlinear,
    RepeatedStepper,
    simulate,
)


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def matrix(winds, coefficients, spacing):
    """Return ``L(·; U)`` on one axis, entry by entry, by the definitions."""
    points = len(winds)
    made = np.zeros((points, points))
    zero, first, second, third, fourth = coefficients
    for i in range(points):

        def add(offset, weight, i=i):
            made[i, (i + offset) % points] += weight

        add(0, zero)
        for wind_behind, wind_ahead in (
            (
                max((winds[i] + winds[i - 1]) / 2, 0),
                min((winds[i] + winds[(i + 1) % points]) / 2, 0),
            ),
            (max(-first, 0), min(-first, 0)),
        ):
            add(0, -wind_behind / spacing)
            add(-1, wind_behind / spacing)
            add(1, -wind_ahead / spacing)
            add(0, wind_ahead / spacing)
        for offset, weight in zip((-1, 0, 1), (1, -2, 1), strict=True):
            add(offset, second * weight / spacing**2)
            # the upwind difference of the second derivative, from where its waves come
            add(offset, abs(third) * weight / spacing**3)
            add(offset + (-1 if third > 0 else 1), -abs(third) * weight / spacing**3)
        for offset, weight in zip((-2, -1, 0, 1, 2), (1, -4, 6, -4, 1), strict=True):
            add(offset, fourth * weight / spacing**4)
    return made


COEFFICIENTS = {
    "tridiagonal": (0.0, 0.0, 4e-4, 0.0, 0.0),
    "advected": (-0.1, -0.02, 4e-4, 0.0, 0.0),
    "wide": (0.0, 0.02, 0.0, 2e-6, -1e-7),
    "wide to the left": (0.0, 0.0, 1e-4, -2e-6, -1e-7),
}


@pytest.mark.parametrize("theta", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("picard", [1, 3])
@pytest.mark.parametrize("coefficients", COEFFICIENTS.values(), ids=COEFFICIENTS)
@pytest.mark.parametrize("points", [6, 24])
def test_a_step_solves_the_systems_of_the_definition(theta, picard, coefficients, points):
    grid, scale, dt = Grid(1, points), -0.3, 0.5
    x = grid.coordinates[0]
    u = np.sin(2 * np.pi * x) + 0.3 * np.cos(4 * np.pi * x)

    def operator(state):
        return matrix(scale * state, coefficients, 1 / points)

    right = u + (1 - theta) * dt * operator(u) @ u
    expected = u
    for _ in range(picard):
        system = np.eye(points) - theta * dt * operator(expected)
        expected = np.linalg.solve(system, right)
    equation = Convection(coefficients, scale)
    made = FiniteDifferenceStepper(equation, grid, dt, theta, picard)(u[None])
    if theta == 0 or picard == 1:
        np.testing.assert_allclose(made[0], expected, atol=1e-12)
    else:  # iterations end early where the state changes by less than 1e-5
        np.testing.assert_allclose(made[0], expected, atol=1e-4 * np.abs(expected).max())
    both = FiniteDifferenceStepper(Nonlinear(coefficients, (0.0, -scale, 0.0)), grid, dt, theta, 1)
    one = FiniteDifferenceStepper(equation, grid, dt, theta, 1)
    np.testing.assert_allclose(both(u[None]), one(u[None]), atol=1e-14)


def test_iterations_end_at_the_tolerance_with_the_solution():
    grid = Grid(1, 60)
    equation = Convection.difficulty((0, 0, 0.2), 8.0, num_spatial_dims=1, num_points=60)
    u = np.sin(2 * np.pi * grid.coordinates) + 0.3
    made = np.asarray(FiniteDifferenceStepper(equation, grid, 1.0, 1.0, 100)(u))[0]
    linear = (0.0, 0.0, equation.linear_coefficients[2], 0.0, 0.0)
    system = matrix(equation.convection_scale * made, linear, 1 / 60)
    residual = made - u[0] - system @ made
    assert np.linalg.norm(residual) < 1e-4 * np.linalg.norm(made)
    few = np.asarray(FiniteDifferenceStepper(equation, grid, 1.0, 1.0, 2)(u))[0]
    assert np.abs(few - made).max() > 1e-3


def test_implicit_upwind_advection_has_its_closed_form():
    grid, gamma, mode = Grid(1, 100), -0.3, 5
    equation = Linear.difficulty((0, gamma), num_spatial_dims=1, num_points=100)
    wave = np.exp(2j * np.pi * mode * grid.coordinates)
    frames = simulate(FiniteDifferenceStepper(equation, grid, 1.0, 1.0, 1), wave.real[None], 50)
    factor = 1 / (1 - gamma * (1 - np.exp(-2j * np.pi * mode / 100)))
    expected = [(factor**step * wave).real for step in range(51)]
    np.testing.assert_allclose(frames[0], expected, atol=1e-13)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_linear_equations_are_solved_as_by_their_matrix(dims):
    """The factor of a plane wave, from the stencils' own symbols."""
    grid, dt, theta = Grid(dims, 8, 1.5), 0.1, 0.6
    waves = np.array([2, -1, 3])[:dims]
    h = 1.5 / 8
    angle = 2 * np.pi * waves / 8
    behind, second = (1 - np.exp(-1j * angle)) / h, (2 * np.cos(angle) - 2) / h**2
    rate = (-0.3 * behind + 0.02 * second + 1e-3 * behind * second - 1e-4 * second**2).sum()
    equation = Linear((0.0, -0.3, 0.02, 1e-3, -1e-4))
    u = np.exp(2j * np.pi * np.tensordot(waves, grid.coordinates, 1) / 1.5)
    factor = (1 + (1 - theta) * dt * rate) / (1 - theta * dt * rate)
    stepper = FiniteDifferenceStepper(equation, grid, dt, theta, 1)
    np.testing.assert_allclose(stepper(u.real[None])[0], (factor * u).real, atol=1e-12)


EQUATIONS = {
    "advection": Advection(0.3),
    "diffusion": Diffusion(0.01),
    "dispersion": Dispersion(1e-4),
    "dispersion to the left": Dispersion(-1e-4),
    "hyper-diffusion": HyperDiffusion(1e-5),
    "Burgers": Burgers(0.02, 0.3),
    "Korteweg-de Vries": KortewegDeVries(-0.3, 1e-3, 1e-4, 1e-6),
    "Kuramoto-Sivashinsky": KuramotoSivashinskyConservative(0.3, 1e-3, 1e-5),
}


@pytest.mark.parametrize("equation", EQUATIONS.values(), ids=EQUATIONS)
def test_what_is_solved_is_the_equation(equation):
    errors = []
    for points in (32, 64):
        grid = Grid(1, points)
        u = np.sin(2 * np.pi * grid.coordinates) + 0.3
        errors.append(difference(equation, grid, u))
    assert errors[1] < 0.62 * errors[0]


@pytest.mark.parametrize(
    ("dims", "conservative", "single"),
    [(2, True, False), (2, False, False), (2, True, True), (3, True, False)],
)
def test_convection_on_several_axes_is_that_of_the_equation(dims, conservative, single):
    errors = []
    for points in (8, 16) if dims == 3 else (16, 32):
        grid = Grid(dims, points)
        x = 2 * np.pi * grid.coordinates
        fields = [np.sin(x[0]) * np.cos(x[1]) + 0.2, 0.5 * np.cos(x[0] + x[1]), np.sin(x[-1])]
        u = np.stack(fields[:1] if single else fields[:dims])
        errors.append(difference(Convection((0, 0, 0.02), 0.3, single, conservative), grid, u))
    assert errors[1] < 0.62 * errors[0]


def difference(equation, grid, u):
    """Return how far finite differences are from a spectral solution at time 0.05."""
    points = grid.shape[0]
    exact = RepeatedStepper(ETDRKStepper(equation, grid, 0.005, 4), 10)(u)
    stepper = FiniteDifferenceStepper(equation, grid, 0.05 / points, 1.0, 20)
    return np.abs(np.asarray(RepeatedStepper(stepper, points)(u)) - exact).max()


def test_axes_of_different_spacing():
    grid = Grid(2, (16, 32), (1.0, 3.0))
    u = np.sin(2 * np.pi * grid.coordinates[1] / 3)[None]
    line = Grid(1, 32, 3.0)
    made = FiniteDifferenceStepper(Diffusion((0.5, 0.01)), grid, 0.3)(u)
    alone = FiniteDifferenceStepper(Diffusion(0.01), line, 0.3)(u[:, 0])
    np.testing.assert_allclose(made, np.broadcast_to(alone[:, None], made.shape), atol=1e-13)


def test_a_wide_system_of_many_points_is_solved_without_a_matrix(monkeypatch):
    grid = Grid(1, 40)
    equation = Convection((0, 0, 1e-4, 2e-6, -1e-7), 0.3)
    u = np.sin(2 * np.pi * grid.coordinates)
    dense = FiniteDifferenceStepper(equation, grid, 0.2, 1.0, 1)(u)
    monkeypatch.setattr("apexr.steppers._finite_difference.MOST_FOR_DENSE", 16)
    jax.clear_caches()
    free = FiniteDifferenceStepper(equation, grid, 0.2, 1.0, 1)(u)
    jax.clear_caches()
    np.testing.assert_allclose(free, dense, atol=1e-11)


@pytest.mark.parametrize(("dims", "picard"), [(1, 1), (1, 60), (2, 60)])
def test_steps_have_gradients(dims, picard):
    grid = Grid(dims, 8)
    equation = Convection((0, 0, 0.02), 0.3, single_channel=True)
    stepper = FiniteDifferenceStepper(equation, grid, 0.3, 1.0, picard)
    u = jnp.asarray(np.sin(2 * np.pi * grid.coordinates[:1]))
    direction = np.random.default_rng(0).normal(size=u.shape)

    def loss(state):
        return jnp.sum(stepper(state) ** 2)

    slope = jnp.vdot(jax.grad(loss)(u), direction)
    step = 1e-3
    expected = (loss(u + step * direction) - loss(u - step * direction)) / (2 * step)
    np.testing.assert_allclose(slope, expected, rtol=2e-3)


@pytest.mark.parametrize(
    ("equation", "lacking"),
    [
        (FisherKPP(), "quadratic|u\\^2"),
        (AllenCahn(), "u\\^3"),
        (Nonlinear((0.0,), (0.0, 0.0, 1.0)), "gradient norm"),
        (Linear((0.0,) * 5 + (1.0,)), "derivative of order 5"),
        (Dispersion(1.0, advect_on_diffusion=True), "mixed third"),
        (Diffusion(((1.0, 0.1), (0.1, 1.0))), "mixed second"),
        (NavierStokesVorticity(), "no terms for NavierStokesVorticity"),
    ],
)
def test_terms_that_are_lacking_are_named(equation, lacking):
    with pytest.raises(SpecError, match=lacking):
        SOLVERS.parse("fd;1;1").check(equation, Grid(2, 8))
    with pytest.raises(SpecError, match=lacking):
        FiniteDifferenceStepper(equation, Grid(2, 8), 0.1)


def test_strings_are_read_and_printed():
    assert str(SOLVERS.parse("fd;1;100")) == "fd;1.0;100"
    assert str(SOLVERS.parse("ETDRK;4")) == "etdrk;4"
    for wrong in ("fd", "fd;1", "fd;1.5;1", "fd;1;0", "etdrk;5", "spectral;2"):
        with pytest.raises(SpecError):
            SOLVERS.parse(wrong)
    built = SOLVERS.parse("fd;0.5;2").build(Diffusion(0.1), Grid(1, 8), 1.0, num_substeps=4)
    assert (built.num_substeps, built.dt, built.stepper.theta) == (4, 1.0, 0.5)


@pytest.mark.parametrize("given", [{"theta": 2}, {"theta": True + 1}, {"picard": 0}, {"dt": 0.0}])
def test_numbers_out_of_range_are_refused(given):
    with pytest.raises(SpecError):
        FiniteDifferenceStepper(**{"equation": Burgers(), "grid": Grid(1, 8), "dt": 0.1, **given})


def test_a_step_without_a_solution_is_refused():
    with pytest.raises(SpecError, match="no solution"):
        FiniteDifferenceStepper(Linear((1.0,)), Grid(1, 8), 1.0, 1.0, 1)
