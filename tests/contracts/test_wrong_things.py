"""Every public function answers wrong kinds of things with an error of apexr's own."""

import inspect
import re
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import apexr
from _tiny import SIZES
from apexr import store as stores
from apexr.errors import ApexrError, SpecError
from apexr.testing import mock_experiment

PACKAGES = (apexr, apexr.analysis, apexr.plot, apexr.scraper, apexr.transfer)
NOT_WRONG = {
    ("run_study", "configs"): {"generator"},
    ("run_study_convenience", "configs"): {"generator"},
}
"""Things that a parameter takes, whatever comes of them later."""


class Module(eqx.Module):
    """A network of one's own."""

    def __call__(self, state):
        return state


def functions():
    """Return all public functions by their names."""
    named = [(n, getattr(package, n)) for package in PACKAGES for n in package.__all__]
    return {name: held for name, held in named if inspect.isfunction(held)}


FUNCTIONS = functions()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("wrong") / "study.zarr"
    stores.create_study(path)
    for number, net in enumerate(("Conv;2;1;relu", "Pure;3")):
        ds = mock_experiment(net=net, seeds=(0, 1), num_times=4, num_points=8)
        stores.publish_experiment(ds, {}, stores.unit_path(path, f"{number:032d}"))
    return path


@pytest.fixture(scope="module")
def things(study):
    """Return things of every kind by name, each made by a call."""
    result = mock_experiment(seeds=(0, 1), num_times=4, num_points=8)
    opened = stores.open_study(study)
    return {
        "None": lambda: None,
        "int": lambda: 3,
        "float": lambda: 2.5,
        "nan": lambda: float("nan"),
        "bool": lambda: True,
        "text": lambda: "nothere",
        "bytes": lambda: b"x",
        "list": lambda: ["mean_nRMSE"],
        "empty list": list,
        "tuple": lambda: (1, 2),
        "dict": lambda: {"a": 1},
        "set": lambda: {"a"},
        "generator": lambda: (item for item in range(2)),
        "array": lambda: np.zeros((2, 3)),
        "array of JAX": lambda: jnp.zeros(3),
        "DataArray": lambda: xr.DataArray([1.0, 2.0], dims="q"),
        "a metric": lambda: result.mean_nRMSE,
        "Dataset": lambda: xr.Dataset({"a": ("q", [1.0])}),
        "empty Dataset": xr.Dataset,
        "result": lambda: result,
        "study": opened.copy,
        "table": lambda: pd.DataFrame({"a": [1]}),
        "tree": xr.DataTree,
        "path": lambda: Path("nothere"),
        "object": object,
        "function": lambda: lambda x: x,
        "class": lambda: int,
        "module": Module,
    }


@pytest.fixture
def right(things, tmp_path):
    """Return for each required parameter something that is right."""
    result = things["result"]()
    return {
        "data": result,
        "ds": result,
        "array": result.mean_nRMSE,
        "field": result.sample_rollout,
        "variable": "mean_nRMSE",
        "df": apexr.to_long(result, "mean_nRMSE"),
        "path": tmp_path / "x.csv",
        "store": tmp_path / "none.zarr",
        "file": tmp_path / "nothere.csv",
        "scenario": apexr.difficulty.Advection(**SIZES),
        "solver": "diff_adv",
        "configs": [],
        "quantity": "mean_nRMSE",
        "uniquifier": "t",
        "rollout": np.zeros(3),
        "plots": [],
        "obj": None,
        "text": "{}",
        "cost": np.zeros(2),
        "error": np.zeros(2),
        "x": "net",
        "y": "train",
        "pieces": iter([]),
        "task": "predict",
        "net": "Conv;2;1;tanh",
        "train": "one",
        "start_seed": 0,
        "num_seeds": 1,
    }


@pytest.fixture(autouse=True)
def _no_work(monkeypatch, tmp_path):
    """Make training and simulating an error of apexr's: a thing that gets there was accepted."""

    def reached(*_, **__):
        raise SpecError("accepted")

    monkeypatch.chdir(tmp_path)
    for name in ("apexr.experiment._run.execute", "apexr.experiment._data._trajectories"):
        monkeypatch.setattr(name, reached)
    monkeypatch.setattr("apexr._simulate._simulate.read_states", reached)
    monkeypatch.setattr("apexr.plots._animate.drawn_frames", reached, raising=False)


def wrong_calls(name, things, right):
    """Yield each call of a function with one thing that is wrong: parameter, thing, keywords."""
    parameters = [
        p for p in inspect.signature(FUNCTIONS[name]).parameters.values() if p.kind < p.VAR_KEYWORD
    ]
    given = {p.name: right.get(p.name) for p in parameters if p.default is p.empty}
    given |= {"progress": False} if any(p.name == "progress" for p in parameters) else {}
    for parameter in parameters:
        for thing, make in things.items():
            if thing not in NOT_WRONG.get((name, parameter.name), ()):
                yield parameter.name, thing, {**given, parameter.name: make()}


SLOW = ("animate", "explore")  # these draw films and pages where what is given fits


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - set(SLOW)))
@pytest.mark.filterwarnings("ignore")
def test_wrong_things_get_an_error_of_apexr(name, things, right):
    leaks, refused = [], 0
    for parameter, thing, keywords in wrong_calls(name, things, right):
        try:
            FUNCTIONS[name](**keywords)
        except ApexrError as error:
            refused += 1
            assert len(str(error)) > 5
        except Exception as error:  # what leaks is what is looked for
            leaks.append(f"{parameter}={thing}: {type(error).__name__}: {error}")
    assert not leaks
    assert refused >= len(things) // 2


SAID = {
    "several names where one is meant": (
        lambda t: apexr.to_long(t["study"](), ["mean_nRMSE"]),
        r"to_long: variable must be text, got the list \['mean_nRMSE'\]; name one at a time",
    ),
    "an array where a result is meant": (
        lambda t: apexr.plot.metric(t["a metric"]()),
        r"metric: ds must be a Dataset.*got the DataArray 'mean_nRMSE'.*name the variable",
    ),
    "numbers where a result is meant": (
        lambda t: apexr.plot.loss(np.zeros((2, 3))),
        r"loss: ds must be a Dataset.*got an array of shape \(2, 3\)",
    ),
    "a result where a plot is meant": (
        lambda t: apexr.plot.save(t["result"](), "a.html"),
        r"save takes what a plot function returned, got a Dataset of.*save\(apexr\.plot\.metric",
    ),
    "a result where its trajectories are meant": (
        lambda t: apexr.plot.trajectory(t["result"]()),
        r"trajectory: data must be a DataArray, got a Dataset of.*pass one of its variables",
    ),
    "a path where a study is meant": (
        lambda t: apexr.table("study.zarr"),
        r"table: data must be a Dataset.*got 'study\.zarr'; open it first",
    ),
    "a study where a path is meant": (
        lambda t: apexr.open_study(t["study"]()),
        r"open_study: path must be text or a path or a Study, got a study of 2 experiments;",
    ),
    "a study that is not there": (
        lambda t: apexr.open_study("nothere"),
        r"nothere: .*study",
    ),
    "a number where a name is meant": (
        lambda t: apexr.analysis.geometric_mean(t["result"](), 3),
        r"geometric_mean: variable must be text, got 3",
    ),
    "a network of one's own": (
        lambda t: apexr.run("diff_adv", net=Module()),
        r"run: net must be text, got .*a network of one's own is registered",
    ),
    "a word that is none of the choices": (
        lambda t: apexr.table(t["result"](), "mean_nRMSE", diverged="best"),
        "diverged must be one of worst, drop, raise, got 'best'",
    ),
    "an empty list": (
        lambda t: apexr.melt_metrics(t["result"](), []),
        r"melt_metrics: metric_name must not be empty",
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_messages_say_what_was_given_and_what_to_do(case, things):
    call, said = SAID[case]
    with pytest.raises(ApexrError) as caught:
        call(things)
    assert re.search(said, str(caught.value), re.DOTALL), str(caught.value)


def test_a_whole_study_is_not_one_experiment(study):
    with pytest.raises(SpecError, match=r"is a study; name one of its experiments by its id"):
        apexr.load_networks(study)


@pytest.mark.parametrize("name", SLOW)
def test_what_is_drawn_frame_by_frame_is_checked_first(name, things):
    for thing in ("None", "int", "text", "list", "array", "table", "path", "module"):
        given = {"path": "a.gif"} if name == "animate" else {}
        with pytest.raises(SpecError, match=rf"{name}: data must be"):
            FUNCTIONS[name](things[thing](), **given)


def test_doors_keep_the_function_as_it_is():
    for function in FUNCTIONS.values():
        assert inspect.unwrap(function).__doc__ == function.__doc__
        assert list(inspect.signature(function).parameters)


def test_numbers_and_lists_of_any_library_are_taken(things):
    result = things["result"]()
    steps = (np.array([1, 2]), (1, 2), [np.int64(1), 2], range(1, 3), result["time"][:2])
    tables = [apexr.table(result, "mean_nRMSE", steps=one).to_markdown() for one in steps]
    assert len(set(tables)) == 1
