"""Networks on grids whose axes have different numbers of points."""

import functools

import equinox as eqx
import jax
import numpy as np
import pytest

from _tiny import filled
from apexr.errors import SpecError
from apexr.networks import NETWORKS
from apexr.spectral import Grid
from apexr.training import as_batched

WIDE, TALL = Grid(2, (12, 8), (3.0, 2.0)), Grid(2, (8, 12), (2.0, 3.0))
LOCAL = ["Conv;3;2;tanh", "Dil;1;3;1;tanh", "MoRes;3;1;tanh", "Pure;3", "Res;3;1;tanh"]
HALVING = ["MoUNet;2;1;tanh", "UNet;2;2;tanh", "CNeXt;3;2;1", "UNetMod;8;1,1;1;tanh"]
SPECTRAL = ["FNO;4;3;1;gelu", "FFNO;4;3;1", "LocalNO;6;3;2", "TFNO;7;3;2;0.5", "UNO;3;2;1"]
EVERY = [*LOCAL, *HALVING, *SPECTRAL, "MLP;5;1;swish", "AViT;48;2;1;4"]
ONE_AXIS = {"Trans"}
WRAPPERS = {"bundle", "delta", "history", "norm"}  # see test_wrappers.py


def state(grid, channels=2):
    return np.random.default_rng(1).normal(size=(channels, *grid.shape)).astype("f4")


@functools.cache
def compiled(config):
    """Return a network on the wide grid as a compiled function of a state: one for all tests."""
    spec = NETWORKS.parse(config)
    spec.check(WIDE, 2)
    return eqx.filter_jit(filled(lambda key: spec.build(WIDE, 2, key), scale=0.3))


def test_every_network_is_tried():
    assert {config.split(";")[0] for config in EVERY} == set(NETWORKS.names()) - ONE_AXIS - WRAPPERS


@pytest.mark.parametrize("config", EVERY)
def test_batches_and_single_states_agree(config):
    net, u = compiled(config), state(WIDE)
    alone = np.asarray(net(u))
    assert alone.shape == u.shape
    both = eqx.filter_jit(as_batched(net.__wrapped__))(np.stack([u, 2 * u], axis=1))
    np.testing.assert_allclose(both[:, 0], alone, atol=2e-5)


@pytest.mark.parametrize("config", [*LOCAL, *HALVING])
def test_turned_kernels_take_turned_states_to_turned_ones(config):
    net, u = compiled(config), state(WIDE)

    def turned(leaf):
        wide = eqx.is_array(leaf) and leaf.ndim == 4 and leaf.shape[-1] > 1
        return np.swapaxes(leaf, -1, -2) if wide else leaf

    other = eqx.filter_jit(jax.tree.map(turned, net.__wrapped__))
    expected = np.swapaxes(np.asarray(net(u)), 1, 2)
    np.testing.assert_allclose(other(np.swapaxes(u, 1, 2)), expected, atol=2e-5)
    assert TALL.shape == expected.shape[1:]


@pytest.mark.parametrize("config", [*LOCAL, *HALVING, *SPECTRAL])
def test_shifts_go_through(config):
    net, u = compiled(config), state(WIDE)
    expected = np.roll(np.asarray(net(u)), (4, -4), (1, 2))
    np.testing.assert_allclose(net(np.roll(u, (4, -4), (1, 2))), expected, atol=2e-5)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("FNO;5;3;1;gelu", "at most 4 on 8 points along an axis in 2D"),
        ("UNet;2;3;relu", "12 points can be halved 2 times, not 3"),
        ("Dil;4;3;1;relu", "at most 3 on 8 points along an axis"),
        ("CNeXt;3;3;1", "12 points can be halved 2 times, not 3"),
        ("UNetMod;8;1,1,1,1", "12 points can be halved 2 times, not 3"),
        ("FFNO;6;3;1", "at most 5 on 8 points along an axis"),
        ("TFNO;9;3;1", "at most 8 on 8 points along an axis"),
        ("LocalNO;9;3;1", "at most 8 on 8 points along an axis"),
        ("UNO;4;3;1", "at most 3 on the coarsest grid, of 4 points"),
        ("AViT;48;2;1;8", "12 points cannot be cut into patches of 8; .* are 8 and 16"),
    ],
)
def test_the_axis_with_the_fewest_points_decides(config, said):
    with pytest.raises(SpecError, match=said):
        NETWORKS.parse(config).check(WIDE, 1)


def test_the_receptive_field_is_told_for_each_axis():
    assert NETWORKS.parse("MLP;5;1;relu").receptive_field(WIDE) == ((12, 12), (8, 8))
    assert NETWORKS.parse("Conv;3;2;relu").receptive_field(WIDE) == ((3, 3), (3, 3))
