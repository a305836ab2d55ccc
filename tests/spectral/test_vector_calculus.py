"""Divergence, curl and velocity against known flows and identities."""

import jax
import numpy as np
import pytest
from _bandlimited import few, noise, seeds, sizes
from hypothesis import given

from apexr.errors import ShapeError, SpecError
from apexr.spectral import (
    Grid,
    curl,
    derivative,
    divergence,
    project_incompressible,
    velocity_from_vorticity,
)

TURN = 2 * np.pi / 3.0


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def test_known_flow_in_2d():
    x, y = TURN * Grid(2, 12, 3.0).coordinates
    flow = np.stack([np.sin(x) + np.cos(2 * y), np.cos(x) * np.sin(y)])
    np.testing.assert_allclose(
        divergence(flow, 3.0)[0], TURN * (np.cos(x) + np.cos(x) * np.cos(y)), atol=1e-13
    )
    np.testing.assert_allclose(
        curl(flow, 3.0)[0], TURN * (-np.sin(x) * np.sin(y) + 2 * np.sin(2 * y)), atol=1e-13
    )


def test_beltrami_flow_in_3d_is_its_own_curl():
    x, y, z = TURN * Grid(3, 7, 3.0).coordinates
    flow = np.stack([np.sin(z) + np.cos(y), np.sin(x) + np.cos(z), np.sin(y) + np.cos(x)])
    np.testing.assert_allclose(curl(flow, 3.0), TURN * flow, atol=1e-13)
    np.testing.assert_allclose(divergence(flow, 3.0), 0, atol=1e-13)
    np.testing.assert_allclose(velocity_from_vorticity(TURN * flow, 3.0), flow, atol=1e-13)


@pytest.mark.parametrize("dims", [2, 3])
def test_identities(dims):
    @few
    @given(sizes(dims, 3), seeds)
    def check(size, seed):
        flow = noise(seed, dims, *(size,) * dims)
        gradient = derivative(noise(seed, 1, *(size,) * dims), 3.0, nyquist="zero")
        np.testing.assert_allclose(curl(gradient, 3.0), 0, atol=1e-10)
        solenoidal = project_incompressible(flow)
        np.testing.assert_allclose(divergence(solenoidal, 3.0), 0, atol=1e-11)
        if size % 2:  # the vorticity of a Nyquist wave has no sign
            np.testing.assert_allclose(curl(solenoidal, 3.0), curl(flow, 3.0), atol=1e-11)
        if dims == 3:
            np.testing.assert_allclose(divergence(curl(flow, 3.0), 3.0), 0, atol=1e-10)

    check()


@pytest.mark.parametrize(("dims", "size"), [(2, 9), (3, 5)])
def test_velocity_of_a_vorticity(dims, size):
    flow = project_incompressible(noise(0, dims, *(size,) * dims))
    flow = flow - flow.mean(axis=tuple(range(1, dims + 1)), keepdims=True)
    back = velocity_from_vorticity(curl(flow, 3.0), 3.0)
    np.testing.assert_allclose(back, flow, atol=1e-12)
    np.testing.assert_allclose(divergence(back, 3.0), 0, atol=1e-12)


def test_slopes_at_nyquist_do_not_prefer_a_direction():
    field = noise(0, 1, 6, 6)
    mirrored = np.roll(field[:, ::-1], 1, axis=1)
    slopes = derivative(field, nyquist="zero")
    flipped = derivative(mirrored, nyquist="zero")
    np.testing.assert_allclose(flipped[0], -np.roll(slopes[0, ::-1], 1, axis=0), atol=1e-12)
    np.testing.assert_allclose(flipped[1], np.roll(slopes[1, ::-1], 1, axis=0), atol=1e-12)
    even = derivative(field, order=2, nyquist="zero")
    np.testing.assert_array_equal(even, derivative(field, order=2))


def test_precision_and_integers():
    assert divergence(noise(0, 2, 6, 6).astype("float32")).dtype == "float32"
    assert derivative(noise(0, 1, 6).astype("float32")).dtype == "float32"
    assert curl(np.zeros((2, 6, 6), int)).dtype == "float64"


def test_refused():
    with pytest.raises(ShapeError, match="one channel a dimension"):
        divergence(np.zeros((1, 6, 6)))
    with pytest.raises(SpecError, match="2 or 3"):
        curl(np.zeros((1, 6)))
    with pytest.raises(ShapeError, match="one channel"):
        velocity_from_vorticity(np.zeros((2, 6, 6)))
    with pytest.raises(SpecError, match="nyquist"):
        derivative(np.zeros((1, 6)), nyquist="none")
