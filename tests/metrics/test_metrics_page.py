"""The page of all metrics is the one that the registry makes."""

import importlib.util
from pathlib import Path

import pytest

from apexr.metrics import METRICS

SCRIPT = Path(__file__).parents[2] / "docs" / "metrics.py"


@pytest.fixture(scope="module")
def page():
    spec = importlib.util.spec_from_file_location("metrics_page", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(page):
    assert page.PAGE.read_text(encoding="utf-8") == page.render(), "run docs/metrics.py"


def test_every_metric_of_apexr_has_its_line(page):
    text = page.render()
    own = [n for n, c in METRICS.registry.loaded().items() if c.__module__.startswith("apexr.")]
    assert len(own) == 39
    assert all(f"| `{METRICS.usage(name)}` |" in text for name in own)
