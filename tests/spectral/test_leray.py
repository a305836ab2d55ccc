"""The projection onto divergence-free fields: sign, idempotence, what it keeps and removes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from apexr.errors import ShapeError
from apexr.spectral import Grid, derivative, fft, leray_projection, project_incompressible

GRIDS = [Grid(2, 8), Grid(2, 9), Grid(3, 6), Grid(3, 5)]


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def noise(*shape):
    return jnp.asarray(np.random.default_rng(0).normal(size=shape))


def spread(field):
    """Return the root mean square of the divergence, Nyquist waves taken as stored."""
    slopes = derivative(field)
    return float(jnp.sqrt(jnp.mean(jnp.einsum("dd...->...", slopes) ** 2)))


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_no_divergence_is_left_and_a_second_time_changes_nothing(grid):
    field = noise(grid.num_spatial_dims, *grid.shape)
    once = project_incompressible(field)
    assert spread(field) > 1
    assert spread(once) < 1e-12
    np.testing.assert_allclose(project_incompressible(once), once, atol=1e-13)
    # orthogonal, hence never longer
    np.testing.assert_allclose(jnp.sum(once * (field - once)), 0, atol=1e-10)


@pytest.mark.parametrize("nyquist", ["keep", "zero"])
@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_of_a_gradient_only_an_added_mean_remains(grid, nyquist):
    mean = jnp.arange(1.0, grid.num_spatial_dims + 1).reshape(-1, *[1] * grid.num_spatial_dims)
    gradient = derivative(noise(1, *grid.shape), nyquist=nyquist)
    projected = project_incompressible(gradient + mean)
    np.testing.assert_allclose(projected, jnp.broadcast_to(mean, gradient.shape), atol=1e-12)


def test_sign_on_a_flow_known_in_both_parts():
    x, y = 2 * np.pi * Grid(2, 16).coordinates
    swirl = np.stack([np.sin(x) * np.cos(y), -np.cos(x) * np.sin(y)])
    gradient = np.stack([np.cos(x) * np.cos(y), -np.sin(x) * np.sin(y)])
    np.testing.assert_allclose(project_incompressible(swirl + gradient), swirl, atol=1e-14)


def test_transverse_nyquist_waves_stay():
    ripple = jnp.cos(jnp.pi * jnp.arange(8.0))
    shear = jnp.stack([jnp.broadcast_to(ripple, (8, 8)), jnp.zeros((8, 8))])
    np.testing.assert_allclose(project_incompressible(shear), shear, atol=1e-15)
    np.testing.assert_allclose(project_incompressible(shear[::-1]), 0, atol=1e-15)


def test_one_dimension_keeps_the_mean():
    np.testing.assert_allclose(project_incompressible(noise(1, 7)), noise(1, 7).mean(), atol=1e-15)


def test_batches_precision_and_transformations():
    grid = Grid(2, 8)
    fields = noise(3, 2, 8, 8)
    mapped = jax.jit(jax.vmap(project_incompressible))(fields)
    spectra = leray_projection(fft(fields, 2), grid)
    np.testing.assert_allclose(fft(mapped, 2), spectra, atol=1e-12)
    assert project_incompressible(fields[0].astype("float32")).dtype == "float32"
    # the projection is its own adjoint
    energy = jax.grad(lambda v: jnp.sum(project_incompressible(v) ** 2) / 2)(fields[0])
    np.testing.assert_allclose(energy, mapped[0], atol=1e-13)


def test_refused():
    with pytest.raises(ShapeError, match="one channel a dimension"):
        project_incompressible(jnp.zeros((3, 8, 8)))
    with pytest.raises(ShapeError, match=r"end in \(2, 8, 5\)"):
        leray_projection(jnp.zeros((1, 8, 5), complex), Grid(2, 8))
