"""What every registered scenario keeps to."""

import json

import numpy as np
import pytest

from _tiny import SIZES
from apexr.errors import SpecError
from apexr.scenarios import Request, digest, scenario_dict, specification

PROMISED = (
    *("diff_lin", "diff_lin_simple", "diff_adv", "diff_diff", "diff_adv_diff", "diff_disp"),
    *("diff_hyp_diff", "diff_four", "diff_conv", "diff_burgers", "diff_ks_cons", "diff_nonlin"),
    *("diff_burgers_sc", "diff_kdv", "diff_ks", "diff_fisher"),
    *("norm_lin", "norm_lin_simple", "norm_adv", "norm_diff", "norm_adv_diff", "norm_disp"),
    *("norm_hypdiff", "norm_four", "norm_conv", "norm_burgers", "norm_ks_cons", "norm_nonlin"),
    *("norm_burgers_sc", "norm_kdv", "norm_ks", "norm_fisher"),
    *("phy_lin", "phy_lin_simple", "phy_adv", "phy_diff", "phy_adv_diff", "phy_disp"),
    *("phy_hyp_diff", "phy_four", "phy_conv", "phy_burgers", "phy_ks_cons", "phy_nonlin"),
    *("phy_burgers_sc", "phy_kdv", "phy_ks", "phy_poly", "phy_fisher"),
)
KEYS = tuple(scenario_dict)


def dimensions(key):
    return (1,) if key.endswith("_ks_cons") else (1, 2, 3)


def test_the_promised_keys_are_there():
    assert set(PROMISED) <= set(KEYS)
    assert len(PROMISED) == 16 + 16 + 17


@pytest.mark.parametrize("key", KEYS)
def test_scenarios_exist_in_their_dimensions(key):
    for dims in dimensions(key):
        scenario = scenario_dict[key](num_spatial_dims=dims, **SIZES)
        assert scenario.get_scenario_name().startswith(f"{dims}d_{key.split('_')[0]}_")
        state = np.zeros((scenario.num_channels, *(SIZES["num_points"],) * dims))
        for stepper in (scenario.get_ref_stepper(), scenario.get_coarse_stepper()):
            assert stepper.grid == scenario.grid
            assert stepper.num_channels == state.shape[0]
        assert scenario.axes.num_spatial_dims == dims


@pytest.mark.parametrize("key", KEYS)
def test_scenarios_are_described_and_printed_whole(key):
    cls = scenario_dict[key]
    assert cls.__doc__
    assert not cls.__doc__.startswith("Scenario(")  # not the text that dataclasses make up
    printed = repr(cls())
    assert printed.startswith(f"{cls.__name__}(\n  num_spatial_dims=1,\n  num_points=160,\n")
    assert all(f"  {name}=" in printed for name in cls.parameters())


@pytest.mark.parametrize("key", KEYS)
def test_scenarios_survive_their_specification(key):
    scenario = scenario_dict[key](**SIZES)
    identity = specification(scenario, Request())
    read = json.loads(json.dumps(identity))
    again = scenario_dict[read["scenario"]](**read["parameters"])
    assert read["scenario"] == key
    assert again == scenario
    assert hash(again) == hash(scenario)
    assert digest(read) == digest(identity)


@pytest.mark.parametrize("key", KEYS)
def test_misspelt_keywords_are_corrected(key):
    name = scenario_dict[key].parameters()[-1]
    with pytest.raises(SpecError, match=rf"unknown scenario keyword '{name}_'.*mean '{name}'"):
        scenario_dict[key](**{f"{name}_": 1})


def test_identities_differ():
    ids = {digest(specification(scenario_dict[key](), Request())) for key in KEYS}
    assert len(ids) == len(KEYS)
