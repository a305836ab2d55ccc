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
)
KEYS = tuple(scenario_dict)


def dimensions(key):
    return (1,) if key == "diff_ks_cons" else (1, 2, 3)


def test_the_promised_keys_are_there():
    assert set(PROMISED) <= set(KEYS)
    assert len(PROMISED) == 16


@pytest.mark.parametrize("key", KEYS)
def test_scenarios_exist_in_their_dimensions(key):
    for dims in dimensions(key):
        scenario = scenario_dict[key](num_spatial_dims=dims, **SIZES)
        assert scenario.get_scenario_name().startswith(f"{dims}d_diff_")
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
