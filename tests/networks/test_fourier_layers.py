"""Spectral convolutions and Fourier operators against the formula with NumPy's transforms."""

import itertools

import equinox as eqx
import jax
import numpy as np
import pytest

from _tiny import filled
from apexr.errors import SpecError
from apexr.networks import NETWORKS, SpectralConv
from apexr.spectral import Grid


def by_fft(x, real, imag):
    """Return the channels of the kept modes of ``(channel, *space)`` mixed, all others gone."""
    dims, modes = x.ndim - 1, real.shape[-1]
    weight = np.asarray(real, "f8") + 1j * np.asarray(imag, "f8")
    axes = tuple(range(1, dims + 1))
    spectrum = np.fft.rfftn(x, axes=axes)
    out = np.zeros((weight.shape[1], *spectrum.shape[1:]), complex)
    low, high = slice(0, modes), slice(-modes, None)
    # blocks: the sign of the first axis changes fastest
    for block, signs in enumerate(itertools.product((low, high), repeat=dims - 1)):
        place = (slice(None), *reversed(signs), low)
        out[place] = np.einsum("oi...,i...->o...", weight[block], spectrum[place])
    return np.fft.irfftn(out, s=x.shape[1:], axes=axes)


def apply(layer, x):
    return np.asarray(jax.jit(lambda x: layer(x[:, None])[:, 0])(x))


@pytest.mark.parametrize(
    ("dims", "points", "modes"),
    [
        *[(1, 8, modes) for modes in (1, 3, 4, 5)],
        *[(1, 9, modes) for modes in (1, 4, 5)],
        *[(2, 6, modes) for modes in (1, 3)],
        *[(2, 7, modes) for modes in (2, 3)],
        (3, 4, 2),
        (3, 5, 2),
    ],
)
def test_layer_is_the_fourier_formula(dims, points, modes):
    layer = filled(lambda key: SpectralConv(dims, 2, modes, key=key))
    x = np.random.default_rng(1).normal(size=(2, *(points,) * dims)).astype("f4")
    expected = by_fft(x, layer.weight_real, layer.weight_imag)
    np.testing.assert_allclose(apply(layer, x), expected, atol=3e-6)


def test_initial_weights_are_normal_and_small():
    layer = jax.jit(lambda key: SpectralConv(2, 8, 6, key=key))(jax.random.PRNGKey(0))
    assert layer.weight_real.shape == (2, 8, 8, 6, 6)
    for weight in (layer.weight_real, layer.weight_imag):
        assert np.std(weight) == pytest.approx(1 / 64, rel=0.05)
    assert not np.array_equal(layer.weight_real, layer.weight_imag)


def test_operator_is_lifting_blocks_projection():
    grid = Grid(1, 10)
    net = filled(lambda key: NETWORKS.parse("FNO;4;3;2;tanh").build(grid, 1, key))
    x = np.random.default_rng(1).normal(size=(1, 10)).astype("f4")

    def pointwise(layer, u):
        kernel = np.asarray(layer.weight)[..., 0]
        return kernel @ u + np.asarray(layer.bias)

    u = pointwise(net.lifting, x)
    for block in net.blocks:
        spectral = by_fft(u, block.spectral.weight_real, block.spectral.weight_imag)
        u = np.tanh(spectral + pointwise(block.pointwise, u))
    assert len(net.blocks) == 2
    np.testing.assert_allclose(eqx.filter_jit(net)(x), pointwise(net.projection, u), atol=3e-6)


@pytest.mark.parametrize(("dims", "points", "most"), [(1, 8, 5), (1, 9, 5), (2, 8, 4), (3, 9, 4)])
def test_more_modes_than_the_grid_has_are_refused(dims, points, most):
    grid = Grid(dims, points)
    NETWORKS.parse(f"FNO;{most};2;1;relu").check(grid, 1)
    with pytest.raises(SpecError, match=rf"MODES must be at most {most} on {points} points"):
        NETWORKS.parse(f"FNO;{most + 1};2;1;relu").check(grid, 1)


def test_an_operator_sees_everything():
    assert (
        NETWORKS.parse("FNO;2;2;1;relu").receptive_field(Grid(2, 8))
        == ((float("inf"), float("inf")),) * 2
    )
