"""A study as it looks while it runs, and pages over it."""

import shutil

import pytest

from apexr import store
from _browser import Page, chromium
from apexr.testing import mock_experiment

SCENARIOS, NETS = ("1d_a", "1d_b"), ("Conv;26;10;relu", "FNO;12;8;4;gelu", "Res;16;4;relu")
CONFIG = {"scenario": "1d_b", "task": "predict", "net": "FNO;12;8;4;gelu", "train": "one"}


def name(number):
    """Return the id of an experiment."""
    return f"{number:032x}"


def publish(path, number, **keywords):
    """Publish one experiment of a study."""
    ds = mock_experiment(random_seed=number, **keywords)
    store.publish_experiment(ds, {}, store.unit_path(path, name(number)))


@pytest.fixture(scope="session")
def make_study():
    def make(path):
        """Make six experiments: five published, one with a diverged seed, one failed."""
        store.create_study(path)
        for number, (scenario, net) in enumerate((s, n) for s in SCENARIOS for n in NETS):
            if number == 4:
                error = RuntimeError("out of <b>memory</b>")
                store.record_failure(path, name(number), error, {**CONFIG, "scenario_kwargs": "{}"})
            else:
                publish(
                    path,
                    number,
                    scenario=scenario,
                    net=net,
                    diverged=(2,) if number == 1 else (),
                    metrics=("mean_nRMSE", "mean_correlation"),
                )
        return path

    return make


@pytest.fixture(scope="session")
def made(make_study, tmp_path_factory):
    return make_study(tmp_path_factory.mktemp("made") / "study.zarr")


@pytest.fixture
def study(made, tmp_path):
    """A study of its own for a test."""
    return shutil.copytree(made, tmp_path / "study.zarr")


@pytest.fixture(scope="module")
def browser():
    where = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=where, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture
def tab(browser):
    """A tab in which nothing may go wrong, and which fetches nothing from elsewhere."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    one = Page(context.new_page())
    yield one
    context.close()
    assert one.problems == []
    assert one.elsewhere() == []
