"""Initial conditions equal the published generators', from the same keys: of both releases."""

import jax
import numpy as np
import pytest
from _golden import Golden

from apexr.initial import INITIAL_CONDITIONS, drawn_from_noise
from apexr.spectral import Grid

GOLDEN = Golden("initial_more")
SECOND = Golden("initial_noise")


@pytest.mark.parametrize("case", sorted(GOLDEN.meta["cases"]))
def test_states_equal_the_published_ones(case):
    check(GOLDEN, case, lambda condition: condition)


@pytest.mark.parametrize("case", sorted(SECOND.meta["cases"]))
def test_states_from_noise_equal_those_of_the_second_release(case):
    check(SECOND, case, drawn_from_noise)


def check(golden_arrays, case, changed):
    facts = golden_arrays.meta["cases"][case]
    condition = changed(INITIAL_CONDITIONS.parse(facts["config"]))
    grid = Grid(facts["num_spatial_dims"], facts["num_points"])
    sample = jax.jit(lambda key: condition.sample(grid, key))
    for seed in golden_arrays.meta["seeds"]:
        golden = golden_arrays[f"{case}/{seed}"]
        made = np.asarray(sample(jax.random.PRNGKey(seed)))
        assert made.shape == golden.shape
        assert np.abs(made - golden).max() < 2e-5 * max(1.0, np.abs(golden).max())
