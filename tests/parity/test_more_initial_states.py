"""Initial conditions equal the published generators', from the same keys."""

import jax
import numpy as np
import pytest
from _golden import Golden

from apexr.initial import INITIAL_CONDITIONS
from apexr.spectral import Grid

GOLDEN = Golden("initial_more")


@pytest.mark.parametrize("case", sorted(GOLDEN.meta["cases"]))
def test_states_equal_the_published_ones(case):
    facts = GOLDEN.meta["cases"][case]
    condition = INITIAL_CONDITIONS.parse(facts["config"])
    grid = Grid(facts["num_spatial_dims"], facts["num_points"])
    sample = jax.jit(lambda key: condition.sample(grid, key))
    for seed in GOLDEN.meta["seeds"]:
        golden = GOLDEN[f"{case}/{seed}"]
        made = np.asarray(sample(jax.random.PRNGKey(seed)))
        assert made.shape == golden.shape
        assert np.abs(made - golden).max() < 2e-5 * max(1.0, np.abs(golden).max())
