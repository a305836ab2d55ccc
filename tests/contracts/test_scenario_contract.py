"""What every registered scenario keeps to."""

import json

import pytest

from _tiny import tiny
from apexr._digest import digest
from apexr.errors import SpecError
from apexr.scenarios import Request, scenario_dict, specification
from apexr.steppers import Stepper

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
    *("phy_poisson", "phy_sh", "phy_gs", "phy_gs_type", "phy_decay_turb", "phy_kolm_flow"),
    *("phy_unbal_adv", "phy_diag_diff", "phy_aniso_diff", "phy_mix_disp", "phy_mix_hyp"),
)
KEYS = tuple(scenario_dict)


def test_the_promised_keys_are_there():
    assert set(PROMISED) <= set(KEYS)
    assert len(PROMISED) == 16 + 16 + 28


def steppers(scenario):
    yield scenario.get_ref_stepper()
    if scenario.get_scenario_name().split("_")[2] != "poisson":
        yield scenario.get_coarse_stepper()


@pytest.mark.parametrize("key", KEYS)
def test_scenarios_exist_in_their_dimensions(key):
    for dims in scenario_dict[key].dimensions:
        scenario = scenario_dict[key](**tiny(key, dims))
        assert scenario.get_scenario_name().startswith(f"{dims}d_{key.split('_')[0]}_")
        channels = scenario.num_channels
        for stepper in steppers(scenario):
            assert stepper.grid == scenario.grid
            assert not isinstance(stepper, Stepper) or stepper.num_channels == channels
        assert scenario.axes.num_spatial_dims == dims


@pytest.mark.parametrize("key", KEYS)
def test_scenarios_are_described_and_printed_whole(key):
    cls = scenario_dict[key]
    assert cls.__doc__
    assert not cls.__doc__.startswith("Scenario(")  # not the text that dataclasses make up
    made = cls()
    printed = repr(made)
    assert printed.startswith(f"{cls.__name__}(\n  num_spatial_dims={made.num_spatial_dims},\n")
    assert all(f"  {name}=" in printed for name in cls.parameters())


@pytest.mark.parametrize("key", KEYS)
def test_scenarios_survive_their_specification(key):
    scenario = scenario_dict[key](**tiny(key))
    identity = specification(scenario, Request())
    read = json.loads(json.dumps(identity))
    again = scenario_dict[read["scenario"]](**read["parameters"])
    assert read["scenario"] == key
    assert again == scenario
    assert hash(again) == hash(scenario)
    assert digest(read) == digest(identity)


@pytest.mark.parametrize("key", KEYS)
def test_misspelled_keywords_are_corrected(key):
    name = scenario_dict[key].parameters()[-1]
    with pytest.raises(SpecError, match=rf"unknown scenario keyword '{name}_'.*mean '{name}'"):
        scenario_dict[key](**{f"{name}_": 1})


def test_identities_differ():
    ids = {digest(specification(cls(), Request())) for cls in map(scenario_dict.get, KEYS)}
    assert len(ids) == len(KEYS)
