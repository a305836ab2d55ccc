"""`apexr study`: one file, one command; what is finished is never trained again."""

import json

import numpy as np
import pytest

import apexr
import apexr.experiment._execute
from _tiny import NET, SIZES, python

NETS = ("Conv;26;10;relu", "FNO;12;8;4;gelu")


def toml(**values):
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


@pytest.fixture
def trained(monkeypatch):
    """Return the seeds of each training."""
    seeds = []
    train = apexr.experiment._execute.train

    def counted(emulators, trajectories, keys, plan, attendance, *more):
        seeds.append(tuple(attendance.seeds))
        return train(emulators, trajectories, keys, plan, attendance, *more)

    monkeypatch.setattr("apexr.experiment._execute.train", counted)
    return seeds


REFUSING = """
import sys
import apexr.experiment._execute
from apexr import cli
def refuse(*_, **__):
    raise SystemExit("trained again")
apexr.experiment._execute.train = refuse
cli.main()
"""


def test_the_study_of_the_seed_workflow(apexr_command, trained, tmp_path):
    file, store = tmp_path / "study.toml", tmp_path / "study.zarr"
    sizes = {**SIZES, "num_points": 32}
    study = {"scenario": "diff_adv", "task": "predict", "train": "one", "net": NETS, **sizes}
    file.write_text(toml(**study, num_seeds=10))
    command = ("study", file, "--store", store)

    said = apexr_command(*command)
    assert said.code == 0, said.err
    assert trained == [tuple(range(10))] * 2
    assert f"2 of 2 experiments published in {store}" in said.out
    assert "study: 100%" in said.err
    first = apexr.open_study(store).compute()

    assert "2 of 2" in python(REFUSING, *command, "--no-progress", env={"PYTHONHASHSEED": "5"})

    file.write_text(toml(**study, num_seeds=12))
    assert apexr_command(*command, "--no-progress").code == 0
    assert trained[2:] == [(10, 11)] * 2
    grown = apexr.open_study(store)
    assert grown.sizes["experiment"] == 2
    assert grown.seed.values.tolist() == list(range(12))
    assert grown.sel(seed=range(10)).mean_nRMSE.equals(first.mean_nRMSE)
    assert not np.isnan(grown.mean_nRMSE).any()
    networks = apexr.load_networks(store, str(grown.experiment.values[0]))
    assert len(next(iter(apexr.engine.named_weights(networks).values()))) == 12

    shown = apexr_command("show", store)
    assert shown.out.count("0-11") == 2
    assert shown.out.splitlines()[-1] == "2 published"


@pytest.mark.filterwarnings("ignore:2 of 2 seeds diverged:apexr.errors.ApexrWarning")
def test_one_that_fails_and_one_that_diverges(apexr_command, trained, tmp_path):
    file, store = tmp_path / "a study.toml", tmp_path / "results of ü" / "study.zarr"
    common = {"common": {"net": NET, **SIZES, "num_seeds": 2}}
    experiments = [
        {"scenario": "diff_burgers", "convection_delta": -1e6},
        {"scenario": "diff_adv", "optim_config": "adam;6;constant;1e30"},
        {"scenario": "diff_adv"},
    ]
    file = file.with_suffix(".json")
    file.write_text(json.dumps({**common, "experiments": experiments}))
    command = ("study", file, "--store", store, "--no-progress")

    said = apexr_command(*command)
    assert said.code == 1
    assert "2 of 3 experiments published" in said.out
    assert "diverged: 2 of 2 seeds of 1d_diff_adv" in said.out
    assert "1 of 3 experiments failed:" in said.err
    assert "DivergenceError: 1d_diff_burgers: 3 of 3 train trajectories" in said.err
    assert "Traceback" not in said.err
    assert len(trained) == 2

    again = apexr_command(*command)
    assert (again.code, again.out) == (1, said.out)
    assert len(trained) == 2

    shown = apexr_command("show", store)
    assert shown.out.splitlines()[-1] == "2 published, 1 failed"

    study = apexr.open_study(store)
    assert sorted((study.diverged_at >= 0).sum("seed").values) == [0, 2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('scenario = "diff_avd"', "did you mean 'diff_adv'"),
        ('scenario = "diff_adv"\nnet = ["Conv;2;1;tanh", "Cnv"]', "grid.net[1]: network config"),
        ("scenario = ", "cannot be read"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(apexr_command, tmp_path, text, said):
    file, store = tmp_path / "study.toml", tmp_path / "study.zarr"
    file.write_text(text)
    done = apexr_command("study", file, "--store", store)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
    assert not store.exists()


def test_a_program_needs_a_word(apexr_command, tmp_path, monkeypatch):
    monkeypatch.setattr("apexr.study.run_planned", lambda planned, store, **_: [])
    apexr.store.create_study(tmp_path / "study.zarr")
    file = tmp_path / "study.py"
    file.write_text(f"CONFIGS = [{dict(SIZES, scenario='diff_adv', net=NET)!r}]")
    command = ("study", file, "--store", tmp_path / "study.zarr")
    done = apexr_command(*command)
    assert done.code == 2
    assert "--allow-python" in done.err
    assert apexr_command(*command, "--allow-python").code == 0
