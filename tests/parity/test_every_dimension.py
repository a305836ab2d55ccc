"""Every key in every dimension it supports: the published data, and the published refusals."""

import itertools

import jax
import pytest
from _golden import Golden, deviation

from apexr.errors import ShapeError, SpecError
from apexr.scenarios import scenario_dict

FILE = Golden("data_special")
OTHERS = [Golden(name) for name in ("data_1d", "data_2d", "data_3d", "data_other")]
LIMIT = 2e-4
UNNAMED = {"phy_burgers": "burgers"}  # the published one forgets to return its name
_run = itertools.count(1)


@pytest.fixture(autouse=True)
def _free_compiled_programs_in_between():
    yield
    if next(_run) % 25 == 0:
        jax.clear_caches()


def test_golden_data_cover_every_key_in_every_dimension():
    expected = {(key, dims) for key, cls in scenario_dict.items() for dims in cls.dimensions}
    cases = [case for file in (FILE, *OTHERS) for case in file.meta["cases"].values()]
    covered = {(case["scenario"], case["kwargs"].get("num_spatial_dims", 1)) for case in cases}
    assert covered == expected
    assert FILE.meta["not_finite"] == []
    assert len({key for key, _ in covered}) == 60


@pytest.mark.parametrize("case", FILE.meta["cases"])
def test_data_equal_the_published_ones(case):
    facts = FILE.meta["cases"][case]
    scenario = scenario_dict[facts["scenario"]](**facts["kwargs"])
    suffix = UNNAMED.get(facts["scenario"])
    expected = facts["name"] or f"{scenario.num_spatial_dims}d_phy_{suffix}"
    assert scenario.get_scenario_name() == expected
    assert scenario.num_channels == facts["num_channels"]
    assert deviation(scenario.get_train_data(), FILE[f"{case}/train"]) < LIMIT
    if f"{case}/test_coarse_last" in FILE:
        coarse = scenario.get_test_data_coarse()[:, -1]
        assert deviation(coarse, FILE[f"{case}/test_coarse_last"]) < LIMIT
    else:
        assert facts["scenario"] == "phy_poisson"


REFUSED = FILE.meta["refused"]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_the_published_benchmark_refuses_is_refused(number):
    facts = REFUSED[number]
    with pytest.raises((SpecError, ShapeError)) as refusal:
        scenario_dict[facts["scenario"]](num_points=16, **facts["kwargs"]).get_ref_stepper()
    assert tells(str(refusal.value), facts["kwargs"])


def tells(message, keywords):
    """Tell whether a message names a parameter that is at fault, or its value."""
    changed = {name: value for name, value in keywords.items() if name != "num_spatial_dims"}
    wrong = changed or {**keywords, "_coef_": None}
    return any(name in message or repr(value) in message for name, value in wrong.items())


def test_a_solution_of_poisson_is_no_correction():
    scenario = scenario_dict["phy_poisson"](num_points=16)
    with pytest.raises(SpecError, match="Poisson has no coarse stepper"):
        scenario.get_test_data_coarse()
