"""Stores of other schema versions: older ones are migrated on reading, newer ones are refused."""

import json

import pytest

from apexr import schema, store
from apexr.errors import StoreError
from apexr.store.unit import _manifest, _read
from apexr.testing import mock_experiment

pytestmark = pytest.mark.acceptance

ID = "a" * 32


@pytest.fixture
def study(tmp_path):
    store.create_study(tmp_path)
    store.publish_experiment(mock_experiment(), {}, store.unit_path(tmp_path, ID))
    return tmp_path


def next_version(monkeypatch):
    for module in (schema, _manifest):
        monkeypatch.setattr(module, "SCHEMA_VERSION", 2)


def test_an_older_store_is_migrated_and_not_rewritten(study, monkeypatch):
    next_version(monkeypatch)
    rename = {1: lambda ds: ds.rename(mean_nRMSE="mean_error")}
    monkeypatch.setattr(_read, "MIGRATIONS", rename)
    before = (study / "experiments" / ID / "manifest.json").read_bytes()
    ds = store.open_study(study)
    assert "mean_error" in ds
    assert ds.attrs["schema_version"] == 2
    assert (study / "experiments" / ID / "manifest.json").read_bytes() == before
    store.verify(study)


def test_an_older_store_that_nothing_migrates_is_refused(study, monkeypatch):
    next_version(monkeypatch)
    with pytest.raises(StoreError, match="schema version 1, this apexr reads 2"):
        store.open_experiment(store.unit_path(study, ID))


def test_a_newer_store_is_refused_with_both_versions(study):
    unit = store.unit_path(study, ID)
    for path in (unit / "manifest.json", study / "study.json"):
        data = json.loads(path.read_text()) | {"schema_version": schema.SCHEMA_VERSION + 1}
        path.write_text(json.dumps(data))
    words = "schema version 2, this apexr reads up to 1"
    for read in (store.open_study, store.list_experiments, store.verify, store.create_study):
        with pytest.raises(StoreError, match=words):
            read(study)
    with pytest.raises(StoreError, match=words):
        store.open_experiment(unit)
