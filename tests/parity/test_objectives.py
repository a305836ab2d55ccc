"""Losses and gradients of every training configuration equal those of the published library."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from _golden import Golden

from apexr.objectives import OBJECTIVES, Setting

GOLDEN = Golden("objectives")
CONFIGS = [name for name in GOLDEN.names() if name != "frames"]


OWN = {"curriculum", "noise", "push"}
"""Objectives that the benchmark does not have."""


def test_every_objective_is_compared():
    assert {config.split(";")[0] for config in CONFIGS} == set(OBJECTIVES.names()) - OWN


@pytest.mark.parametrize("config", CONFIGS)
def test_losses_and_gradients_equal_the_published_ones(config):
    objective, factors = OBJECTIVES.parse(config), GOLDEN.meta["solver"]
    setting = Setting(reference=lambda u: factors["linear"] * u + factors["square"] * u**2)
    window = jnp.moveaxis(GOLDEN["frames"], (0, 1), (1, 2))[:, :, : objective.stored_frames]

    @jax.jit
    @jax.value_and_grad
    def loss(weights):
        def emulate(u):
            return weights["a"] * u + weights["b"] * u**2

        return jnp.mean(objective.sample_losses(emulate, window, setting))

    value, gradient = loss(GOLDEN.meta["weights"])
    made = np.array([value, gradient["a"], gradient["b"]])
    np.testing.assert_allclose(made, GOLDEN[config], rtol=2e-5)
