"""What an ideal flow keeps over many steps, if products are dealiased like their factors."""

import jax
import numpy as np
import pytest

from apexr.spectral import Grid, laplacian
from apexr.steppers import ETDRKStepper, NavierStokesVorticity, repeat

GRID = Grid(2, 32, 2 * np.pi)
IDEAL = NavierStokesVorticity(diffusivity=0.0)


@pytest.fixture(autouse=True)
def _double_precision():
    with jax.enable_x64(True):
        yield


def vorticity() -> np.ndarray:
    x, y = GRID.coordinates
    return (np.sin(3 * x + y) + np.cos(2 * x - 3 * y) + 0.5 * np.sin(4 * y + 1))[None]


def invariants(state) -> np.ndarray:
    """Return energy and enstrophy."""
    spectrum = np.fft.rfft2(state[0])
    symbol = laplacian(GRID)[0].real
    inverse = np.divide(1, symbol, out=np.zeros_like(symbol), where=symbol != 0)
    stream = np.fft.irfft2(inverse * spectrum, GRID.shape)
    return np.array([-np.mean(stream * state[0]), np.mean(state[0] ** 2)])


def drift(**choices) -> np.ndarray:
    stepper = ETDRKStepper(IDEAL, GRID, 1e-3, order=4, **choices)
    state = vorticity()
    later = np.asarray(repeat(stepper, 200)(state))
    assert np.abs(later - state).max() > 0.05  # it has moved
    return np.abs(invariants(later) / invariants(state) - 1)


@pytest.mark.parametrize("form", ["flux", "advective"])
def test_energy_and_enstrophy_are_kept(form):
    equation = NavierStokesVorticity(diffusivity=0.0, form=form)
    stepper = ETDRKStepper(equation, GRID, 1e-3, order=4)
    state = vorticity()
    later = np.asarray(repeat(stepper, 200)(state))
    assert (np.abs(invariants(later) / invariants(state) - 1) < 1e-12).all()


def test_they_drift_without_the_second_mask_as_in_the_published_data():
    assert drift(mask_products=False).max() > 1e3 * drift().max()
