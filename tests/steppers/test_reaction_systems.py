"""Reactions of several substances and Swift-Hohenberg patterns against known truths."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from _programs import advance_many, count_transforms

from apexr.errors import SpecError, UnknownNameError
from apexr.spectral import Grid, dealiasing_mask, fft, ifft
from apexr.steppers import (
    BelousovZhabotinsky,
    ETDRKStepper,
    GrayScott,
    PseudoSpectral,
    SwiftHohenberg,
    repeat,
)
from apexr.steppers.equations._reaction_systems import PATTERNS

GRID = Grid(2, 12)
FEED, KILL = 0.04, 0.06


@pytest.fixture(autouse=True)
def _double_precision():
    with jax.enable_x64(True):
        yield


def gray_scott(state):
    u, v = state
    return np.stack([FEED * (1 - u) - u * v**2, u * v**2 - (FEED + KILL) * v])


def belousov_zhabotinsky(state):
    u, v, w = state
    return np.stack([u + v - u * v - u**2, w - v - u * v, u - w])


def swift_hohenberg(state):
    return 0.7 * state - state + state**2 - state**3


SYSTEMS = [
    (GrayScott(), gray_scott, [0.5, 0.3]),
    (BelousovZhabotinsky(), belousov_zhabotinsky, [0.4, 0.2, 0.7]),
    (SwiftHohenberg(), swift_hohenberg, [0.3]),
]


def runge_kutta(rate, state, time, steps=2000):
    dt = time / steps
    for _ in range(steps):
        one = rate(state)
        two = rate(state + dt / 2 * one)
        three = rate(state + dt / 2 * two)
        state = state + dt / 6 * (one + 2 * two + 2 * three + rate(state + dt * three))
    return state


@pytest.mark.parametrize(("equation", "rate", "start"), SYSTEMS, ids=lambda v: type(v).__name__)
def test_equal_states_follow_the_ordinary_equation(equation, rate, start):
    state = np.array(start).reshape(-1, 1, 1) * np.ones(GRID.shape)
    last = repeat(ETDRKStepper(equation, GRID, 0.02, 4), 100)(state)
    expected = runge_kutta(rate, np.array(start), 2.0).reshape(-1, 1, 1)
    np.testing.assert_allclose(last, expected * np.ones(GRID.shape), rtol=1e-8)


@pytest.mark.parametrize(("equation", "rate", "start"), SYSTEMS[:2], ids=lambda v: type(v).__name__)
def test_reactions_as_written(equation, rate, start):
    channels, mask = len(start), dealiasing_mask(GRID, 1 / 2)
    noise = np.random.default_rng(0).normal(size=(channels, *GRID.shape))
    u_hat = np.where(mask, fft(noise, 2), 0)
    term = equation.nonlinear_term(PseudoSpectral(GRID, 1 / 2))
    np.testing.assert_allclose(ifft(term(u_hat), GRID), rate(ifft(u_hat, GRID)), atol=1e-12)
    whole = term(np.asarray(fft(noise, 2)))
    np.testing.assert_allclose(whole, term(u_hat), atol=1e-12)  # it sees resolved waves alone


def test_substrate_alone_rests():
    state = np.stack([np.ones(GRID.shape), np.zeros(GRID.shape)])
    last = repeat(ETDRKStepper(GrayScott(), GRID, 1.0), 50)(state)
    np.testing.assert_allclose(last, state, atol=1e-14)


def test_patterns_have_rates():
    assert GrayScott.pattern("theta") == GrayScott(feed_rate=0.04, kill_rate=0.06)
    assert GrayScott.pattern("iota", 1e-4, 5e-5) == GrayScott(1e-4, 5e-5, 0.05, 0.0605)
    assert len(PATTERNS) == 12
    with pytest.raises(UnknownNameError, match="'thete'; did you mean 'theta'"):
        GrayScott.pattern("thete")


@pytest.mark.parametrize("small", [0.0, 1e-7])
def test_waves_grow_at_their_rate(small):
    grid, time = Grid(2, 36, 10 * np.pi), 0.5
    cubic = (0.0, 0.0, 1.0, -1.0) if small else (0.0,)
    equation = SwiftHohenberg(reactivity=0.7, critical_number=1.0, polynomial_coefficients=cubic)
    amplitude = small or 1.0
    for mode in (0, 3, 5, 7):
        wave = amplitude * np.cos(2 * np.pi * mode * grid.coordinates[:1] / grid.domain_extent)
        last = repeat(ETDRKStepper(equation, grid, time / 5), 5)(wave)
        rate = 0.7 - (1 - (mode / 5) ** 2) ** 2
        np.testing.assert_allclose(last, np.exp(rate * time) * wave, atol=1e-6 * amplitude)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize(("equation", "rate", "start"), SYSTEMS, ids=lambda v: type(v).__name__)
def test_order_of_convergence_of_reactions(equation, rate, start, order):
    grid, time = Grid(1, 32, 8 * np.pi), 1.0
    phases = np.arange(len(start))[:, None]
    state = np.array(start)[:, None] * (1 + 0.5 * np.cos(grid.coordinates / 4 + phases))
    start_hat = np.asarray(fft(state, 1))

    def solve(count, order):
        kernel = ETDRKStepper(equation, grid, time / count, order).kernel
        return np.asarray(advance_many(kernel, start_hat, count))

    exact = solve(400, 4)
    coarse, fine = (np.abs(solve(count, order) - exact).max() for count in (10, 20))
    np.testing.assert_allclose(np.log2(coarse / fine), order, atol=0.25)


@pytest.mark.parametrize(
    ("equation", "expected"),
    [(GrayScott(), 3), (BelousovZhabotinsky(), 4), (SwiftHohenberg(), 2)],
)
def test_number_of_transforms_of_reactions(equation, expected, monkeypatch):
    monkeypatch.setattr("apexr.steppers._terms.ifft_of_real", lambda u, grid, low: ifft(u, grid))
    term = equation.nonlinear_term(PseudoSpectral(GRID, 1 / 2))
    state = np.zeros((equation.num_channels(GRID), *GRID.spectral_shape), complex)
    assert count_transforms(term, state) == expected


def test_gradients_with_respect_to_rates():
    state = np.random.default_rng(0).uniform(0.2, 0.8, size=(2, *GRID.shape))

    def total(rates):
        stepper = ETDRKStepper(GrayScott(rates[0], rates[1], rates[2], rates[3]), GRID, 0.5)
        return jnp.sum(ifft(stepper.step_fourier(fft(state, 2)), GRID) ** 2)

    at, shift = np.array([1e-3, 2e-3, 0.04, 0.06]), 1e-6
    slopes = jax.grad(total)(jnp.asarray(at))
    for place, unit in enumerate(np.eye(4) * shift):
        expected = (total(at + unit) - total(at - unit)) / (2 * shift)
        np.testing.assert_allclose(slopes[place], expected, rtol=1e-6, atol=1e-8)


def test_three_diffusivities():
    with pytest.raises(SpecError, match="diffusivities must be three numbers, got 2"):
        BelousovZhabotinsky((1e-5, 1e-5))
