"""A tiny study, run once, for all tests of this folder."""

import os

import pytest

import apexr
from _tiny import NET, SIZES

COMMON = {"scenario": "diff_adv", "task": "predict", "train": "one", "num_seeds": 2, **SIZES}
CONFIGS = [{**COMMON, "net": net} for net in (NET, "FNO;2;2;1;gelu")]


@pytest.fixture(scope="session")
def configs():
    return [dict(config) for config in CONFIGS]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The working directory in which the study was run without naming a store."""
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="session")
def tables(folder):
    """Return the four things that the first run gave."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        return apexr.run_study_convenience(
            CONFIGS, do_loss=True, do_metrics=True, do_sample_rollouts=True, progress=False
        )
    finally:
        os.chdir(before)


@pytest.fixture
def store(tables, folder):
    (path,) = folder.iterdir()
    return path


@pytest.fixture
def no_training(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("something was computed")

    monkeypatch.setattr("apexr.experiment._execute.train", refuse)
    monkeypatch.setattr("apexr.experiment._data._trajectories", refuse)
