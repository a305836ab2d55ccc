"""Seeds, failures and shapes of a running study; made-up results stand for trainings."""

import warnings

import jax.numpy as jnp
import numpy as np
import pytest

import apexr
from _tiny import NET, SIZES, units
from apexr import store as stores
from apexr.errors import ApexrWarning
from apexr.study import plan_study, run_planned
from apexr.testing import mock_experiment

BASE = {"scenario": "diff_adv", "net": NET, **SIZES}


@pytest.fixture
def trained(monkeypatch):
    """Return what has been trained: net, seeds."""
    calls = []

    def fake(scenario, experiment, _):
        net, seeds = experiment.config["net"], experiment.seeds
        calls.append((net, seeds))
        if scenario.train_seed == 13:
            raise RuntimeError("out of luck")
        ds = mock_experiment(net=net, seeds=seeds, random_seed=seeds[0], diverged=(4,))
        leading = jnp.asarray(seeds, dtype=jnp.float32)[:, None] * jnp.ones(3)
        ds.attrs |= experiment.attrs
        return ds, {"weight": leading[0] if len(seeds) == 1 else leading}

    monkeypatch.setattr("apexr._run.run_plan", fake)
    return calls


def run(study, path, **options):
    return run_planned(plan_study(study), path, progress=False, **options)


def test_more_seeds_run_only_what_is_missing(trained, tmp_path):
    path = tmp_path / "study.zarr"
    study = {**BASE, "net": [NET, "FNO;2;2;1;gelu"], "num_seeds": 10}
    run(study, path)
    run(study, path)
    assert [seeds for _, seeds in trained] == [tuple(range(10))] * 2
    run({**study, "num_seeds": 12}, path)
    assert [seeds for _, seeds in trained[2:]] == [(10, 11)] * 2
    run({**study, "num_seeds": 7}, path)
    run({**study, "num_seeds": 12}, path)
    assert len(trained) == 4
    opened = apexr.open_study(path)
    assert opened.sizes["experiment"] == 2
    assert opened.seed.values.tolist() == list(range(12))
    assert not np.isnan(opened.mean_nRMSE.drop_sel(seed=4)).any()
    table = apexr.list_experiments(path)
    assert table["seeds"].tolist() == [list(range(12))] * 2
    weights = stores.read_weights(stores.unit_path(path, table["id"][0]))
    assert weights["weight"][:, 0].tolist() == list(range(12))


def test_gaps_are_filled(trained, tmp_path):
    for start, count in ((3, 2), (8, 1)):
        run({**BASE, "start_seed": start, "num_seeds": count}, tmp_path)
    run({**BASE, "num_seeds": 10}, tmp_path)
    assert [seeds for _, seeds in trained[2:]] == [(0, 1, 2), (5, 6, 7), (9,)]
    assert apexr.open_study(tmp_path).seed.values.tolist() == list(range(10))


def test_overwriting_runs_the_parts_again(trained, tmp_path):
    run({**BASE, "num_seeds": 3}, tmp_path)
    run({**BASE, "num_seeds": 4}, tmp_path)
    run({**BASE, "num_seeds": 5}, tmp_path, overwrite=True)
    assert sorted(seeds for _, seeds in trained[2:]) == [(0, 1, 2), (3,), (4,)]
    assert len(units(tmp_path)) == 3


def test_the_tables_of_one_call_hold_the_seeds_it_asks_for(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for count in (3, 5, 2):
        metrics, _, _, networks = apexr.run_study_convenience(
            {**BASE, "num_seeds": count}, parse_kwargs=False, progress=False
        )
        assert sorted(set(metrics["seed"])) == list(range(count))
    assert len(trained) == 2
    assert len(list(tmp_path.iterdir())) == 1
    assert apexr.open_experiment(networks[0]).sizes["seed"] == 5


def test_a_study_of_another_schema_beside_its_seeds(trained, tmp_path):
    """What was published by an older release keeps its name, and is not run again."""
    (one,) = plan_study({**BASE, "num_seeds": 2})
    old = one.experiment.attrs["experiment_id"]
    run({**BASE, "num_seeds": 2}, tmp_path)
    assert [path.name for path in units(tmp_path)] == [old]


def test_failures_stop_nobody_and_are_tried_again(trained, tmp_path):
    study = {**BASE, "train_seed": [1, 13, 2]}
    (failure,) = run(study, tmp_path)
    assert "RuntimeError: out of luck" in str(failure)
    table = apexr.list_experiments(tmp_path)
    assert sorted(table["state"]) == ["failed", "published", "published"]
    assert len(run(study, tmp_path)) == 1
    assert len(trained) == 4
    (record,) = stores.Study.at(tmp_path).notes.failures().values()
    assert record["attempts"] == 2
    assert [path.name for path in (tmp_path / ".plans").iterdir()] == ["order.json"]
    assert not list((tmp_path / ".locks").iterdir())


def test_an_interrupted_study_tells_what_is_pending(trained, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    run({**BASE, "train_seed": 1}, tmp_path)
    study = {**BASE, "train_seed": [1, 2, 3]}
    with monkeypatch.context() as patch:
        patch.setattr("apexr._run.run_plan", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(study, tmp_path)
    states = apexr.list_experiments(tmp_path)["state"]
    assert sorted(states) == ["pending", "pending", "published"]
    run(study, tmp_path)
    assert apexr.list_experiments(tmp_path)["state"].tolist() == ["published"] * 3
    assert len(trained) == 3


def test_equal_shapes_run_side_by_side(trained, tmp_path, monkeypatch):
    dropped = []
    monkeypatch.setattr("jax.clear_caches", lambda: dropped.append(len(trained)))
    nets = [NET, *(f"Conv;{width};1;tanh" for width in (3, 4, 5, 6))]
    study = {**BASE, "advection_gamma": [1, 2], "net": nets}
    run(study, tmp_path)
    assert [net for net, _ in trained] == [net for net in nets for _ in range(2)]
    assert dropped == [6]  # a process holds the programs of three shapes


def test_one_of_few_shapes_comes_first_where_there_are_many_of_each(trained, tmp_path):
    other = "Conv;3;1;tanh"
    run({**BASE, "advection_gamma": list(range(1, 6)), "net": [NET, other]}, tmp_path)
    assert [net for net, _ in trained] == [NET, other, *[NET] * 4, *[other] * 4]


@pytest.mark.usefixtures("trained")
def test_progress_tells_the_time_left(tmp_path, capsys):
    study = {**BASE, "advection_gamma": [1, 2, 3]}
    run_planned(plan_study(study), tmp_path, progress=True)
    said = capsys.readouterr().err
    assert "study: 100%" in said
    assert "00:00 left" in said


@pytest.mark.usefixtures("trained")
def test_nothing_is_said_of_seeds_that_diverged_but_counted(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ApexrWarning)
        run({**BASE, "num_seeds": 6}, tmp_path)
    assert apexr.list_experiments(tmp_path)["num_diverged"].tolist() == [1]
