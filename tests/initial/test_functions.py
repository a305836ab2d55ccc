"""Initial conditions as functions of position."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.errors import SpecError
from apexr.initial import INITIAL_CONDITIONS
from apexr.spectral import Grid

KEY = jax.random.PRNGKey(5)
ANYWHERE = [
    "blobs;2;true",
    "discontinuities;4",
    "fourier_modes;2;false",
    "scaled;-2;blobs",
    "channels;blobs|scaled;3;discontinuities",
]
WITH_ITS_GRID = [
    "discontinuities;4;true;true",
    "fourier_modes;2;true;false;true",
    "clamp;-1;2;channels;blobs|discontinuities",
    "fourier;2;false;true",
    "fourier;9;false;false",
]


def function(text, grid):
    return INITIAL_CONDITIONS.parse(text).sample_function(grid, KEY)


def sample(text, grid):
    return np.asarray(INITIAL_CONDITIONS.parse(text).sample(grid, KEY))


@pytest.mark.parametrize("text", [*ANYWHERE, *WITH_ITS_GRID])
@pytest.mark.parametrize("grid", [Grid(1, 9), Grid(2, 8), Grid(3, 6)], ids=str)
def test_on_its_grid_the_function_is_the_sample(text, grid):
    values = function(text, grid)(grid.coordinates)
    np.testing.assert_allclose(values, sample(text, grid), atol=2e-5)


def test_sine_waves_on_their_grid():
    grid = Grid(1, 16)
    for text in ("sine_waves", "sine_waves;3;true", "sine_waves;2;false;true"):
        values = function(text, grid)(grid.coordinates)
        np.testing.assert_allclose(values, sample(text, grid), atol=1e-5)


@pytest.mark.parametrize("text", [*ANYWHERE, "sine_waves;3"])
def test_one_seed_gives_one_function_at_every_resolution(text):
    dims = 1 if text.startswith("sine") else 2
    coarse, fine = Grid(dims, 8), Grid(dims, 24)
    every_third = (slice(None), *[slice(None, None, 3)] * dims)
    np.testing.assert_allclose(sample(text, fine)[every_third], sample(text, coarse), atol=1e-5)


def test_a_larger_cutoff_adds_waves_to_the_same_function():
    grid = Grid(2, 16)
    few, many = sample("fourier_modes;2", grid), sample("fourier_modes;4", grid)
    spectra = np.fft.rfft2(few[0]), np.fft.rfft2(many[0])
    np.testing.assert_allclose(spectra[0][:3, :3], spectra[1][:3, :3], atol=1e-3)


def test_the_truncated_series_is_its_polynomial_between_the_points():
    grid, fine = Grid(2, 12), Grid(2, 36)
    u = sample("fourier;3;false;true", grid)
    padded = np.zeros((36, 19), complex)
    spectrum = np.fft.rfft2(u[0])
    padded[:4, :4], padded[-3:, :4] = spectrum[:4, :4], spectrum[-3:, :4]
    exact = np.fft.irfft2(padded, s=(36, 36)) * 9
    made = function("fourier;3;false;true", grid)(fine.coordinates)
    np.testing.assert_allclose(made[0], exact, atol=1e-5)


def test_functions_take_single_points_and_go_through_transformations():
    f = function("blobs", Grid(2, 8))
    points = np.random.default_rng(0).random((2, 5))
    together = f(points)
    assert together.shape == (1, 5)
    np.testing.assert_allclose(f(points[:, 0]), together[:, 0], rtol=1e-6)
    mapped = jax.vmap(f, in_axes=1, out_axes=1)(jnp.asarray(points))
    np.testing.assert_allclose(mapped, together, rtol=1e-6)
    slope = jax.jit(lambda f, x: jax.grad(lambda x: f(x)[0])(x))(f, jnp.asarray([0.3, 0.5]))
    assert slope[0] > 0


@pytest.mark.parametrize("shape", [(), (3, 4), (2,)])
def test_coordinates_of_another_dimension_are_refused(shape):
    with pytest.raises(SpecError, match=r"\((1|dim), \*space\)"):
        function("sine_waves", Grid(1, 8))(np.zeros(shape))


@pytest.mark.parametrize(
    "text", ["grf;3;true;true", "scaled;2;white_noise", "channels;blobs|diffused;0.1;true;true"]
)
def test_noise_is_no_function_of_position_and_says_what_is(text):
    with pytest.raises(SpecError, match="has no function of position") as caught:
        function(text, Grid(1, 8))
    known = set(str(caught.value).rpartition(": ")[2].split(", "))
    assert {"blobs", "clamp", "channels", "fourier", "fourier_modes", "sine_waves"} <= known
    assert not {"grf", "diffused", "white_noise"} & known
