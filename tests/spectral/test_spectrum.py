"""Spectra: Parseval, cosines, shells, coefficients there and back."""

import jax
import numpy as np
import pytest
from _bandlimited import few, noise, seeds, sizes
from hypothesis import given
from hypothesis import strategies as st

from apexr.errors import ShapeError, SpecError
from apexr.spectral import (
    Grid,
    field_from_coefficients,
    fourier_coefficients,
    spectrum,
    wavenumber_norm,
    wavenumbers,
)

MODES = ("norm_compensation", "reconstruction", "coef_extraction")


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("binned", [True, False])
def test_parseval(dims, binned):
    @few
    @given(sizes(dims), seeds)
    def check(size, seed):
        field = noise(seed, 2, *(size,) * dims)
        power = spectrum(field, binned=binned).values
        energy = np.mean(field.reshape(2, -1) ** 2, axis=1) / 2
        np.testing.assert_allclose(power.reshape(2, -1).sum(1), energy, rtol=1e-13)

    check()


@pytest.mark.parametrize(("dims", "size"), [(1, 8), (1, 9), (2, 8), (2, 7), (3, 6)])
def test_a_cosine_shows_its_amplitude_and_its_energy(dims, size):
    x = Grid(dims, size).coordinates[-1]
    field = (0.5 + 3 * np.cos(2 * np.pi * 2 * x + 0.3))[None]
    expected = np.zeros(size // 2 + 1)
    expected[[0, 2]] = 0.5, 3
    shells, amplitude = spectrum(field, "amplitude", corners=False)
    np.testing.assert_array_equal(shells, range(size // 2 + 1))
    np.testing.assert_allclose(amplitude[0], expected, atol=1e-13)
    power = spectrum(field, corners=False).values[0]
    np.testing.assert_allclose(power[np.array([0, 2])], [0.5**2 / 2, 3**2 / 4], rtol=1e-12)
    published = spectrum(field, "one_sided_power", corners=False).values[0]
    np.testing.assert_allclose(published, expected**2 / 2, atol=1e-13)


def test_direction_does_not_matter():
    for axis in range(3):
        field = np.cos(2 * np.pi * 2 * Grid(3, 6).coordinates[axis])[None]
        np.testing.assert_allclose(spectrum(field, "amplitude").values[0, 2], 1, rtol=1e-12)
        np.testing.assert_allclose(spectrum(field).values[0, 2], 1 / 4, rtol=1e-12)


def test_the_nyquist_wave_stands_for_itself():
    field = np.cos(np.pi * np.arange(8))[None]
    np.testing.assert_allclose(spectrum(field).values[0], [0, 0, 0, 0, 0.5], atol=1e-15)
    np.testing.assert_allclose(spectrum(field, "amplitude").values[0, 4], 1)


def test_shells_are_half_open_and_corners_are_shells():
    field = noise(0, 1, 8, 8)
    shells, values = spectrum(field, "amplitude")
    entries = spectrum(field, "amplitude", binned=False)
    norm = wavenumber_norm(Grid(2, 8))[0]
    np.testing.assert_array_equal(entries.wavenumbers, wavenumbers(Grid(2, 8)))
    np.testing.assert_array_equal(shells, range(7))  # ‖(4, 4)‖ = 5.66 lies in the shell of 6
    for shell in shells:
        inside = (shell - 0.5 <= norm) & (norm < shell + 0.5)
        np.testing.assert_allclose(values[0, shell], entries.values[0][inside].sum())
    without = spectrum(field, "amplitude", corners=False)
    np.testing.assert_allclose(without.values, values[:, :5])


@pytest.mark.parametrize("kind", ["amplitude", "power", "one_sided_power"])
def test_precision_and_transformations(kind):
    field = noise(0, 3, 1, 6, 6).astype("float32")
    values = jax.jit(jax.vmap(lambda u: spectrum(u, kind).values))(field)
    assert values.dtype == "float32"
    np.testing.assert_allclose(values[1], spectrum(field[1], kind).values, rtol=1e-5)
    for state in (field[0], np.zeros((1, 6, 6))):
        slope = jax.grad(lambda u: spectrum(u, kind).values.sum())(state)
        assert np.isfinite(slope).all()


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_coefficients_there_and_back(dims):
    @few
    @given(sizes(dims), seeds, st.sampled_from(MODES))
    def check(size, seed, mode):
        field = noise(seed, 2, *(size,) * dims)
        back = field_from_coefficients(fourier_coefficients(field, mode), size, mode)
        np.testing.assert_allclose(back, field, atol=1e-13)

    check()


def test_coefficients_are_read_off_as_amplitudes():
    x, y = 2 * np.pi * Grid(2, 9).coordinates
    field = (2 + 3 * np.cos(2 * x) * np.cos(y) - 0.5 * np.sin(3 * y))[None]
    coefficients = fourier_coefficients(field, decimals=5)[0]
    expected = np.zeros((9, 5), complex)
    expected[0, 0], expected[2, 1], expected[-2, 1], expected[0, 3] = 2, 3, 3, 0.5j
    np.testing.assert_allclose(coefficients, expected, atol=1e-15)


def test_refused():
    with pytest.raises(SpecError, match="did you mean 'amplitude'"):
        spectrum(np.zeros((1, 8)), "amplitud")
    with pytest.raises(ShapeError, match="channel, x"):
        spectrum(np.zeros(8))
    with pytest.raises(SpecError, match="scaling mode"):
        fourier_coefficients(np.zeros((1, 8)), "none")
    with pytest.raises(ShapeError, match="coefficients of 8 points"):
        field_from_coefficients(np.zeros((1, 8), complex), 8)
