"""One tiny experiment, run once and stored, for all tests of this folder."""

import pytest

import apexr
from _tiny import NET, SIZES

TINY = {"net": NET, "num_seeds": 2, "progress": False, "num_trjs_returned": 2, **SIZES}


@pytest.fixture(scope="session")
def tiny():
    """Return the keywords of the experiment."""
    return TINY


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("run") / "adv.zarr"


@pytest.fixture(scope="session")
def result(store):
    """Return the experiment as the call that ran it returned it."""
    return apexr.run("diff_adv", **TINY, store=store)


@pytest.fixture
def no_training(monkeypatch):
    """Make any training and any making of data an error."""

    def refuse(*_, **__):
        raise AssertionError("something was computed")

    monkeypatch.setattr("apexr.experiment._execute.train", refuse)
    monkeypatch.setattr("apexr.experiment._data._trajectories", refuse)
