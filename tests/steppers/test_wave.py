"""The wave equation: standing and traveling waves, the drifting mean, energy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.errors import ShapeError, SpecError
from apexr.spectral import Grid, fft, ifft
from apexr.steppers import ETDRKStepper, Linear, RepeatedStepper, Wave, repeat, rollout, simulate

SPEED = 1.3
CASES = [((3,), 16), ((3,), 15), ((1, -2), 12), ((1, -2), 9), ((1, -2, 2), 8), ((2, 1, -1), 7)]


def frequency(grid, wave):
    return SPEED * 2 * np.pi / grid.domain_extent * np.linalg.norm(wave)


def angle(grid, wave):
    scale = 2 * np.pi / grid.domain_extent
    return scale * np.einsum("d,d...->...", wave, grid.coordinates) + 0.4


def traveling(grid, wave, time):
    """Return a wave that runs along ``k``, on a mean height that drifts."""
    omega = frequency(grid, wave)
    phase = angle(grid, wave) - omega * time
    return np.stack([np.cos(phase) + 0.5 - 0.2 * time, omega * np.sin(phase) - 0.2])


def standing(grid, wave, time):
    omega = frequency(grid, wave)
    shape = np.cos(angle(grid, wave))
    return np.stack([np.cos(omega * time) * shape, -omega * np.sin(omega * time) * shape])


@pytest.mark.parametrize("exact", [traveling, standing])
@pytest.mark.parametrize(("wave", "num_points"), CASES, ids=str)
def test_waves_in_double_precision(wave, num_points, exact):
    with jax.enable_x64(True):
        grid = Grid(len(wave), num_points, 5.0)
        stepper = Wave(grid, 0.1, SPEED)
        start = exact(grid, wave, 0.0)
        frames = rollout(stepper, 30)(start)
        for step in (1, 7, 30):
            np.testing.assert_allclose(frames[step - 1], exact(grid, wave, 0.1 * step), atol=1e-13)
        np.testing.assert_allclose(stepper(start), exact(grid, wave, 0.1), atol=1e-13)
        long = exact(grid, wave, 100.0)
        np.testing.assert_allclose(repeat(stepper, 1000)(start), long, atol=5e-12)
        outer = RepeatedStepper(stepper, 10)
        np.testing.assert_allclose(repeat(outer, 100)(start), long, atol=5e-12)
        np.testing.assert_allclose(rollout(outer, 3)(start)[-1], frames[-1], atol=1e-13)
        batch = simulate(stepper, np.stack([start, 2 * start]), 3, num_warmup_steps=2)
        np.testing.assert_allclose(batch[1, -1], 2 * exact(grid, wave, 0.5), atol=1e-13)


@pytest.mark.parametrize("num_steps", [10, 1000, 4000])
def test_error_does_not_grow_in_single_precision(num_steps):
    grid = Grid(1, 64, 5.0)
    stepper = Wave(grid, 0.1, SPEED)
    start = standing(grid, (9,), 0.0)
    last = repeat(stepper, num_steps)(start)
    exact = standing(grid, (9,), 0.1 * num_steps)
    np.testing.assert_allclose(last[0], exact[0], atol=5e-6)
    np.testing.assert_allclose(last[1], exact[1], atol=5e-6 * frequency(grid, (9,)))


@pytest.mark.parametrize("grid", [Grid(1, 16), Grid(2, 8), Grid(3, 5)], ids=str)
def test_energy_is_kept_by_white_noise(grid):
    with jax.enable_x64(True):
        state = np.random.default_rng(0).normal(size=(2, *grid.shape))
        frames = rollout(Wave(grid, 0.3, SPEED), 40, include_init=True)(state)
        stepped = state
        for _ in range(3):
            stepped = Wave(grid, 0.3, SPEED)(stepped)
        np.testing.assert_allclose(frames[3], stepped, atol=1e-11)
        axes = tuple(range(2, 2 + grid.num_spatial_dims))
        hats = np.fft.fftn(frames, axes=axes)
        k = np.fft.fftfreq(grid.num_points, 1 / grid.num_points)
        squares = sum(np.stack(np.meshgrid(*[k] * grid.num_spatial_dims)) ** 2)
        energy = (
            np.abs(hats[:, 1]) ** 2 + (SPEED * 2 * np.pi) ** 2 * squares * np.abs(hats[:, 0]) ** 2
        )
        total = energy.sum(tuple(range(1, energy.ndim)))
        np.testing.assert_allclose(total, total[0], rtol=1e-12)


def test_one_dimension_is_two_advections():
    with jax.enable_x64(True):
        grid = Grid(1, 15, 5.0)
        right = np.random.default_rng(0).normal(size=(1, 15))
        slope = np.fft.irfft(2j * np.pi / 5 * np.arange(8) * np.fft.rfft(right), 15)
        start = np.concatenate([right, -SPEED * slope])
        carried = ETDRKStepper(Linear((0.0, -SPEED)), grid, 0.7)(right)
        np.testing.assert_allclose(Wave(grid, 0.7, SPEED)(start)[:1], carried, atol=1e-13)


def test_it_can_be_mapped_and_differentiated():
    with jax.enable_x64(True):
        grid = Grid(2, 6, 5.0)
        states = jnp.asarray(np.random.default_rng(0).normal(size=(2, 2, 6, 6)))
        stepper = Wave(grid, 0.1)
        together = jax.vmap(rollout(stepper, 3))(states)
        np.testing.assert_allclose(together, simulate(stepper, states, 3, include_init=False))

        def loss(dt, speed, state):
            return jnp.sum(repeat(Wave(grid, dt, speed), 7)(state) ** 3)

        for place in (0, 1):
            near = [[0.1, 1.3], [0.1, 1.3]]
            near[0][place] -= 1e-6
            near[1][place] += 1e-6
            slope = (loss(*near[1], states[0]) - loss(*near[0], states[0])) / 2e-6
            given = jax.grad(loss, place)(0.1, 1.3, states[0])
            np.testing.assert_allclose(given, slope, rtol=1e-7)
        toward = jnp.asarray(np.random.default_rng(1).normal(size=(2, 6, 6)))
        ends = [loss(0.1, 1.3, states[0] + side * 1e-6 * toward) for side in (1, -1)]
        slope = jnp.sum(jax.grad(loss, 2)(0.1, 1.3, states[0]) * toward)
        np.testing.assert_allclose(slope, (ends[0] - ends[1]) / 2e-6, rtol=1e-7)


def test_step_in_fourier_space():
    grid = Grid(2, 6)
    state = jnp.asarray(np.random.default_rng(0).normal(size=(2, 6, 6)), "float32")
    stepper = Wave(grid, 0.1)
    stepped = ifft(stepper.step_fourier(fft(state, 2)), grid)
    np.testing.assert_allclose(stepped, stepper(state), atol=1e-5)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), "1", None, True])
def test_refused_settings(value):
    with pytest.raises(SpecError, match="speed_of_sound"):
        Wave(Grid(1, 8), 0.1, value)
    with pytest.raises(SpecError, match="dt"):
        Wave(Grid(1, 8), value)


def test_two_channels():
    with pytest.raises(ShapeError, match=r"\(2, 8\)"):
        Wave(Grid(1, 8), 0.1)(np.zeros((1, 8)))
