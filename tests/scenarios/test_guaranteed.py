"""The scenarios whose data are said to be finite."""

import jax
import numpy as np
import pytest

from _tiny import tiny
from apexr.scenarios import GUARANTEED_FINITE, scenario_dict

FEW = (("diff_ks", 3), ("phy_kolm_flow", 2), ("phy_gs_type", 2), ("norm_kdv", 1))
DATA = ("get_train_data", "get_test_data", "get_train_data_coarse", "get_test_data_coarse")


def is_finite(scenario):
    coarse = "poisson" not in scenario.get_scenario_name()
    for name in DATA if coarse else DATA[:2]:
        if not np.isfinite(getattr(scenario, name)()).all():
            return False
    return True


def test_the_list():
    assert len(set(GUARANTEED_FINITE)) == len(GUARANTEED_FINITE) == 46 + 16 + 18 + 10
    assert {key for key, _ in GUARANTEED_FINITE} == set(scenario_dict)
    assert all(dims in scenario_dict[key].dimensions for key, dims in GUARANTEED_FINITE)


@pytest.mark.parametrize(("key", "dims"), FEW)
def test_small_data_are_finite(key, dims):
    assert is_finite(scenario_dict[key](**{**tiny(key, dims), "num_warmup_steps": 3}))


@pytest.mark.slow
@pytest.mark.parametrize(("key", "dims"), GUARANTEED_FINITE)
def test_default_data_are_finite(key, dims):
    scenario = scenario_dict[key](num_spatial_dims=dims, num_points=32 if dims == 3 else 160)
    assert is_finite(scenario)
    jax.clear_caches()
