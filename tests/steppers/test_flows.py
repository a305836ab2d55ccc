"""Incompressible flow: exact solutions, invariants, forcing, cost."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from _programs import advance_many, count_transforms

from apexr.errors import SpecError
from apexr.spectral import Grid, dealiasing_mask, derivative_operator, fft, ifft, laplacian
from apexr.steppers import (
    Convection,
    ETDRKStepper,
    KolmogorovFlowVelocity,
    KolmogorovFlowVorticity,
    NavierStokesVelocity,
    NavierStokesVorticity,
    PseudoSpectral,
    VorticityConvection,
    ZeroTerm,
    repeat,
)

FORMS = ["flux", "advective"]
FLAT, DEEP = Grid(2, 24, 2 * np.pi), Grid(3, 16, 2 * np.pi)
VORTICITY = [VorticityConvection, NavierStokesVorticity, KolmogorovFlowVorticity]
VELOCITY = [NavierStokesVelocity, KolmogorovFlowVelocity]


@pytest.fixture(autouse=True)
def _double_precision():
    with jax.enable_x64(True):
        yield


apply = jax.jit(lambda term, u_hat: term(u_hat))


def term_of(equation, grid):
    return partial(apply, equation.nonlinear_term(PseudoSpectral(grid, 2 / 3)))


def resolved(grid, channels=1):
    """Return the spectrum of noise that dealiasing leaves as it is."""
    noise = np.random.default_rng(0).normal(size=(channels, *grid.shape))
    return np.where(dealiasing_mask(grid, 2 / 3), fft(noise, grid.num_spatial_dims), 0)


def solenoidal(grid):
    """Return a resolved spectrum without divergence."""
    return np.cross(derivative_operator(grid), resolved(grid, 3), axis=0)


def mean_product(one, other, grid):
    return float(jnp.mean(ifft(one, grid) * ifft(other, grid)))


def divergence(u_hat, grid):
    return np.abs(ifft(np.sum(derivative_operator(grid) * u_hat, axis=0), grid)).max()


# --- two dimensions ----------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("num_points", [16, 17])
def test_taylor_green_vortices_decay(num_points, form):
    grid = Grid(2, num_points, 2 * np.pi)
    x, y = grid.coordinates
    start = 2 * (np.cos(x) * np.cos(y))[None]
    equation = NavierStokesVorticity(diffusivity=0.05, drag=-0.1, form=form)
    last = repeat(ETDRKStepper(equation, grid, 0.1), 30)(start)
    np.testing.assert_allclose(last, start * np.exp(-(2 * 0.05 + 0.1) * 3.0), atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("num_points", [24, 25])
def test_convection_keeps_energy_and_enstrophy(num_points, form):
    grid = Grid(2, num_points, 2 * np.pi)
    vorticity = resolved(grid)
    change = term_of(VorticityConvection((0.0,), form=form), grid)(vorticity)
    delta = laplacian(grid)
    stream = np.divide(vorticity, delta, out=np.zeros_like(vorticity), where=delta != 0)
    size = np.abs(ifft(change, grid)).max() * np.abs(ifft(vorticity, grid)).max()
    assert abs(mean_product(vorticity, change, grid)) < 1e-14 * size
    assert abs(mean_product(stream, change, grid)) < 1e-14 * size
    assert size > 1


def test_convection_as_written():
    grid = FLAT
    vorticity = resolved(grid)
    delta, (along_0, along_1) = laplacian(grid), derivative_operator(grid)[:, None]
    stream = np.divide(vorticity, delta, out=np.zeros_like(vorticity), where=delta != 0)
    u, v = ifft(along_1 * stream, grid), ifft(-along_0 * stream, grid)
    expected = -1.7 * (u * ifft(along_0 * vorticity, grid) + v * ifft(along_1 * vorticity, grid))
    term = term_of(NavierStokesVorticity(0.0, 1.7, form="advective"), grid)
    np.testing.assert_allclose(ifft(term(vorticity), grid), expected, atol=1e-12)


def test_both_forms_agree_on_resolved_waves():
    vorticity, mask = resolved(FLAT), dealiasing_mask(FLAT, 2 / 3)
    one, other = (term_of(VorticityConvection(form=form), FLAT)(vorticity) for form in FORMS)
    size = np.abs(one).max()
    np.testing.assert_allclose(np.where(mask, one - other, 0), 0, atol=1e-14 * size)
    assert np.abs(one - other).max() > 1e-3 * size  # of waves that no product is formed from


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("num_points", [96, 98])
def test_the_flow_is_forced_at_any_number_of_points(num_points, form):
    grid = Grid(2, num_points, 3.0)
    equation = KolmogorovFlowVorticity(injection_mode=4, injection_scale=0.5, form=form)
    still = np.zeros((1, *grid.spectral_shape), complex)
    force = ifft(term_of(equation, grid)(still), grid)
    wave = np.cos(2 * np.pi * 4 * grid.coordinates[1] / 3.0)
    np.testing.assert_allclose(force[0], -4 * 0.5 * wave, atol=1e-12)


def test_drag_acts_once_in_named_equations_and_twice_in_the_general_one():
    for equation, rate in (
        (NavierStokesVorticity(drag=-0.3), -0.3),
        (KolmogorovFlowVorticity(drag=-0.3), -0.3),
        (VorticityConvection((-0.3,)), -0.6),
    ):
        assert equation.linear_symbol(FLAT)[0, 0, 0] == pytest.approx(rate)


# --- three dimensions --------------------------------------------------------------------------


@pytest.mark.parametrize("num_points", [12, 15])
def test_velocity_stays_without_divergence_and_keeps_energy(num_points):
    grid = Grid(3, num_points, 2.0)
    velocity = solenoidal(grid)
    change = term_of(NavierStokesVelocity(), grid)(velocity)
    size = np.abs(ifft(change, grid)).max()
    assert divergence(change, grid) < 1e-11 * size
    scale = size * np.abs(ifft(velocity, grid)).max()
    assert abs(mean_product(velocity, change, grid)) < 1e-14 * scale
    stepper = ETDRKStepper(KolmogorovFlowVelocity(injection_mode=2), grid, 1e-6, 4)
    last = repeat(stepper, 5)(ifft(velocity, grid))
    assert divergence(fft(last, 3), grid) < 1e-12 * np.abs(velocity).max()


def test_convection_of_velocity_but_for_the_pressure():
    velocity = solenoidal(DEEP)
    nabla = derivative_operator(DEEP)
    u = ifft(velocity, DEEP)
    advection = [sum(u[j] * ifft(nabla[j] * w, DEEP) for j in range(3)) for w in velocity]
    advection = np.where(dealiasing_mask(DEEP, 2 / 3), fft(jnp.stack(advection), 3), 0)
    change = term_of(NavierStokesVelocity(), DEEP)(velocity)
    curl = np.cross(nabla, advection + change, axis=0)
    np.testing.assert_allclose(curl, 0, atol=1e-11 * np.abs(advection).max())


def test_beltrami_flow_decays():
    x, y, z = DEEP.coordinates
    a, b, c = 1.0, 0.7, 0.4
    start = np.stack(
        [
            a * np.sin(z) + c * np.cos(y),
            b * np.sin(x) + a * np.cos(z),
            c * np.sin(y) + b * np.cos(x),
        ]
    )
    stepper = ETDRKStepper(NavierStokesVelocity(diffusivity=0.1, drag=-0.05), DEEP, 0.1)
    last = repeat(stepper, 20)(start)
    np.testing.assert_allclose(last, start * np.exp(-0.15 * 2), atol=1e-12)


@pytest.mark.parametrize("num_points", [15, 16])
def test_the_force_varies_along_the_second_axis(num_points):
    grid = Grid(3, num_points, 3.0)
    equation = KolmogorovFlowVelocity(injection_mode=2, injection_scale=0.5)
    still = np.zeros((3, *grid.spectral_shape), complex)
    force = ifft(term_of(equation, grid)(still), grid)
    wave = 0.5 * np.cos(2 * np.pi * 2 * grid.coordinates[1] / 3.0)
    np.testing.assert_allclose(force, [wave, 0 * wave, 0 * wave], atol=1e-12)


# --- both --------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "equation",
    [
        VorticityConvection((0.0, -0.5, 0.05, 0.1), 1.0, 2, 0.5),
        KolmogorovFlowVorticity(0.05, injection_mode=2, form="advective"),
        KolmogorovFlowVelocity(0.05, injection_mode=2),
    ],
    ids=lambda equation: type(equation).__name__,
)
def test_order_of_convergence_of_flows(equation, order):
    grid = Grid(3, 10, 2 * np.pi) if "Velocity" in type(equation).__name__ else Grid(2, 15, 6.0)
    start = 0.02 * (solenoidal(grid) if grid.num_spatial_dims == 3 else resolved(grid))
    start = np.where(dealiasing_mask(grid, 0.5), start, 0) / np.sqrt(np.prod(grid.shape)) * 20

    def solve(count, order):
        stepper = ETDRKStepper(equation, grid, 0.4 / count, order)
        return advance_many(stepper.kernel, start, count)

    exact = solve(400, 4)
    coarse, fine = (np.abs(solve(count, order) - exact).max() for count in (20, 40))
    np.testing.assert_allclose(np.log2(coarse / fine), order, atol=0.2)


@pytest.mark.parametrize(
    ("equation", "grid", "expected"),
    [
        (NavierStokesVorticity(), FLAT, 4),
        (KolmogorovFlowVorticity(), FLAT, 4),
        (NavierStokesVorticity(form="advective"), FLAT, 5),
        (NavierStokesVelocity(), DEEP, 9),
    ],
)
def test_number_of_transforms(equation, grid, expected, monkeypatch):
    monkeypatch.setattr("apexr.steppers._terms.ifft_of_real", lambda u, grid, low: ifft(u, grid))
    term = equation.nonlinear_term(PseudoSpectral(grid, 2 / 3))
    state = np.zeros((equation.num_channels(grid), *grid.spectral_shape), complex)
    assert count_transforms(term, state) == expected


def test_gradients_with_respect_to_coefficients():
    grid = Grid(2, 12, 2 * np.pi)
    start = resolved(grid) / 50

    def energy(parameters):
        viscosity, scale, drag, force = parameters
        equation = KolmogorovFlowVorticity(viscosity, scale, drag, 2, force)
        return jnp.mean(ifft(ETDRKStepper(equation, grid, 0.01).step_fourier(start), grid) ** 2)

    at, shift = np.array([0.02, 1.0, -0.1, 0.7]), 1e-5
    slopes = jax.grad(energy)(jnp.asarray(at))
    for place, unit in enumerate(np.eye(4) * shift):
        expected = (energy(at + unit) - energy(at - unit)) / (2 * shift)
        np.testing.assert_allclose(slopes[place], expected, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("equation", [*VORTICITY, *VELOCITY])
def test_other_dimensions_are_refused(equation):
    dims = 2 if equation in VORTICITY else 3
    for other in {1, 2, 3} - {dims}:
        match = f"{equation.__name__} is stated in {dims} dimensions, got a grid of {other}"
        with pytest.raises(SpecError, match=match):
            ETDRKStepper(equation(), Grid(other, 16), 0.1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: VorticityConvection(form="fluxes"), "form must be one of flux, advective"),
        (lambda: NavierStokesVorticity(form=2), "form must be one of flux, advective, got 2"),
        (lambda: KolmogorovFlowVorticity(injection_mode=0), "injection_mode must be an integer"),
        (lambda: KolmogorovFlowVelocity(injection_mode=1.5), "injection_mode must be an integer"),
        (lambda: VorticityConvection(linear_coefficients=()), "linear_coefficients must be"),
        (
            lambda: ETDRKStepper(KolmogorovFlowVorticity(injection_mode=9), Grid(2, 16), 0.1),
            "injection_mode must be at most 8 on 16 points along the second axis, got 9",
        ),
        (
            lambda: ETDRKStepper(KolmogorovFlowVelocity(injection_mode=8), Grid(3, 16), 0.1),
            "injection_mode must be at most 7 on 16 points along the second axis, got 8",
        ),
    ],
)
def test_wrong_flows_are_refused(wrong, message):
    with pytest.raises(SpecError, match=message):
        wrong()


def test_flows_without_convection_are_linear():
    for equation, grid in (
        (NavierStokesVorticity(vorticity_convection_scale=0.0), FLAT),
        (NavierStokesVelocity(convection_scale=0.0), DEEP),
    ):
        assert isinstance(equation.nonlinear_term(PseudoSpectral(grid, 2 / 3)), ZeroTerm)
    assert Convection().num_channels(FLAT) == 2
