"""Initial conditions equal the published benchmark's, from the same seeds."""

import numpy as np
import pytest
from _golden import Golden

from apexr.initial import INITIAL_CONDITIONS, sample_set
from apexr.spectral import Grid

GOLDEN = Golden("initial")


@pytest.mark.parametrize("shape", sorted(GOLDEN.meta["shapes"]))
@pytest.mark.filterwarnings("ignore:.*has no effect")
def test_samples_equal_the_published_ones(shape):
    facts = GOLDEN.meta["shapes"][shape]
    grid = Grid(facts["num_spatial_dims"], facts["num_points"])
    for config in GOLDEN.meta["configs"]:
        made = sample_set(
            INITIAL_CONDITIONS.parse(config),
            grid,
            num_samples=facts["num_train_samples"],
            num_channels=facts["num_channels"],
            seed=facts["train_seed"],
        )
        golden = GOLDEN[f"{shape}/{config}"]
        scale = max(1.0, np.abs(golden).max())
        assert np.abs(np.asarray(made) - golden).max() < 1e-4 * scale, config
