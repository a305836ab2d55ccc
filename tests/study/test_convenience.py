"""The study of one call: four results, and found again by any process."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import apexr
from _tiny import NET, python

BASE = ["seed", "scenario", "task", "net", "train", "scenario_kwargs"]
NETS = {NET, "FNO;2;2;1;gelu"}


def test_the_metrics(tables):
    metrics = tables[0]
    assert list(metrics.columns[:6]) == BASE
    assert {"time_step", "mean_nRMSE"} <= set(metrics.columns)
    assert len(metrics) == 2 * 2 * 5
    assert set(metrics["net"]) == NETS
    assert sorted(set(metrics["time_step"])) == [1, 2, 3, 4, 5]


def test_the_losses(tables):
    losses = tables[1]
    assert {"update_step", "train_loss"} <= set(losses.columns)
    assert len(losses) == 2 * 2 * 2
    assert sorted(set(losses["update_step"])) == [0, 3]


def test_the_rollouts(tables):
    rollouts = tables[2]
    assert {"sample_index", "sample_rollout"} <= set(rollouts.columns)
    assert len(rollouts) == 2 * 2
    assert np.array(rollouts["sample_rollout"][0]).shape == (6, 1, 16)
    truth = apexr.difficulty.Advection(num_points=16).get_ref_sample_data()
    np.testing.assert_allclose(rollouts["sample_rollout"][3][0], truth[0, 0], atol=1e-6)


def test_parameters_of_the_scenario_are_columns(tables):
    for table in tables[:3]:
        assert (table["num_points"] == 16).all()
        assert (table["optim_config"] == "adam;6;constant;0.001").all()


def test_the_networks(tables, folder):
    networks = tables[3]
    assert len(networks) == 2
    shapes = []
    for path in networks:
        loaded = apexr.load_networks(folder / path)
        shapes.append(type(loaded).__name__)
    assert shapes == ["ConvNet", "Sequential"]


@pytest.mark.usefixtures("no_training")
def test_tables_that_are_not_asked_for_are_empty(configs, folder, tables, monkeypatch):
    monkeypatch.chdir(folder)
    metrics, losses, rollouts, networks = apexr.run_study_convenience(
        configs, parse_kwargs=False, progress=False
    )
    assert list(metrics.columns) == [*BASE, "time_step", "mean_nRMSE"]
    assert len(metrics) == len(tables[0])
    assert losses.empty
    assert rollouts.empty
    assert networks == tables[3]
    only_losses = apexr.run_study_convenience(
        configs, do_metrics=False, do_loss=True, progress=False
    )
    assert only_losses[0].empty
    assert len(only_losses[1]) == 8


@pytest.mark.usefixtures("no_training", "tables")
def test_several_metrics(configs, folder, monkeypatch):
    monkeypatch.chdir(folder)
    metrics, *_ = apexr.run_study_convenience(configs, metric_name=["mean_nRMSE"], progress=False)
    assert "mean_nRMSE" in metrics


@pytest.mark.usefixtures("no_training", "tables")
def test_the_order_of_the_configurations_does_not_matter(configs, folder, monkeypatch):
    monkeypatch.chdir(folder)
    metrics, *_ = apexr.run_study_convenience(configs[::-1], progress=False)
    assert metrics["net"].iloc[0] == "FNO;2;2;1;gelu"
    assert len(list(folder.iterdir())) == 1


@pytest.mark.acceptance
@pytest.mark.usefixtures("tables")
def test_a_new_process_finds_the_study_and_trains_nothing(configs, folder):
    code = """
import sys, json
import apexr, apexr.experiment._execute
def refuse(*_, **__):
    raise SystemExit("trained again")
apexr.experiment._execute.train = refuse
configs = json.loads(sys.argv[1])
metrics, *_, networks = apexr.run_study_convenience(configs, progress=False)
print(len(metrics), len(networks))
"""
    turned = [dict(reversed(config.items())) for config in configs]

    def said(seed, configs):
        return python(code, json.dumps(configs), cwd=folder, env={"PYTHONHASHSEED": seed})

    with ThreadPoolExecutor() as pool:  # both at once
        assert [*pool.map(said, ("1", "2"), (configs, turned))] == ["20 2\n"] * 2
    (path,) = folder.iterdir()
    assert path.name.startswith("apexr_study_")
    assert len(path.stem.removeprefix("apexr_study_")) == 32
