"""Maps between resolutions: exact on what both grids hold, and what happens to Nyquist waves."""

import jax
import numpy as np
import pytest
from _bandlimited import Polynomial, few, noise, seeds, sizes
from hypothesis import given
from hypothesis import strategies as st

from apexr.errors import SpecError
from apexr.spectral import Grid, resample


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("nyquist", ["split", "zero"])
def test_exact_on_band_limited_fields_up_and_down(dims, nyquist):
    @few
    @given(sizes(dims, 3), sizes(dims, 3), seeds)
    def check(old, new, seed):
        wave = Polynomial(seed, dims, (min(old, new) - 1) // 2)
        field = wave(Grid(dims, old).coordinates)
        expected = wave(Grid(dims, new).coordinates)
        np.testing.assert_allclose(resample(field, new, nyquist=nyquist), expected, atol=2e-13)

    check()


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_up_and_down_again_is_the_identity_even_for_noise(dims):
    @few
    @given(sizes(dims), st.sampled_from([0, 1, 3]), seeds)
    def check(size, more, seed):
        field = noise(seed, 2, *(size,) * dims)
        back = resample(resample(field, size + more), size)
        np.testing.assert_allclose(back, field, atol=1e-13)

    check()


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_multiples_keep_the_values_at_shared_points(dims):
    for size in (4, 5):
        field = noise(0, 1, *(size,) * dims)
        fine = resample(field, 2 * size)
        shared = (slice(None), *[slice(None, None, 2)] * dims)
        np.testing.assert_allclose(fine[shared], field, atol=1e-13)


def test_nyquist_cosine():
    field = np.cos(np.pi * np.arange(8))[None]
    fine = resample(field, 20)
    np.testing.assert_allclose(fine[0], np.cos(8 * np.pi * np.arange(20) / 20), atol=1e-14)
    np.testing.assert_allclose(resample(fine, 8), field, atol=1e-14)
    np.testing.assert_allclose(resample(field, 20, nyquist="zero"), 0, atol=1e-14)
    np.testing.assert_allclose(resample(fine, 8, nyquist="zero"), 0, atol=1e-14)


@pytest.mark.parametrize("phase", [0.0, 0.4, np.pi / 2])
def test_down_to_the_nyquist_wave_samples_it(phase):
    x = Grid(2, 13).coordinates
    field = np.cos(2 * np.pi * (3 * x[0] + x[1]) + phase)[None]
    x = Grid(2, 6).coordinates
    expected = np.cos(2 * np.pi * (3 * x[0] + x[1]) + phase)[None]
    np.testing.assert_allclose(resample(field, 6), expected, atol=1e-13)


def test_waves_that_the_coarse_grid_cannot_hold_are_left_out():
    x = Grid(1, 16).coordinates
    field = np.cos(2 * np.pi * x) + np.cos(2 * np.pi * 7 * x)
    np.testing.assert_allclose(
        resample(field, 9), np.cos(2 * np.pi * Grid(1, 9).coordinates), atol=1e-14
    )


def test_equal_sizes_change_nothing():
    for nyquist in ("split", "zero"):
        field = noise(0, 1, 8, 8)
        np.testing.assert_array_equal(resample(field, 8, nyquist=nyquist), field)


def test_precision_and_transformations():
    fields = noise(0, 3, 2, 6, 6)
    mapped = jax.jit(jax.vmap(lambda u: resample(u, 9)))(fields)
    np.testing.assert_allclose(mapped[2], resample(fields[2], 9), atol=1e-14)
    single = resample(fields[0].astype("float32"), 9)
    assert single.dtype == "float32"
    np.testing.assert_allclose(single, mapped[0], atol=1e-5)
    # linear: the gradient of half the sum of squares is the adjoint of the map, applied to it
    slope = jax.grad(lambda u: (resample(u, 9) ** 2).sum() / 2)(fields[0])
    np.testing.assert_allclose((slope * fields[0]).sum(), (mapped[0] ** 2).sum(), rtol=1e-12)


def test_refused():
    with pytest.raises(SpecError, match="num_points"):
        resample(np.zeros((1, 8)), 1)
    with pytest.raises(SpecError, match="nyquist"):
        resample(np.zeros((1, 8)), 16, nyquist="drop")
