"""Grids whose axes have different numbers of points and lengths: closed forms and invariants."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.errors import ShapeError, SpecError
from apexr.spectral import (
    Grid,
    curl,
    dealiasing_mask,
    derivative,
    divergence,
    fft,
    field_from_coefficients,
    fourier_coefficients,
    ifft,
    ifft_of_real,
    interpolate,
    low_pass_mask,
    project_incompressible,
    project_real,
    resample,
    spectrum,
    velocity_from_vorticity,
    wavenumbers,
)

GRIDS = [
    Grid(2, (12, 8), (2.0, 1.0)),
    Grid(2, (7, 10), (1.0, 3.0)),
    Grid(3, (6, 5, 8), (3.0, 1.0, 2.0)),
]
everywhere = pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: "x".join(map(str, grid.shape)))


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


class Waves:
    """A sum of ``a cos(2π Σ_d k_d x_d / L_d) + b sin(…)`` over a few wavenumber vectors."""

    def __init__(self, grid, seed=0):
        rng = np.random.default_rng(seed)
        most = [(points - 1) // 2 for points in grid.shape]
        self.k = np.stack([rng.integers(-m, m + 1, 6) for m in most], axis=1)
        self.slopes = 2 * np.pi * self.k / np.array(grid.extents)
        self.a, self.b = rng.normal(size=(2, 6))

    def __call__(self, points):
        angle = np.tensordot(self.slopes, points, 1)
        return np.einsum("w,w...", self.a, np.cos(angle)) + np.einsum(
            "w,w...", self.b, np.sin(angle)
        )

    def derivative(self, points, axis):
        angle, slope = np.tensordot(self.slopes, points, 1), self.slopes[:, axis]
        turned = slope * self.b, -slope * self.a
        return np.einsum("w,w...", turned[0], np.cos(angle)) + np.einsum(
            "w,w...", turned[1], np.sin(angle)
        )


def test_equal_numbers_are_the_number():
    assert Grid(2, (8, 8), [2.0, 2.0]) == Grid(2, 8, 2.0)
    assert hash(Grid(2, (8, 8))) == hash(Grid(2, 8))
    assert Grid(1, (8,), (3.0,)).num_points == 8
    assert repr(Grid(3, np.array([4, 4, 4]))) == repr(Grid(3, 4))
    assert Grid(2, (8, 4)).num_points == (8, 4)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((2, (8,)), "2 of them"),
        ((1, (8, 8)), "1 of them"),
        ((2, (8, 1)), r"num_points\[1\] must be an integer, at least 2"),
        ((2, (8, 4.0)), r"num_points\[1\]"),
        ((2, 8, (1.0, -1.0)), r"domain_extent\[1\]"),
        ((3, 8, (1.0, 2.0)), "domain_extent must be one number, or 3"),
    ],
)
def test_wrong_axes_are_refused(arguments, said):
    with pytest.raises(SpecError, match=said):
        Grid(*arguments)


def test_points_and_lengths_of_each_axis():
    grid = Grid(2, (4, 2), (2.0, 3.0))
    x, y = grid.coordinates
    np.testing.assert_array_equal(x[:, 1], [0, 0.5, 1, 1.5])
    np.testing.assert_array_equal(y[0], [0, 1.5])
    assert grid.dx == grid.spacings == (0.5, 1.5)
    assert Grid(2, (4, 2), (2.0, 1.0)).dx == 0.5
    assert grid.size == 8
    assert grid.spectral_shape == (4, 2)
    full = grid.mesh(full=True, zero_centered=True)
    assert full.shape == (2, 5, 3)
    np.testing.assert_array_equal(full[:, -1, -1], [1.0, 1.5])


@everywhere
def test_wavenumbers_are_those_of_the_transform(grid):
    for axis, points in enumerate(grid.shape):
        k = wavenumbers(grid)[axis]
        assert k.shape == grid.spectral_shape
        assert np.abs(k).max() == points // 2


@everywhere
def test_derivatives_are_exact(grid):
    waves = Waves(grid)
    slopes = derivative(waves(grid.coordinates)[None], grid.domain_extent)
    for axis in range(grid.num_spatial_dims):
        exact = waves.derivative(grid.coordinates, axis)
        np.testing.assert_allclose(slopes[axis], exact, atol=1e-11)


@everywhere
def test_every_inverse_is_that_of_numpy(grid):
    fields = noise(3, *grid.shape)
    axes = tuple(range(1, fields.ndim))
    spectra = np.fft.rfftn(fields, axes=axes)
    np.testing.assert_allclose(fft(fields, len(axes)), spectra, atol=1e-12)
    np.testing.assert_allclose(ifft(spectra, grid), fields, atol=1e-12)
    np.testing.assert_allclose(project_real(jnp.asarray(spectra), grid), spectra, atol=1e-12)
    mask = dealiasing_mask(grid, 2 / 3)
    kept = int(np.count_nonzero(mask.any(axis=tuple(range(mask.ndim - 1)))))
    for some in (fields, fields[:1]):
        low = np.where(mask, np.fft.rfftn(some, axes=axes), 0)
        expected = np.fft.irfftn(low, s=grid.shape, axes=axes)
        np.testing.assert_allclose(ifft_of_real(low, grid, kept), expected, atol=1e-12)


@everywhere
def test_what_a_real_field_has_is_what_a_transform_and_back_leaves(grid):
    spectra = noise(2, 1, *grid.spectral_shape)
    spectra = jnp.asarray(spectra[0] + 1j * spectra[1])
    there = fft(ifft(spectra, grid), grid.num_spatial_dims)
    np.testing.assert_allclose(project_real(spectra, grid), there, atol=1e-12)


def test_masks_cut_each_axis_at_its_own_wavenumber():
    grid = Grid(2, (32, 16))
    kept = np.abs(wavenumbers(grid)[:, dealiasing_mask(grid, 0.5)[0]])
    assert kept.max(axis=1).tolist() == [7, 3]
    kept = np.abs(wavenumbers(grid)[:, low_pass_mask(grid, (2, 5))[0]])
    assert kept.max(axis=1).tolist() == [2, 5]
    with pytest.raises(SpecError, match="cutoff"):
        low_pass_mask(grid, (1, 2, 3))


@everywhere
def test_coefficients_come_back(grid):
    field = noise(2, *grid.shape)
    for mode in ("norm_compensation", "reconstruction", "coef_extraction"):
        back = field_from_coefficients(fourier_coefficients(field, mode), grid.num_points, mode)
        np.testing.assert_allclose(back, field, atol=1e-12)
    product = np.prod(
        [
            np.cos(2 * np.pi * 2 * x / length)
            for x, length in zip(grid.coordinates, grid.extents, strict=True)
        ],
        axis=0,
    )
    amplitudes = fourier_coefficients(product[None])
    np.testing.assert_allclose(amplitudes[(0, *(2,) * grid.num_spatial_dims)], 1, atol=1e-12)


@everywhere
def test_interpolation_and_resampling_are_exact(grid):
    waves = Waves(grid)
    field = waves(grid.coordinates)[None]
    places = noise(grid.num_spatial_dims, 5)
    values = interpolate(field, places, grid.domain_extent)
    np.testing.assert_allclose(values[0], waves(places), atol=1e-11)
    finer = Grid(grid.num_spatial_dims, tuple(n + 3 + d for d, n in enumerate(grid.shape)))
    finer = Grid(grid.num_spatial_dims, finer.num_points, grid.domain_extent)
    up = resample(field, finer.num_points)
    np.testing.assert_allclose(up[0], waves(finer.coordinates), atol=1e-11)
    np.testing.assert_allclose(resample(up, grid.num_points), field, atol=1e-11)
    one_axis = resample(field, (grid.shape[0] + 4, *grid.shape[1:]))
    assert one_axis.shape == (1, grid.shape[0] + 4, *grid.shape[1:])


@everywhere
def test_projections_leave_no_divergence_and_change_no_flow(grid):
    field = noise(grid.num_spatial_dims, *grid.shape)
    free = project_incompressible(field, grid.domain_extent)
    np.testing.assert_allclose(divergence(free, grid.domain_extent), 0, atol=1e-11)
    again = project_incompressible(free, grid.domain_extent)
    np.testing.assert_allclose(again, free, atol=1e-12)
    turning = curl(free, grid.domain_extent)
    velocity = velocity_from_vorticity(turning, grid.domain_extent)
    np.testing.assert_allclose(curl(velocity, grid.domain_extent), turning, atol=1e-9)
    np.testing.assert_allclose(divergence(velocity, grid.domain_extent), 0, atol=1e-11)


@everywhere
def test_the_power_of_all_shells_is_the_mean_square(grid):
    field = noise(2, *grid.shape)
    mean = (field**2).reshape(2, -1).mean(axis=1) / 2
    shells, power = spectrum(field, domain_extent=grid.domain_extent)
    np.testing.assert_allclose(power.sum(axis=1), mean, rtol=1e-12)
    assert shells.tolist() == list(range(power.shape[1]))
    unbinned = spectrum(field, binned=False).values.reshape(2, -1)
    np.testing.assert_allclose(unbinned.sum(axis=1), mean, rtol=1e-12)


def test_waves_of_equal_length_are_in_one_shell():
    grid = Grid(2, (16, 8), (2.0, 1.0))
    x, y = grid.coordinates
    for wave in (np.cos(2 * np.pi * 2 * x), np.cos(2 * np.pi * 2 * y)):  # wavelength 1/2
        shells, power = spectrum(wave[None], domain_extent=grid.domain_extent)
        assert shells[np.argmax(power[0])] == 4  # of the longest axis, 2
        np.testing.assert_allclose(power[0].max(), 0.25, rtol=1e-12)
    assert len(spectrum(wave[None], corners=False, domain_extent=grid.domain_extent)[0]) == 9


def test_fields_without_space_are_refused():
    for shape in ((4,), (1, 4, 4, 4, 4)):
        with pytest.raises(ShapeError, match="channel, x"):
            derivative(np.zeros(shape))
    with pytest.raises(SpecError, match="domain_extent"):
        derivative(np.zeros((1, 8, 9)), (1.0, 2.0, 3.0))
