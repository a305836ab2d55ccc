"""Named nonlinear equations against exact solutions, invariants and the generic equations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.errors import ApexrWarning, SpecError
from apexr.spectral import Grid
from apexr.steppers import (
    AllenCahn,
    Burgers,
    CahnHilliard,
    Composed,
    Convection,
    Diffusion,
    ETDRKStepper,
    FisherKPP,
    GradientNorm,
    KortewegDeVries,
    KuramotoSivashinsky,
    KuramotoSivashinskyConservative,
    Polynomial,
    repeat,
    rollout,
)


@pytest.mark.parametrize(("dims", "conservative"), [(1, True), (1, False), (2, False), (3, False)])
def test_burgers_by_cole_hopf(dims, conservative):
    """The gradient of a logarithm of a diffusing potential: ``u = -2ν ∇φ / φ``."""
    viscosity, time = 0.1, 1.0

    def exact(x, t):
        decay = np.exp(-dims * viscosity * t)
        cosines, sines = np.cos(x), np.sin(x)
        product = np.prod(cosines, axis=0)
        others = [np.prod(np.delete(cosines, d, axis=0), axis=0) for d in range(dims)]
        return 2 * viscosity * decay * np.stack(others) * sines / (2.5 + decay * product)

    with jax.enable_x64(True):
        grid = Grid(dims, {1: 64, 2: 48, 3: 24}[dims], 2 * np.pi)
        equation = Burgers(viscosity, conservative=conservative)
        stepper = ETDRKStepper(equation, grid, time / 20, 4)
        last = repeat(stepper, 20)(exact(grid.coordinates, 0.0))
        tolerance = {1: 1e-10, 2: 1e-9, 3: 1e-6}[dims]
        np.testing.assert_allclose(last, exact(grid.coordinates, time), atol=tolerance)


def soliton(x, speed=2.0):
    """Return the wave of ``uₜ - 6 u uₓ + uₓₓₓ = 0`` that travels at ``speed``."""
    return -speed / 2 / np.cosh(np.sqrt(speed) / 2 * x) ** 2


@pytest.mark.parametrize("conservative", [True, False])
def test_soliton_keeps_shape_and_speed(conservative):
    speed, time = 2.0, 5.0
    with jax.enable_x64(True):
        grid = Grid(1, 256, 40.0)
        kdv = KortewegDeVries(hyper_diffusivity=0.0, conservative=conservative)
        frames = rollout(ETDRKStepper(kdv, grid, time / 1600, 4), 1600)(
            soliton(grid.coordinates - 15)
        )
        last = np.asarray(frames[-1])
        np.testing.assert_allclose(last, soliton(grid.coordinates - 15 - speed * time), atol=1e-7)
        assert abs(last.min() + speed / 2) < 1e-2  # the trough between grid points
        places = np.unwrap(np.angle(np.fft.rfft(frames[:, 0], axis=-1)[:, 1]))
        traveled = (places[0] - places) * grid.domain_extent / (2 * np.pi)
        steady = speed * time / 1600 * np.arange(1600)
        np.testing.assert_allclose(traveled, steady, atol=1e-6)


@pytest.mark.parametrize(("mixed", "height", "rate"), [(False, 1, 2), (True, 2, 4)])
def test_soliton_along_a_diagonal(mixed, height, rate):
    """Where ``u`` depends on ``x + y`` alone, both forms are the equation of one dimension."""
    time = 0.4
    with jax.enable_x64(True):
        grid = Grid(2, 80, 25.0)
        kdv = KortewegDeVries(
            hyper_diffusivity=0.0,
            advect_over_diffuse=mixed,
            single_channel=True,
            conservative=True,
        )
        stepper = ETDRKStepper(kdv, grid, time / 100, 4)

        def wave(t):
            place = np.sum(grid.coordinates, axis=0, keepdims=True) - 5 - 2 * rate * t
            place = (place + 12.5) % 25 - 12.5
            return height * soliton(place)

        np.testing.assert_allclose(repeat(stepper, 100)(wave(0.0)), wave(time), atol=5e-5)


def uniform(value, dims=2):
    return np.full((1, *(8,) * dims), value)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_a_uniform_population_grows_logistically(dims):
    """In any number of dimensions: a rate is not multiplied by it."""
    with jax.enable_x64(True):
        stepper = ETDRKStepper(FisherKPP(0.01, reactivity=2.0), Grid(dims, 8), 0.02, 4)
        last = repeat(stepper, 100)(uniform(0.1, dims))
        np.testing.assert_allclose(last, 1 / (1 + 9 * np.exp(-4.0)), rtol=1e-6)


def test_uniform_phases_separate():
    """``u̇ = a u - b u³`` has ``u² = a / (b + (a / u₀² - b) exp(-2 a t))``."""
    a, b = 1.5, 0.7
    with jax.enable_x64(True):
        stepper = ETDRKStepper(AllenCahn(0.005, a, -b), Grid(2, 8), 0.02, 4)
        last = repeat(stepper, 50)(uniform(-0.2))
        exact = -np.sqrt(a / (b + (a / 0.04 - b) * np.exp(-2 * a)))
        np.testing.assert_allclose(last, exact, rtol=1e-7)


def test_the_wall_between_two_phases_stands_still():
    """``tanh(x / √(2ν))`` is a steady solution of ``uₜ = ν uₓₓ + u - u³``."""
    with jax.enable_x64(True):
        grid = Grid(1, 512, 40.0)
        x, width = grid.coordinates, np.sqrt(2 * 0.25)
        wall = np.tanh((x - 10) / width) - np.tanh((x - 30) / width) - 1
        last = repeat(ETDRKStepper(AllenCahn(0.25), grid, 0.01, 4), 200)(wall)
        np.testing.assert_allclose(last, wall, atol=1e-7)


@pytest.mark.parametrize("order", [1, 4])
def test_cahn_hilliard_keeps_mass_and_spends_energy(order):
    with jax.enable_x64(True):
        grid = Grid(2, 24, 1.0)
        state = 0.1 + 0.3 * np.random.default_rng(0).normal(size=(1, 24, 24))
        stepper = ETDRKStepper(CahnHilliard(), grid, 1e-3, order)
        frames = np.asarray(rollout(stepper, 60, include_init=True)(state))
        np.testing.assert_allclose(frames.mean((1, 2, 3)), state.mean(), atol=1e-14)
        slopes = np.fft.fftn(frames, axes=(2, 3)) * (2j * np.pi * np.fft.fftfreq(24, 1 / 24))
        bent = np.mean(np.abs(slopes) ** 2, (1, 2, 3)) / 24**2  # of one of two axes
        energy = np.mean((frames**2 - 1) ** 2, (1, 2, 3)) / 4 + 0.001 * bent
        assert energy[-1] < energy[0]


def test_cahn_hilliard_grows_as_its_linear_part_says():
    """``s = ν k² (-c₁ - 3 c₃ ū² - γ k²)`` for a small wave on a uniform mixture ``ū``."""
    with jax.enable_x64(True):
        grid, mean = Grid(1, 32, 2 * np.pi), 0.2
        small = mean + 1e-7 * np.cos(2 * grid.coordinates)
        last = repeat(ETDRKStepper(CahnHilliard(0.3, 0.05), grid, 0.005, 4), 100)(small)
        rate = 0.3 * 4 * (1 - 3 * mean**2 - 0.05 * 4)
        expected = mean + 1e-7 * np.exp(0.5 * rate) * np.cos(2 * grid.coordinates)
        np.testing.assert_allclose(last, expected, atol=1e-13)


PAIRS = [
    (Burgers(0.03, 0.7), Convection((0, 0, 0.03), 0.7)),
    (Burgers(single_channel=True), Convection((0, 0, 0.1), single_channel=True)),
    (Burgers(conservative=True), Convection((0, 0, 0.1), conservative=True)),
    (
        KortewegDeVries(-3, 0.1, 0.02, 0.003, conservative=True),
        Convection((0, 0, 0.1, -0.02, -0.003), -3.0, conservative=True),
    ),
    (KuramotoSivashinsky(), GradientNorm()),
    (KuramotoSivashinsky(2, 0.3, 0.1), GradientNorm((0, 0, -0.3, 0, -0.1), 2.0)),
    (FisherKPP(0.02, 0.0), Polynomial((0.0, 0.0, 0.02), (0.0,))),
]


@pytest.mark.parametrize(("named", "generic"), PAIRS, ids=lambda e: str(e)[:40])
def test_named_equations_are_generic_ones(named, generic):
    grid = Grid(2, 16, 2 * np.pi)
    assert named.num_channels(grid) == generic.num_channels(grid)
    symbols = named.linear_symbol(grid), generic.linear_symbol(grid)
    np.testing.assert_allclose(*np.broadcast_arrays(*symbols), atol=1e-12)
    state = 0.1 * np.random.default_rng(0).normal(size=(named.num_channels(grid), 16, 16))
    steps = [ETDRKStepper(equation, grid, 0.01)(state) for equation in (named, generic)]
    np.testing.assert_allclose(*steps, atol=1e-6)


def test_one_dimensional_form_of_kuramoto_sivashinsky():
    """The slope of the one form is the state of the other."""
    with jax.enable_x64(True):
        grid = Grid(1, 64, 22.0)
        angle = 2 * np.pi * grid.coordinates / 22
        height, slope = np.sin(angle) + np.cos(2 * angle), np.cos(angle) - 2 * np.sin(2 * angle)
        slope = slope * 2 * np.pi / 22
        tall = repeat(ETDRKStepper(KuramotoSivashinsky(), grid, 0.05, 4), 60)(height)
        steep = repeat(ETDRKStepper(KuramotoSivashinskyConservative(), grid, 0.05, 4), 60)(slope)
        k = 2j * np.pi / 22 * np.arange(33)
        derived = np.fft.irfft(k * np.fft.rfft(tall))
        np.testing.assert_allclose(steep, derived, atol=1e-6)


def test_conservative_form_warns_above_one_dimension():
    with pytest.warns(ApexrWarning, match="meant for one dimension"):
        ETDRKStepper(KuramotoSivashinskyConservative(), Grid(2, 8), 0.1)


def test_mixed_derivatives_of_korteweg_de_vries():
    grid = Grid(2, 8, 2 * np.pi)
    kdv = KortewegDeVries(
        diffusivity=0.2, dispersivity=3, advect_over_diffuse=True, diffuse_over_diffuse=True
    )
    kx, ky = np.meshgrid(np.fft.fftfreq(8, 1 / 8), np.arange(5), indexing="ij")
    square = kx**2 + ky**2
    exact = -0.2 * square + 3j * (kx + ky) * square - 0.01 * square**2
    np.testing.assert_allclose(kdv.linear_symbol(grid)[0], exact, atol=1e-12)


def test_terms_of_several_parts_are_added():
    class Both(Composed):
        parts = (Polynomial((0.0,), (0.0, 0.0, -1.0)), Burgers(0.1, single_channel=True))

    grid = Grid(2, 12)
    state = jnp.full((1, 12, 12), 0.5)
    stepper = ETDRKStepper(Both(), grid, 0.1, 4)
    np.testing.assert_allclose(stepper(state), 0.5 / 1.05, rtol=1e-6)  # u̇ = -u²


@pytest.mark.parametrize("cls", [Burgers, FisherKPP, AllenCahn])
def test_parts_are_checked_when_an_equation_is_made(cls):
    with pytest.raises(SpecError, match="diffusivity"):
        cls(diffusivity=[[1.0, 3.0], [3.0, 1.0]])


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (Burgers, "convection_scale"),
        (KortewegDeVries, "dispersivity"),
        (KuramotoSivashinsky, "second_order_scale"),
        (KuramotoSivashinskyConservative, "fourth_order_scale"),
        (FisherKPP, "reactivity"),
        (AllenCahn, "third_order_coefficient"),
        (CahnHilliard, "gamma"),
        (Convection, "convection_scale"),
        (GradientNorm, "gradient_norm_scale"),
    ],
)
@pytest.mark.parametrize("value", ["1", None, (1.0, 2.0), float("inf"), True])
def test_coefficients_that_are_not_numbers(cls, name, value):
    with pytest.raises(SpecError, match=f"{name} must be a number"):
        cls(**{name: value})


def test_anisotropic_reaction():
    spread = Diffusion(((0.1, 0.05), (0.05, 0.2)))
    grid = Grid(2, 8)
    symbol = AllenCahn(spread.diffusivity, 0.0).linear_symbol(grid)
    np.testing.assert_allclose(symbol, spread.linear_symbol(grid))
