"""The tables of config strings in the documentation are those of the registries."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_tables_are_up_to_date():
    path = ROOT / "docs" / "training.py"
    spec = importlib.util.spec_from_file_location("training_tables", path)
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    page = tables.PAGE.read_text(encoding="utf-8")
    assert tables.BLOCK.findall(page), "the page has lost its tables"
    assert {kind for _, kind, _ in tables.BLOCK.findall(page)} == set(tables.TABLES)
    assert tables.filled(page) == page, "run: python docs/training.py"
