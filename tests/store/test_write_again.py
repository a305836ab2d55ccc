"""Whatever a reader gives can be written by xarray, whole or in part, and reads back the same."""

import warnings

import pytest
import xarray as xr

from apexr import store
from apexr.testing import mock_experiment

PARTS = {
    "whole": lambda ds: ds,
    "experiments": lambda ds: ds.isel(experiment=slice(1, None)),
    "one experiment": lambda ds: ds.isel(experiment=1),
    "steps": lambda ds: ds.isel(time=slice(1, 3)),
    "seeds": lambda ds: ds.isel(seed=[1]),
    "turned": lambda ds: ds.transpose(..., "experiment"),
}
RESULTS = {
    "equal": ({"net": "Conv;2;1;relu"}, {"net": "Pure;3"}, {"net": "Conv;4;1;relu"}),
    "fewer seeds and steps": ({}, {"net": "Pure;3", "seeds": (1,), "num_times": 2}, {"net": "FNO"}),
    "other grids": ({"num_points": 6}, {"net": "Pure;3"}, {"net": "Conv;4;1;relu"}),
}
"""What tells them apart: in the second one integers are filled up with NaN, as ``diverged_at``."""


def published(tmp_path, keywords):
    study = tmp_path / "study.zarr"
    store.create_study(study)
    for number, given in enumerate(keywords):
        ds = mock_experiment(**{"seeds": (0, 1), "num_times": 4, "diverged": (0,), **given})
        store.publish_experiment(ds, {}, store.unit_path(study, f"{number:032d}"))
    return study


def written(data, path, **how):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        warnings.filterwarnings("ignore", message="The data type")  # fixed-width text of an index
        data.to_zarr(path, **how)


def names_and_encodings(data):
    groups = data.subtree if isinstance(data, xr.DataTree) else [data]
    held = [group.to_dataset() if isinstance(data, xr.DataTree) else group for group in groups]
    return {name: v.encoding for ds in held for name, v in ds.variables.items() if v.encoding}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", RESULTS)
def test_a_study_and_parts_of_it_are_written_and_read_back(tmp_path, kind, part):
    opened = PARTS[part](store.open_study(published(tmp_path, RESULTS[kind])))
    written(opened, tmp_path / "again.zarr")
    again = xr.open_zarr(tmp_path / "again.zarr")
    xr.testing.assert_equal(again.load(), opened.load())


@pytest.mark.parametrize("kind", RESULTS)
def test_rollouts_are_written_and_read_back(tmp_path, kind):
    opened = store.open_rollouts(published(tmp_path, RESULTS[kind]))
    written(opened, tmp_path / "again.zarr")
    again = xr.open_datatree(tmp_path / "again.zarr", engine="zarr")
    assert set(again.children) == set(opened.children)  # Zarr lists them by name
    for name, node in opened.children.items():
        xr.testing.assert_equal(again[name].to_dataset().load(), node.to_dataset().load())


def test_experiments_are_appended(tmp_path):
    opened = store.open_study(published(tmp_path, RESULTS["equal"]))
    written(opened.isel(experiment=[0]), tmp_path / "again.zarr")
    written(
        opened.isel(experiment=[1, 2]), tmp_path / "again.zarr", mode="a", append_dim="experiment"
    )
    again = xr.open_zarr(tmp_path / "again.zarr")
    xr.testing.assert_equal(again.load(), opened.load())


def test_an_opened_experiment_is_written_in_part(tmp_path):
    unit = store.publish_experiment(mock_experiment(seeds=(3, 4, 5)), {}, tmp_path / "a.zarr")
    opened = store.open_experiment(unit)
    for number, part in enumerate((opened, opened.isel(seed=slice(1, 3)), opened.isel(time=1))):
        written(part, tmp_path / f"{number}.zarr")
        xr.testing.assert_equal(xr.open_zarr(tmp_path / f"{number}.zarr").load(), part.load())


def test_no_reader_gives_an_encoding(tmp_path):
    study = published(tmp_path, RESULTS["equal"])
    unit = store.publish_experiment(mock_experiment(), {}, tmp_path / "a.zarr")
    data = store.publish_dataset(mock_experiment(), tmp_path / "b.zarr")
    for opened in (
        store.open_study(study),
        store.open_rollouts(study),
        store.open_experiment(study, f"{0:032d}"),
        store.open_experiment(unit),
        store.open_dataset(data),
    ):
        assert not names_and_encodings(opened)


def test_a_study_that_is_read_by_its_index_is_written_and_read_back(tmp_path, monkeypatch):
    monkeypatch.setattr("apexr.store.study._open.INDEX_FROM", 2)
    study = published(tmp_path, RESULTS["fewer seeds and steps"])
    store.keep_index(study)
    opened = store.open_study(study)
    assert not names_and_encodings(opened)
    written(opened, tmp_path / "again.zarr")
    xr.testing.assert_equal(xr.open_zarr(tmp_path / "again.zarr").load(), opened.load())
