"""Mixed precision: factors in bfloat16, sums in single precision; how much that costs."""

import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import apexr
from _tiny import NET, SIZES, filled
from apexr.engine import Mixed
from apexr.networks import NETWORKS
from apexr.spectral import Grid

DIGIT = 2.0**-8
"""How far rounding to bfloat16 moves a number, relative to it, at most."""
FACTOR = 1.25
"""What errors of a trained network grow by, at most: what docs/training.md says."""

NETWORKS_1D = ["Conv;4;2;tanh", "Res;4;1;relu", "UNet;4;1;tanh", "MLP;6;1;tanh", "FNO;3;4;1;gelu"]


def rounded(array):
    return np.asarray(jnp.asarray(array, jnp.bfloat16), np.float64)


@pytest.mark.parametrize("form", ["convolution", "matrix"])
def test_products_are_those_of_rounded_factors(form):
    """Compared in double precision: values, and the gradients by state and weights."""
    rng = np.random.default_rng(0)
    grid = Grid(1, 12)
    config = "Conv;1;0;tanh" if form == "convolution" else "MLP;1;0;tanh"
    net = filled(lambda key: NETWORKS.parse(config).build(grid, 1, key))
    states = jnp.asarray(rng.normal(size=(1, 3, 12)), jnp.float32)
    behind = jnp.asarray(rng.normal(size=(1, 3, 12)), jnp.float32)

    def outcome(net, states):
        return jnp.sum(behind * Mixed(net).batched(states))

    weight = net.layers[0].weight
    value = Mixed(net).batched(states)
    by_net, by_states = jax.grad(outcome, argnums=(0, 1))(net, states)
    w, u, g = rounded(weight), rounded(states), rounded(behind)
    if form == "convolution":
        matrix = np.zeros((12, 12))
        for tap, offset in enumerate((-1, 0, 1)):
            matrix += w[0, 0, tap] * np.roll(np.eye(12), offset, axis=1)
        gathered = np.stack([np.roll(u[0], -offset, axis=1) for offset in (-1, 0, 1)])
        by_weight = np.einsum("tbx,bx->t", gathered, g[0])[None, None]
    else:
        matrix = w
        by_weight = np.einsum("bx,by->xy", g[0], u[0])
    bias = np.asarray(net.layers[0].bias, np.float64).reshape(-1)
    np.testing.assert_allclose(value[0], u[0] @ matrix.T + bias, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(by_states[0], g[0] @ matrix, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(by_net.layers[0].weight, by_weight, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("config", NETWORKS_1D)
def test_every_network_rounds_and_stays_near(config):
    net = filled(lambda key: NETWORKS.parse(config).build(Grid(1, 16), 1, key), scale=0.3)
    states = jnp.asarray(np.random.default_rng(1).normal(size=(1, 4, 16)), jnp.float32)
    plain, mixed = net.batched(states), Mixed(net).batched(states)
    assert mixed.dtype == jnp.float32
    size = float(jnp.abs(plain).max())
    apart = float(jnp.abs(plain - mixed).max())
    assert 0 < apart < 20 * DIGIT * size
    np.testing.assert_array_equal(net.batched(states), plain)  # it is over


def test_errors_stay_within_the_stated_factor(tmp_path):
    keywords = {
        **SIZES,
        "num_points": 32,
        "num_train_samples": 10,
        "train_temporal_horizon": 20,
        "net": "Conv;8;2;tanh",
        "optim_config": "adam;300;cosine;1e-2",
        "batch_size": 20,
        "record_loss_every": 100,
        "num_seeds": 2,
        "progress": False,
    }
    single = apexr.run("diff_adv", **keywords, precision="float32")
    store = tmp_path / "mixed.zarr"
    mixed = apexr.run("diff_adv", **keywords, precision="mixed", store=store)
    assert (single.mean_nRMSE.isel(time=0) < 0.2).all()  # it has learned something
    ratio = (mixed.mean_nRMSE / single.mean_nRMSE).median("seed")
    assert (ratio < FACTOR).all()
    assert not (mixed.mean_nRMSE == single.mean_nRMSE).any()
    np.testing.assert_array_equal(mixed.initial_state, single.initial_state)
    assert mixed.sample_rollout.dtype == mixed.train_loss.dtype == np.float32
    assert mixed.attrs["precision"] == "mixed"
    assert mixed.attrs["products"] == "bfloat16 factors, float32 sums"
    assert json.loads(mixed.attrs["specification"])["precision"] == "mixed"
    assert mixed.attrs["experiment_id"] != single.attrs["experiment_id"]
    networks = apexr.load_networks(store)
    state = jnp.asarray(mixed.initial_state.values[0])
    step = eqx.filter_jit(networks[0])(state)
    np.testing.assert_allclose(step, mixed.sample_rollout.values[0, 0, 0], rtol=1e-4, atol=1e-5)
    names = set(apexr.store.read_weights(store))
    assert {"layers.0.weight", "layers.0.bias"} <= names
    still = {**keywords, "optim_config": "adam;2;constant;1e-9", "record_loss_every": 1}
    warm = apexr.run("diff_adv", **still, init=str(store))
    np.testing.assert_allclose(warm.mean_nRMSE, mixed.mean_nRMSE, rtol=0.2)


def test_solvers_and_corrections_keep_their_precision():
    keywords = {**SIZES, "net": NET, "progress": False, "task": "correct;sequential"}
    mixed = apexr.run("diff_burgers", **keywords, train="div;2", precision="mixed")
    single = apexr.run("diff_burgers", **keywords, train="div;2", precision="float32")
    np.testing.assert_array_equal(mixed.sample_reference, single.sample_reference)
    np.testing.assert_allclose(mixed.train_loss, single.train_loss, rtol=0.05)
