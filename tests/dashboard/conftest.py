"""A study for the pages, and a browser to look at them."""

import shutil

import pytest
from _browser import Page, chromium
from _studies import make_study


@pytest.fixture(scope="session")
def made(tmp_path_factory):
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
