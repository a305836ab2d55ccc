"""A batch taken in parts gives the losses and the weights of the whole batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from _tiny import filled
from apexr.networks import NETWORKS
from apexr.objectives import OBJECTIVES
from apexr.spectral import Grid
from apexr.training import OPTIMIZERS, TrainingPlan, _chunk, train

PLAN = TrainingPlan(
    objective=OBJECTIVES.parse("sup;2"),
    optimizer=OPTIMIZERS.parse("adam;5;constant;1e-2"),
    batch_size=4,
    record_loss_every=2,
)


def trained(dims, seeds):
    """Return losses and weights after a few updates on noise; 6 windows: batches of 4 and 2."""
    points = 8
    shape = (3, 4, 1, *(points,) * dims)
    data = jnp.asarray(np.random.default_rng(0).normal(size=shape), jnp.float32)
    spec, grid = NETWORKS.parse("Conv;2;1;tanh"), Grid(dims, points)
    made = [filled(lambda key: spec.build(grid, 1, key), seed) for seed in range(seeds)]
    emulators = jax.tree.map(lambda *leaves: jnp.stack(leaves), *made)
    keys = jnp.asarray(np.stack([np.array([0, seed], "u4") for seed in range(seeds)]))
    _chunk.compiled_chunk.cache_clear()
    result = train(emulators, data, keys, PLAN)
    return [result.losses, *jax.tree.leaves(result.emulators)]


@pytest.mark.parametrize(("dims", "seeds"), [(2, 1), (2, 2), (3, 2)])
def test_parts_add_up_to_the_whole(dims, seeds, monkeypatch):
    in_parts = trained(dims, seeds)
    monkeypatch.setattr("apexr.kernels._windows.LIGHT", 0)
    for part, whole in zip(in_parts, trained(dims, seeds), strict=True):
        np.testing.assert_allclose(part, whole, rtol=2e-4, atol=2e-6)
    _chunk.compiled_chunk.cache_clear()


@pytest.mark.parametrize(
    ("space", "batch", "weights", "size"),
    [
        ((32, 32), 20, 1000, 2),
        ((32, 32), 5, 1000, 1),
        ((32, 32), 20, 200_000, 20),  # reading them ten times would cost more
        ((8, 8, 8), 2, 1000, 2),
        ((16, 16, 16), 20, 1000, 1),
        ((64, 64), 20, 1000, 1),
        ((160,), 20, 1000, 20),
    ],
)
def test_how_many_windows_go_at_once(space, batch, weights, size):
    work = _chunk.Work(
        _chunk.Constants(),
        np.zeros((1, 3, *space)),
        np.zeros((1, batch), int),
        np.zeros((1, batch)),
        np.int32(0),
        np.int32(1),
    )
    assert _chunk.windows_at_once([np.zeros(weights)], work) == size
