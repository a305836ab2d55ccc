"""Trigonometric interpolation: exact on band-limited fields, everywhere."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from _bandlimited import Polynomial, few, noise, seeds, sizes
from hypothesis import given

from apexr.errors import ShapeError
from apexr.spectral import Grid, interpolate, resample


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_grid_points_give_the_field_itself(dims):
    @few
    @given(sizes(dims), seeds)
    def check(size, seed):
        field = noise(seed, 2, *(size,) * dims)
        points = Grid(dims, size, 3.0).coordinates
        np.testing.assert_allclose(interpolate(field, points, 3.0), field, atol=1e-12)

    check()


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_exact_between_the_points(dims):
    @few
    @given(sizes(dims, 3), seeds)
    def check(size, seed):
        wave = Polynomial(seed, dims, (size - 1) // 2, extent=2.5)
        points = np.random.default_rng(seed).uniform(-10, 10, (dims, 4, 3))
        values = interpolate(wave(Grid(dims, size, 2.5).coordinates), points, 2.5)
        np.testing.assert_allclose(values, wave(points), atol=1e-12)

    check()


@pytest.mark.parametrize(("dims", "size"), [(1, 8), (2, 6), (3, 4)])
def test_a_finer_grid_is_resampling_nyquist_waves_included(dims, size):
    field = noise(0, 2, *(size,) * dims)
    fine = Grid(dims, 2 * size + 1, 3.0)
    expected = resample(field, fine.num_points)
    np.testing.assert_allclose(interpolate(field, fine.coordinates, 3.0), expected, atol=1e-12)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_slopes_along_the_points(dims):
    wave = Polynomial(1, dims, 2, extent=2.5)
    field = wave(Grid(dims, 5, 2.5).coordinates)
    points = np.random.default_rng(0).uniform(0, 2.5, (dims, 3))
    slope = jax.grad(lambda x: interpolate(field, x, 2.5).sum())(jnp.asarray(points))
    np.testing.assert_allclose(slope, wave.slope(points), atol=1e-11)


def test_gradient_reaches_the_field():
    points = np.array([0.3, 0.6])
    weights = jax.grad(lambda u: interpolate(u, points)[0])(jnp.asarray(noise(0, 1, 6, 6)))
    np.testing.assert_allclose(weights.sum(), 1)
    np.testing.assert_allclose(
        (weights * noise(1, 1, 6, 6)).sum(), interpolate(noise(1, 1, 6, 6), points)[0]
    )


def test_many_points_are_taken_in_batches(monkeypatch):
    field, points = noise(0, 2, 6, 6), np.random.default_rng(0).uniform(size=(2, 50))
    expected = interpolate(field, points)
    monkeypatch.setattr("apexr.spectral._interpolate._BATCH_NUMBERS", 200)
    np.testing.assert_allclose(interpolate(field, points), expected, atol=1e-13)


def test_precision_and_transformations():
    fields, points = noise(0, 3, 1, 8, 8), np.random.default_rng(0).uniform(size=(3, 2, 4))
    mapped = jax.jit(jax.vmap(interpolate))(fields, points)
    np.testing.assert_allclose(mapped[1], interpolate(fields[1], points[1]), atol=1e-13)
    single = interpolate(fields[0].astype("float32"), points[0])
    assert single.dtype == "float32"
    np.testing.assert_allclose(single, mapped[0], atol=2e-5)


def test_one_point_and_none():
    field = noise(0, 2, 6, 6)
    assert interpolate(field, np.array([0.1, 0.2])).shape == (2,)
    assert interpolate(field, np.zeros((2, 0))).shape == (2, 0)


@pytest.mark.parametrize("shape", [(), (3, 4), (1,)])
def test_refused(shape):
    with pytest.raises(ShapeError, match="2 coordinates"):
        interpolate(np.zeros((1, 6, 6)), np.zeros(shape))
