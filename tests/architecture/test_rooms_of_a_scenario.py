"""From a scenario to its result: which fields data depend on, and what is parsed how often."""

import collections
import dataclasses
import inspect
import pickle

import grimp
import pytest

import apexr
import apexr.experiment
from _tiny import SIZES
from apexr._grammar import Kind
from apexr.recipe import Problem, Protocol, Recipe, Request, _code
from apexr.scenarios import difficulty, plan

CONFIGS = {
    "task": "correct;parallel",
    "net": "Conv;4;1;relu",
    "train": "sup;2",
    "ic_config": "fourier;3;true;true",
    "test_ic_config": "fourier;2;true;true",
    "optim_config": "adam;4;constant;1e-3",
    "report_metrics": "mean_nRMSE,mean_nMAE",
    "callbacks": "weight_norm;2,grad_norm;4",
    "train_solver": "etdrk;4",
}


@pytest.fixture
def parsed(monkeypatch):
    """Counts how often each config string is parsed."""
    counts, parse = collections.Counter(), Kind.parse

    def counting(self, text, *rest):
        counts[text] += 1
        return parse(self, text, *rest)

    monkeypatch.setattr(Kind, "parse", counting)
    return counts


def test_every_config_string_is_parsed_once_a_run(parsed):
    apexr.run("diff_burgers", num_seeds=2, progress=False, **{**SIZES, **CONFIGS})
    wanted = [part for config in CONFIGS.values() for part in config.split(",")]
    assert {text: parsed[text] for text in wanted} == dict.fromkeys(wanted, 1)


def test_a_scenario_is_a_problem_and_a_protocol():
    problem, protocol = Problem.parameters(), Protocol.parameters()
    assert Recipe.parameters() == (*problem, *protocol)
    assert apexr.BaseScenario.parameters() == (*problem, *protocol)


def test_data_depend_on_the_problem_alone():
    """Each parameter is changed on its own: data are another's where it is one of the problem."""
    base = difficulty.Burgers(num_test_samples=5)
    changed = {
        "select": "best;valid_loss",
        "patience": 3,
        "optim_config": "adam;700;constant;1e-3",
        "batch_size": 3,
        "num_trjs_returned": 2,
        "record_loss_every": 9,
        "vlim": (-3.0, 3.0),
        "report_metrics": "mean_nMAE",
        "callbacks": "weight_norm;2",
    }
    assert set(changed) == set(Protocol.parameters())
    valid = {"num_valid_samples": 2}
    for name, value in changed.items():
        other = dataclasses.replace(base, **{name: value, **valid})
        assert other.data_parameters("train") == base.data_parameters("train"), name
        assert other.data_parameters("valid") != base.data_parameters("valid")
    for name, value in {"num_points": 64, "train_seed": 9, "convection_delta": -2.0}.items():
        other = dataclasses.replace(base, **{name: value})
        assert other.data_parameters("train") != base.data_parameters("train"), name


def test_a_copy_for_another_process_is_the_same_scenario():
    scenario = difficulty.Burgers(callbacks="weight_norm;2", test_ic_config="fourier;2;true;true")
    copy = pickle.loads(pickle.dumps(scenario))  # bytes that this very line made
    assert copy == scenario
    ids = [plan(one, Request(net="Pure;3")).attrs["experiment_id"] for one in (scenario, copy)]
    assert ids[0] == ids[1]


def test_no_file_from_recipe_to_scenarios_imports_one_that_imports_it():
    graph = grimp.build_graph("apexr", cache_dir=None)
    rooms = ("apexr.recipe", "apexr.experiment", "apexr.scenarios")
    files = {one for room in rooms for one in graph.find_descendants(room)}
    files = {one for one in files if not graph.find_children(one)}
    below = {one: graph.find_upstream_modules(one) & files for one in files}
    assert len(files) > 30
    assert not [(one, other) for one in files for other in below[one] if one in below[other]]


@pytest.mark.parametrize(
    ("thing", "home"),
    [
        (apexr.BaseScenario, "apexr.scenarios._base"),
        (apexr.physical.Burgers, "apexr.scenarios.physical._convection"),
        (apexr.difficulty.Burgers, "apexr.scenarios.difficulty"),
        (apexr.scenarios.Request, "apexr.scenarios._pieces"),
        (apexr.scenarios.specification, "apexr.scenarios._identity"),
        (apexr.scenarios.resolve, "apexr.scenarios._resolve"),
        (apexr.scenarios.score, "apexr.scenarios._score"),
        (apexr.experiment.machine, "apexr.experiment"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_fingerprints_of_code_name_things_as_they_did_before_they_moved(thing, home):
    """Ids of experiments whose scenario overrides methods hold these names."""
    assert _code._home(inspect.unwrap(thing)) == home
