"""Reference data equal the published benchmark's, for all scenario keys and dimensions."""

import pytest
from _golden import Golden, deviation

from apexr import scenarios

FILES = {dims: Golden(f"data_{dims}d") for dims in (1, 2, 3)}
CASES = [(dims, case) for dims, file in FILES.items() for case in file.meta["cases"]]
LIMIT = 2e-4

METHODS = {
    "train": "get_train_data",
    "test": "get_test_data",
    "train_coarse": "get_train_data_coarse",
    "test_coarse": "get_test_data_coarse",
}


def test_every_key_and_dimension_is_covered():
    keys = {key for key in scenarios.scenario_dict if key.startswith("diff_")}
    for dims, file in FILES.items():
        covered = {case["scenario"] for case in file.meta["cases"].values()}
        assert keys - covered == (set() if dims == 1 else {"diff_ks_cons"})


@pytest.mark.parametrize(("dims", "case"), CASES, ids=str)
def test_data_equal_the_published_ones(dims, case):
    golden = FILES[dims]
    facts = golden.meta["cases"][case]
    scenario = scenarios.scenario_dict[facts["scenario"]](**facts["kwargs"])
    assert scenario.get_scenario_name() == facts["name"]
    assert scenario.num_channels == facts["num_channels"]
    for name, method in METHODS.items():
        assert deviation(getattr(scenario, method)(), golden[f"{case}/{name}"]) < LIMIT, name
