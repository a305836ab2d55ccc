"""Stores of every schema that was ever written stay readable."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

import apexr
from apexr import store
from apexr.errors import StoreError
from apexr.testing import assert_valid

pytestmark = [pytest.mark.acceptance, pytest.mark.quick]

GOLDEN = sorted((Path(__file__).parent / "golden").glob("schema_*.zip"))


@pytest.fixture(params=GOLDEN, ids=lambda path: path.stem)
def golden(request, tmp_path):
    with zipfile.ZipFile(request.param) as held:
        held.extractall(tmp_path)
    return tmp_path


def test_it_reads_back_what_was_written(golden):
    path = golden / "study.zarr"
    before = {p: p.stat().st_mtime_ns for p in path.rglob("*")}
    expected = np.load(golden / "expected.npz")
    study = apexr.open_study(path)
    assert_valid(study)
    lost = (study.diverged_at >= 0).any("seed").values
    assert lost.tolist().count(True) == 1
    for index, diverged in enumerate(lost):
        name = "diverged" if diverged else "well"
        ds = apexr.open_experiment(path, str(study.experiment.values[index]))
        for key in ds.data_vars:
            np.testing.assert_array_equal(ds[key].values, expected[f"{name}/{key}"])
            assert ds[key].dtype == expected[f"{name}/{key}"].dtype
        unit = store.unit_path(path, str(study.experiment.values[index]))
        for key, values in store.read_weights(unit).items():
            np.testing.assert_array_equal(values, expected[f"{name}/weights/{key}"])
    table = apexr.list_experiments(path)
    assert sorted(table["state"]) == ["failed", "published", "published"]
    assert table["num_diverged"].sum() == 2
    assert {p: p.stat().st_mtime_ns for p in path.rglob("*")} == before


def test_networks_are_loaded(golden):
    path = golden / "study.zarr"
    network = apexr.load_networks(path, str(apexr.open_study(path).experiment.values[0]))
    assert type(network).__name__ == "ConvNet"


def test_a_newer_schema_is_refused_with_both_versions(golden):
    path = golden / "study.zarr"
    told = json.loads((path / "study.json").read_text())
    newer = apexr.schema.SCHEMA_VERSION + 1
    (path / "study.json").write_text(json.dumps({**told, "schema_version": newer}))
    said = f"schema version {newer}, this apexr reads up to {newer - 1}"
    for reader in (apexr.open_study, apexr.list_experiments, apexr.open_rollouts):
        with pytest.raises(StoreError, match=said):
            reader(path)
    shutil.rmtree(path)
