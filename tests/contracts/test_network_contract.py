"""What every registered network keeps to, whatever it is."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from _tiny import filled
from apexr.engine import EmulatorPlan, Predict, count_parameters
from apexr.networks import NETWORKS
from apexr.spectral import Grid
from apexr.training import as_batched

EXAMPLES = {"Conv": "Conv;3;1;tanh", "FNO": "FNO;2;3;1;gelu"}
POINTS, BATCH = 8, 3
CASES = [
    pytest.param(name, dims, channels, id=f"{name}-{dims}d-{channels}c")
    for name in NETWORKS.names()
    for dims in (1, 2, 3)
    for channels in (1, 2)
]


def states(dims, channels, batch=BATCH):
    shape = (batch, channels, *(POINTS,) * dims)
    return jax.random.normal(jax.random.PRNGKey(1), shape)


def test_every_network_is_tried():
    assert set(EXAMPLES) == set(NETWORKS.names()), "add an example of the new network here"


@pytest.mark.parametrize(("name", "dims", "channels"), CASES)
def test_networks_map_states_to_states(name, dims, channels):
    grid = Grid(dims, POINTS, 3.0)
    spec = NETWORKS.parse(EXAMPLES[name])
    u = states(dims, channels)
    shift = (3, *(0,) * (dims - 1))

    axes = tuple(range(2, 2 + dims))

    @jax.jit
    def outputs(key, u):
        net = spec.build(grid, channels, key)
        both = jnp.concatenate([u, jnp.roll(u, shift, axes)])
        return jax.vmap(net)(u), jnp.moveaxis(as_batched(net)(jnp.moveaxis(both, 0, 1)), 1, 0)

    mapped, batched = map(np.asarray, outputs(jax.random.PRNGKey(0), u))
    assert mapped.shape == u.shape
    assert mapped.dtype == np.float32
    assert np.isfinite(mapped).all()
    assert np.ptp(mapped) > 0
    np.testing.assert_allclose(batched[:BATCH], mapped, atol=2e-6)
    moved = np.roll(mapped, shift, axes)
    np.testing.assert_allclose(batched[BATCH:], moved, atol=2e-6, err_msg="not periodic")


@pytest.mark.parametrize(("name", "dims", "channels"), CASES)
def test_counting_parameters_needs_no_weights(name, dims, channels):
    grid = Grid(dims, POINTS)
    spec = NETWORKS.parse(EXAMPLES[name])
    plan = EmulatorPlan(spec, Predict(), grid, channels, coarse_stepper=lambda: None)
    plan.check()
    leaves = jax.tree.leaves(filled(lambda key: spec.build(grid, channels, key)))
    sizes = [math.prod(leaf.shape) for leaf in leaves if hasattr(leaf, "shape")]
    assert count_parameters(plan) == sum(sizes) > 0


@pytest.mark.parametrize("name", NETWORKS.names())
def test_equal_keys_give_equal_weights(name):
    spec = NETWORKS.parse(EXAMPLES[name])
    grid = Grid(1, POINTS)

    @jax.jit
    def drawn(key):
        leaves = jax.tree.leaves(spec.build(grid, 1, key))
        return jnp.concatenate([leaf.ravel() for leaf in leaves if hasattr(leaf, "shape")])

    def weights(seed):
        return np.asarray(drawn(jax.random.PRNGKey(seed)))

    np.testing.assert_array_equal(weights(0), weights(0))
    assert not np.array_equal(weights(0), weights(1))


@pytest.mark.parametrize("name", NETWORKS.names())
def test_receptive_fields_are_given_for_each_axis(name):
    spec = NETWORKS.parse(EXAMPLES[name])
    for dims in (1, 2, 3):
        field = spec.receptive_field(Grid(dims, POINTS))
        assert len(field) == dims
        assert all(back >= 0 and forward >= 0 for back, forward in field)
