"""Exact numerics are a Galerkin method: no state has waves outside the dealiasing mask."""

import math
import warnings

import jax
import numpy as np
import pytest

from apexr.errors import ApexrWarning, SpecError
from apexr.spectral import Grid, dealiasing_mask, fft, ifft
from apexr.steppers import (
    AllenCahn,
    Burgers,
    Diffusion,
    ETDRKStepper,
    FisherKPP,
    GrayScott,
    KortewegDeVries,
    KuramotoSivashinsky,
    NavierStokesVelocity,
    NavierStokesVorticity,
    Nonlinear,
    RepeatedStepper,
    repeat,
    rollout,
)
from apexr.steppers._growth import _said, growth_outside, steps_until_felt

CASES = {
    "allen-cahn": (AllenCahn(), 1),
    "fisher": (FisherKPP(), 2),
    "burgers": (Burgers(0.05), 2),
    "kdv": (KortewegDeVries(), 1),
    "ks": (KuramotoSivashinsky(), 2),
    "gray-scott": (GrayScott(), 2),
    "vorticity": (NavierStokesVorticity(), 2),
    "velocity": (NavierStokesVelocity(), 3),
}


@pytest.fixture(autouse=True)
def _each_is_said_to_be_new():
    _said.clear()


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("dims", [1, 2])
def test_a_phase_stays_where_it_is_stable(dims, order):
    grid = Grid(dims, 32 if dims == 1 else 16, 2 * np.pi)
    state = 0.5 + 0.1 * np.cos(3 * grid.coordinates[:1])
    stepper = ETDRKStepper(AllenCahn(), grid, 0.1, order)
    np.testing.assert_allclose(repeat(stepper, 1200)(state), 1.0, atol=1e-5)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("name", CASES)
def test_states_have_the_waves_of_the_mask_alone(name, order):
    equation, dims = CASES[name]
    grid = Grid(dims, 12, 2 * np.pi)
    noise = np.random.default_rng(0).normal(size=(equation.num_channels(grid), *grid.shape))
    mask = dealiasing_mask(grid, equation.default_dealiasing_fraction)
    with jax.enable_x64(True):
        stepper = ETDRKStepper(equation, grid, 1e-3, order)
        later = stepper.kernel(fft(noise, dims))
        assert np.all(np.asarray(later)[:, ~mask[0]] == 0)
        assert np.abs(later).max() > 0.1
        kept = np.asarray(ifft(np.where(mask, fft(noise, dims), 0), grid))
        np.testing.assert_allclose(stepper.project(noise), kept, atol=1e-12)
        np.testing.assert_allclose(stepper(noise), stepper(kept), atol=1e-12)
        np.testing.assert_array_equal(stepper.waves, mask)
        np.testing.assert_array_equal(RepeatedStepper(stepper, 3).waves, mask)


def test_linear_equations_keep_every_wave():
    grid = Grid(1, 16, 2 * np.pi)
    stepper = ETDRKStepper(Diffusion(0.01), grid, 0.1)
    wave = np.cos(7 * grid.coordinates).astype("float32")
    np.testing.assert_allclose(stepper(wave), np.exp(-0.049) * wave, atol=1e-6)
    assert stepper.waves is None
    np.testing.assert_array_equal(stepper.project(wave), wave)


def test_published_numerics_keep_every_wave_too():
    grid = Grid(1, 32, 2 * np.pi)
    wave = 1e-3 * np.cos(14 * grid.coordinates)
    with pytest.warns(ApexrWarning, match="Nothing saturates"):
        stepper = ETDRKStepper(AllenCahn(), grid, 0.1, coefficients="real")
    rate = 0.1 * (1 - 0.005 * 14**2)
    np.testing.assert_allclose(stepper(wave), np.exp(rate) * wave, atol=1e-8)


def test_the_first_frame_is_the_state_itself():
    grid = Grid(1, 16, 2 * np.pi)
    noise = np.random.default_rng(0).normal(size=(1, 16)).astype("float32")
    frames = rollout(ETDRKStepper(Burgers(0.1), grid, 0.01), 2, include_init=True)(noise)
    np.testing.assert_array_equal(frames[0], noise)


@pytest.mark.parametrize("choices", [{}, {"coefficients": "real"}, {"mask_products": False}])
def test_growth_outside_the_mask_is_said_once_with_its_time(choices):
    """By hand: wave 8 is the first outside of ``32 / 4 - 1``; it grows by ``1 - 0.005 · 64``."""
    growth = 0.1 * (1 - 0.005 * 8**2)
    steps = math.ceil(math.log(2**23) / growth)
    grid = Grid(1, 32, 2 * np.pi)
    with pytest.warns(ApexrWarning, match=rf"exp\(0.068\) a step.* in {steps} steps") as said:
        ETDRKStepper(AllenCahn(), grid, 0.1, **choices)
    assert said[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ETDRKStepper(AllenCahn(), grid, 0.1, **choices)
        ETDRKStepper(AllenCahn(), grid, 0.05, **choices)


def test_nothing_is_said_where_nothing_grows():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ETDRKStepper(AllenCahn(), Grid(1, 64, 2 * np.pi), 0.1)
        ETDRKStepper(Burgers(0.0), Grid(2, 8), 0.1)
        ETDRKStepper(KortewegDeVries(hyper_diffusivity=0.0), Grid(1, 16), 0.1)
        ETDRKStepper(KuramotoSivashinsky(), Grid(1, 64, 20.0), 0.1, coefficients="real")
        ETDRKStepper(FisherKPP(), Grid(1, 8), 0.1, order=0)  # a linear equation then


def test_nothing_is_said_of_traced_coefficients():
    grid = Grid(1, 32, 2 * np.pi)
    state = 0.5 + 0.1 * np.cos(3 * grid.coordinates)

    @jax.jit
    def late(diffusivity):
        return repeat(ETDRKStepper(AllenCahn(diffusivity), grid, 0.1, 4), 1200)(state)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(late(0.005), 1.0, atol=1e-5)


def test_growth_by_definition():
    grid = Grid(2, 16, 2 * np.pi)
    k = np.stack(np.meshgrid(np.fft.fftfreq(16, 1 / 16), np.arange(9), indexing="ij"))
    rates = 3.0 - 0.05 * (k**2).sum(axis=0)
    outside = np.abs(k).max(axis=0) > 2 / 3 * 8 - 1
    z = FisherKPP(0.05, 3.0).linear_symbol(grid)
    np.testing.assert_allclose(
        growth_outside(z, dealiasing_mask(grid, 2 / 3)), rates[outside].max(), rtol=1e-12
    )
    assert growth_outside(-(z.real**2) + 1e-15, dealiasing_mask(grid, 2 / 3)) == 0
    assert steps_until_felt(math.log(2**23)) == 1


def test_growth_that_no_float_holds_is_left_out():
    backwards = Nonlinear((0.0, 0.0, -10.0))
    with pytest.warns(ApexrWarning, match=r"exp\(164\)"):  # of wave 128; wave 84 grows by exp(71)
        stepper = ETDRKStepper(backwards, Grid(1, 256, 2 * np.pi), 1e-3)
    np.testing.assert_allclose(stepper(np.ones((1, 256))), 1.0, atol=1e-5)


def test_a_grid_on_which_dealiasing_leaves_nothing():
    with pytest.raises(SpecError, match=r"keeps no wave of Grid.*more points"):
        ETDRKStepper(Burgers(0.1), Grid(1, 2), 0.1)
