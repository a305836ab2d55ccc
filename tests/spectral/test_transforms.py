"""Transforms, derivatives and the projection onto spectra of real fields."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.errors import ShapeError
from apexr.spectral import Grid, derivative, fft, ifft, ifft_of_real, project_real

GRIDS = [Grid(1, 8), Grid(1, 9), Grid(2, 8), Grid(2, 7), Grid(3, 4), Grid(3, 5)]


def noise(*shape):
    return np.random.default_rng(0).normal(size=shape)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_there_and_back_with_any_leading_axes(grid):
    fields = jnp.asarray(noise(2, 3, *grid.shape), float)
    spectra = fft(fields, grid.num_spatial_dims)
    assert spectra.shape == (2, 3, *grid.spectral_shape)
    np.testing.assert_allclose(ifft(spectra, grid), fields, atol=1e-6)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_projection_is_the_round_trip_over_the_field(grid):
    shape = (2, *grid.spectral_shape)
    spectrum = jnp.asarray(noise(*shape) + 1j * noise(*shape)[::-1], complex)
    expected = fft(ifft(spectrum, grid), grid.num_spatial_dims)
    np.testing.assert_allclose(project_real(spectrum, grid), expected, atol=2e-6)


LARGE = [Grid(2, 98), Grid(2, 99)]


@pytest.mark.parametrize("num_fields", [1, 2, 3])
@pytest.mark.parametrize("grid", [*GRIDS, *LARGE], ids=str)
@pytest.mark.parametrize("part", [0, 1 / 3, 1, None])
def test_fields_of_spectra_that_real_fields_have(grid, num_fields, part):
    low = None if part is None else 1 + int(part * ((grid.num_points - 1) // 2 - 1))
    axes = range(-grid.num_spatial_dims, 0)
    spectra = np.fft.rfftn(noise(num_fields, *grid.shape), axes=axes)
    spectra[..., low or grid.num_points :] = 0
    with jax.enable_x64(True):
        np.testing.assert_allclose(
            ifft_of_real(spectra, grid, low),
            np.fft.irfftn(spectra, grid.shape, axes=axes),
            rtol=0,
            atol=1e-14,
        )


@pytest.mark.parametrize("grid", [Grid(2, 8), Grid(2, 98), Grid(3, 4)], ids=str)
def test_gradients_go_through_fields_of_low_spectra(grid):
    with jax.enable_x64(True):
        start, direction = (jnp.asarray(values) for values in noise(2, 3, *grid.shape))

        def energy(u):
            return jnp.sum(
                ifft_of_real(fft(u, grid.num_spatial_dims).at[..., 2:].set(0), grid, 2) ** 4
            )

        along = jnp.vdot(jax.grad(energy)(start), direction)
        ahead, behind = (energy(start + sign * 1e-6 * direction) for sign in (1, -1))
        np.testing.assert_allclose(along, (ahead - behind) / 2e-6, rtol=1e-6)


def test_derivatives_of_a_plane_wave():
    x, y = Grid(2, 16, 3.0).coordinates
    k, q = 2 * 2 * np.pi / 3.0, 3 * 2 * np.pi / 3.0
    wave = np.sin(k * x + q * y)[None]
    slopes = derivative(wave, 3.0)
    assert slopes.shape == (2, 16, 16)
    np.testing.assert_allclose(slopes[0], k * np.cos(k * x + q * y), atol=1e-4)
    np.testing.assert_allclose(slopes[1], q * np.cos(k * x + q * y), atol=1e-4)
    np.testing.assert_allclose(derivative(wave, 3.0, 2)[1], -(q**2) * wave[0], atol=1e-3)


def test_derivative_of_many_channels_keeps_them_first():
    assert derivative(noise(3, 8, 8)).shape == (3, 2, 8, 8)


def test_derivative_refuses_what_has_no_space():
    with pytest.raises(ShapeError, match="channel, x"):
        derivative(noise(8))
