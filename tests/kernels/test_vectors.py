"""Updates as vectors: states keep the shapes of the weights, and what is factored its factors."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from apexr.kernels import add_changes
from apexr.training import NAMED_OPTIMIZERS, OPTIMIZERS

SHAPES = {"kernel": (3, 2, 4), "bias": (3, 1), "shift": (), "matrix": (130, 140)}


def draw(seed):
    random = np.random.default_rng(seed)
    return {name: jnp.asarray(random.normal(size=shape), "f4") for name, shape in SHAPES.items()}


@pytest.mark.parametrize("name", NAMED_OPTIMIZERS)
def test_states_are_those_of_optax(name):
    weights, gradient = draw(0), draw(1)
    made = OPTIMIZERS.parse(f"{name};10;constant;1e-2").build()
    known = getattr(optax, name)(optax.constant_schedule(1e-2))
    ours, theirs = (which.update(gradient, which.init(weights), weights) for which in (made, known))
    assert jax.tree.structure(ours) == jax.tree.structure(theirs)
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_changes_are_added():
    weights, changes = draw(0), draw(1)
    added = add_changes(weights, changes)
    for name, shape in SHAPES.items():
        assert added[name].shape == shape
        np.testing.assert_array_equal(added[name], weights[name] + changes[name])
