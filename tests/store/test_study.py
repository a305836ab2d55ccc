import re

import numpy as np
import pytest
import xarray as xr

from apexr import store
from apexr.errors import ApexrWarning, StoreError
from apexr.testing import assert_valid, mock_experiment, no_compute

IDS = [f"{number:032x}" for number in range(4)]


@pytest.fixture
def parts():
    return [
        mock_experiment(diverged=[1], num_losses=5),
        mock_experiment(net="FNO;12;8;4;gelu", seeds=(0, 1), num_times=10, random_seed=1),
        mock_experiment(net="Res;26;8;relu", scenario_kwargs='{"num_points":20}', num_points=20),
    ]


@pytest.fixture
def study(tmp_path, parts):
    path = tmp_path / "study.zarr"
    store.create_study(path)
    for name, ds in zip(IDS, parts, strict=False):
        store.publish_experiment(ds, {}, store.unit_path(path, name))
    return path


@pytest.mark.filterwarnings("ignore:Numcodecs codecs are not in the Zarr version 3")
def test_layout(study, parts):
    unit = study / "experiments" / IDS[0]
    assert sorted(path.name for path in unit.iterdir()) == [
        "data.zarr",
        "manifest.json",
        "zarr.json",
    ]
    assert not list((study / ".staging").iterdir())
    xr.testing.assert_equal(xr.open_zarr(unit / "data.zarr").load(), parts[0])


def test_study_is_lazy_and_valid(study):
    with no_compute():
        ds = store.open_study(study)
        assert_valid(ds)
        ds.mean_nRMSE.median("seed")
    assert ds.mean_nRMSE.chunks is not None


def test_study_holds_what_the_experiments_hold(study, parts):
    ds = store.open_study(study)
    assert ds.net.dims == ("experiment",)
    assert ds.net.values.tolist() == [part.net.item() for part in parts]
    for index, part in enumerate(parts):
        row = ds.isel(experiment=index).sel(seed=part.seed, time=part.time)
        np.testing.assert_array_equal(row.mean_nRMSE, part.mean_nRMSE)
        np.testing.assert_array_equal(row.diverged_at, part.diverged_at)


def test_presence_tells_filling_from_divergence(study):
    ds = store.open_study(study)
    assert np.isnan(ds.mean_nRMSE.sel(seed=1)[0]).all()
    assert ds.has_seed.values.tolist() == [[True] * 3, [True, True, False], [True] * 3]
    assert ds.has_time.values.sum(axis=1).tolist() == [8, 10, 8]
    assert "has_update_step" not in ds.coords


def test_rollouts_are_grouped_by_grid(study):
    with no_compute():
        assert "sample_rollout" not in store.open_study(study)
        tree = store.open_rollouts(study)
    assert set(tree.children) == {"1d_16", "1d_20"}
    assert tree["1d_16"].sizes["experiment"] == 2
    assert tree["1d_20/sample_rollout"].sizes["x"] == 20


def test_rollouts_stay_where_grids_agree(tmp_path, parts):
    store.create_study(tmp_path)
    for name, ds in zip(IDS, parts[:2], strict=False):
        store.publish_experiment(ds, {}, store.unit_path(tmp_path, name))
    assert store.open_study(tmp_path).sample_rollout.sizes["experiment"] == 2


def test_equal_experiments_join_without_filling(tmp_path, parts):
    store.create_study(tmp_path)
    for name in IDS[:2]:
        store.publish_experiment(parts[0], {}, store.unit_path(tmp_path, name))
    ds = store.open_study(tmp_path)
    assert ds.net.dims == ("experiment",)
    assert ds.diverged_at.dtype == np.int64
    assert not [name for name in ds.coords if str(name).startswith("has_")]


def test_table_of_experiments(study):
    store.Study.at(study).notes.record_failure(IDS[3], ValueError("bad"), {"net": "Cnv;1"})
    store.Study.at(study).notes.record_failure(IDS[3], ValueError("worse"), {"net": "Cnv;1"})
    table = store.list_experiments(study)
    assert table["state"].tolist() == ["published"] * 3 + ["failed"]
    assert table["net"].tolist()[-2:] == ["Res;26;8;relu", "Cnv;1"]
    assert table["seeds"][1] == [0, 1]
    assert table["num_diverged"].tolist()[:3] == [1, 0, 0]
    assert table["error"].tolist()[-1] == "ValueError: worse"
    assert store.Study.at(study).notes.failures()[IDS[3]]["attempts"] == 2


def test_success_forgets_the_failure(study, parts):
    store.Study.at(study).notes.record_failure(IDS[3], ValueError("bad"), {})
    store.publish_experiment(parts[0], {}, store.unit_path(study, IDS[3]))
    assert store.Study.at(study).notes.failures() == {}


def test_damaged_experiments_are_named_and_left_out(study):
    (study / "experiments" / IDS[1] / "data.zarr" / "zarr.json").unlink()
    (study / "experiments" / IDS[2] / "manifest.json").write_text("{}")
    with pytest.warns(ApexrWarning, match=IDS[1]):
        ds = store.open_study(study)
    assert ds.experiment.values.tolist() == IDS[:1]
    assert store.list_experiments(study)["state"].tolist() == ["published", "published", "damaged"]


def test_what_is_no_study(tmp_path):
    with pytest.raises(StoreError, match="not an apexr study"):
        store.open_study(tmp_path)
    store.create_study(tmp_path / "empty")
    with pytest.raises(StoreError, match="no experiment is finished"):
        store.open_study(tmp_path / "empty")
    assert store.list_experiments(tmp_path / "empty").empty
    (tmp_path / "empty" / "study.json").write_text('{"format":"apexr-study","schema_version":9}')
    with pytest.raises(StoreError, match="schema version 9"):
        store.open_study(tmp_path / "empty")


def test_a_wrong_place_is_said(tmp_path):
    """What lies there, and where to look, for a study and for a single result."""
    store.create_study(tmp_path / "study.zarr")
    store.publish_experiment(mock_experiment(), {}, tmp_path / "one.zarr")
    (tmp_path / "file").write_text("x")
    published = tmp_path / "published"
    published.mkdir()
    (published / "checksums.sha256").write_text("")
    (published / "study.json").write_text("[]")
    store.create_study(published / "study.zarr")
    for name, found in (
        ("nothere", "nothing is there"),
        ("file", "it is a file"),
        ("one.zarr", "it is a single result"),
        ("published", f"whose study is {published / 'study.zarr'}"),
    ):
        with pytest.raises(StoreError, match=re.escape(found)):
            store.open_study(tmp_path / name)
        if name != "one.zarr":
            with pytest.raises(StoreError, match=re.escape(found)):
                store.open_experiment(tmp_path / name)
    with pytest.raises(StoreError, match="it is a study"):
        store.open_experiment(tmp_path / "study.zarr")


def test_a_study_may_hold_a_file_of_checksums(study):
    """Of its owner's: it is still the study, not a published folder."""
    (study / "checksums.sha256").write_text("x")
    assert store.is_study(study)
    assert store.open_study(study).sizes["experiment"] == 3
