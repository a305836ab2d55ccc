"""Many experiments: checked together, each run once, failures apart."""

from typing import ClassVar

import numpy as np
import pytest

import apexr
from _tiny import NET, SIZES
from apexr.errors import ApexrWarning, DivergenceError, SpecError, StoreError
from apexr.scenarios import scenario_dict
from apexr.study import _run, plan_study
from apexr.testing import assert_valid, no_compute

pytestmark = pytest.mark.quick


@pytest.mark.usefixtures("no_training")
def test_a_finished_study_is_opened_lazily(configs, store):
    with no_compute():
        study = apexr.run_study(configs, store, progress=False)
        assert_valid(study)
    assert study.sizes["experiment"] == 2
    assert study.net.dims == ("experiment",)
    assert set(study.net.values) == {NET, "FNO;2;2;1;gelu"}
    assert study.equals(apexr.open_study(store))


@pytest.mark.usefixtures("no_training")
def test_the_study_is_listed(store):
    table = apexr.list_experiments(store)
    assert (table["state"] == "published").all()
    assert sorted(table["net"]) == [NET, "FNO;2;2;1;gelu"]
    assert all(seeds == [0, 1] for seeds in table["seeds"])
    network = apexr.load_networks(store, table["id"][0])
    assert hasattr(network, "batched")


@pytest.mark.usefixtures("no_training")
def test_rollouts_are_opened_by_grid(store):
    tree = apexr.open_rollouts(store)
    assert list(tree.children) == ["1d_16"]
    assert len(apexr.melt_sample_rollouts(tree)) == 4


def test_equal_configurations_are_one_experiment(configs):
    conv = configs[0]
    same = {**conv, "net": "conv;2;1;TANH", "start_seed": 0, "vlim": (-1, 1)}
    with pytest.warns(ApexrWarning, match=r"run once:\nexperiments\[0\], experiments\[1\]"):
        assert len(plan_study([conv, conv, same])) == 1
    assert len(plan_study([conv, {**conv, "num_points": 20}])) == 2
    assert [one.id for one in plan_study([conv])] == [one.id for one in plan_study([same])]
    numbers = [{**conv, "advection_gamma": -4}, {**conv, "advection_gamma": -4.0}]
    with pytest.warns(ApexrWarning, match="run once"):
        assert len(plan_study(numbers)) == 1


def test_objects_are_scenarios_too(configs):
    conv = {key: value for key, value in configs[0].items() if key not in SIZES}
    made = apexr.difficulty.Advection(**SIZES)
    assert plan_study([{**conv, "scenario": made}])[0].id == plan_study(configs[:1])[0].id


@pytest.mark.usefixtures("no_training")
def test_everything_wrong_is_said_at_once_and_before_anything_runs(configs, tmp_path):
    wrong = [
        configs[0],
        {**configs[0], "net": "cnv;2;1;tanh"},
        {**configs[0], "scenario": "diff_avd"},
        {**configs[0], "num_point": 3},
        {"scenaro": "diff_adv"},
        "diff_adv",
        {**configs[0], "train": "sup;9"},
        {**configs[0], "num_seeds": 0},
    ]
    path = tmp_path / "study.zarr"
    with pytest.raises(SpecError) as caught:
        apexr.run_study(wrong, path, progress=False)
    said = str(caught.value)
    assert said.startswith("7 of 8 experiments are invalid:")
    for expected in (
        "experiments[1]: network config: unknown network 'cnv'",
        "experiments[2]: unknown scenario 'diff_avd'; did you mean 'diff_adv'",
        "experiments[3]: unknown scenario keyword 'num_point'",
        "experiments[4]: scenario is missing; did you mean 'scenaro'",
        "experiments[5]: must be a dictionary, got 'diff_adv'",
        "experiments[6]: training config 'sup;9': a training window of 10 frames",
        "experiments[7]: num_seeds must be an integer",
    ):
        assert expected in said
    assert "experiments[0" not in said
    assert not path.exists()


@pytest.mark.parametrize("nothing", [[], None, {"experiments": []}, 5])
def test_a_study_is_a_list_of_configurations(nothing, tmp_path):
    with pytest.raises(SpecError, match="a study is a list of at least one configuration"):
        apexr.run_study(nothing, tmp_path / "study.zarr")


@pytest.mark.usefixtures("no_training")
def test_a_store_of_something_else_is_refused(configs, tmp_path):
    path = tmp_path / "notes"
    path.mkdir()
    (path / "a.txt").write_text("mine")
    with pytest.raises(StoreError, match="expected an apexr study"):
        apexr.run_study(configs, path, progress=False)


class Doubtful(apexr.difficulty.Advection):
    """Advection whose solver does not work until a file allows it."""

    working: ClassVar[list[bool]] = []

    def get_ref_stepper(self):
        if not self.working:
            raise KeyError("the solver is not ready")
        return super().get_ref_stepper()


@pytest.fixture
def doubtful():
    scenario_dict["doubtful"] = Doubtful
    yield Doubtful
    Doubtful.working.clear()
    del scenario_dict["doubtful"]


def test_a_failure_is_recorded_and_retried_and_stops_nobody(configs, tmp_path, doubtful):
    path = tmp_path / "study.zarr"
    study = [
        {**configs[0], "scenario": "diff_burgers", "convection_delta": -1e6},
        {**configs[0], "scenario": "doubtful"},
        configs[0],
    ]
    with pytest.warns(ApexrWarning, match="2 of 3 experiments failed") as caught:
        done = apexr.run_study(study, path, progress=False)
    ours = [str(w.message) for w in caught if "experiments failed" in str(w.message)]
    assert "1d_diff_burgers" in ours[0]
    assert "the solver is not ready" in ours[0]
    assert done.sizes["experiment"] == 1
    assert done.net.values.tolist() == [NET]

    table = apexr.list_experiments(path).set_index("state")
    assert sorted(table.index) == ["failed", "failed", "published"]
    errors = " ".join(table.loc["failed", "error"])
    assert "DivergenceError: 1d_diff_burgers: 3 of 3 train trajectories" in errors
    assert "KeyError: " in errors

    doubtful.working.append(True)
    with pytest.warns(ApexrWarning, match="1 of 3 experiments failed"):
        again = apexr.run_study(study, path, progress=False)
    assert again.sizes["experiment"] == 2
    failures = apexr.store.Study.at(path).notes.failures()
    assert [(f["error"], f["attempts"]) for f in failures.values()] == [("DivergenceError", 2)]


def test_where_everything_fails_there_is_nothing_to_open(configs, tmp_path):
    study = [{**configs[0], "scenario": "diff_burgers", "convection_delta": -1e6}]
    with (
        pytest.warns(ApexrWarning, match="1 of 1 experiments failed"),
        pytest.raises(StoreError, match="no experiment is finished"),
    ):
        apexr.run_study(study, tmp_path / "study.zarr", progress=False)
    with pytest.warns(ApexrWarning, match="1 of 1 experiments failed"):
        tables = apexr.run_study_convenience(study, tmp_path / "study.zarr", progress=False)
    assert all(len(table) == 0 for table in tables)
    assert issubclass(DivergenceError, ArithmeticError)


def test_finished_experiments_are_run_again_on_demand(configs, tmp_path, monkeypatch):
    import apexr.experiment._execute

    trained = []
    train = apexr.experiment._execute.train

    def counted(*arguments):
        trained.append(1)
        return train(*arguments)

    monkeypatch.setattr("apexr.experiment._execute.train", counted)
    path = tmp_path / "study.zarr"
    first = apexr.run_study(configs[:1], path, progress=False).compute()
    apexr.run_study(configs[:1], path, progress=False)
    assert len(trained) == 1
    again = apexr.run_study(configs[:1], path, progress=False, overwrite=True)
    assert len(trained) == 2
    np.testing.assert_allclose(again.mean_nRMSE, first.mean_nRMSE, rtol=1e-6)
    grown = [*configs[:1], {**configs[0], "num_points": 20}]
    assert apexr.run_study(grown, path, progress=False).sizes["experiment"] == 2
    assert len(trained) == 3


def test_progress_is_shown(configs, store, capsys):
    apexr.run_study(configs, store)
    assert "study: 100%" in capsys.readouterr().err


def test_ctrl_c_between_two_trainings_says_that_the_study_goes_on(configs, tmp_path, monkeypatch):
    def run_first_only(one, *arguments, **options):
        if calls:
            raise KeyboardInterrupt
        calls.append(one)
        run_parts(one, *arguments, **options)

    run_parts, calls = _run.run_parts, []
    monkeypatch.setattr(_run, "run_parts", run_first_only)
    with pytest.raises(KeyboardInterrupt, match="1 of 2 experiments published; the same call"):
        apexr.run_study(configs, tmp_path / "study.zarr", progress=False)
    states = apexr.list_experiments(tmp_path / "study.zarr")["state"]
    assert sorted(states) == ["pending", "published"]
