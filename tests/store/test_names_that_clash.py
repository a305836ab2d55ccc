"""One name of a joined study means one thing, whatever its experiments call it."""

import numpy as np
import pytest
import xarray as xr

from apexr import store
from apexr.store.study import _open
from apexr.testing import mock_experiment


def published(folder, metrics):
    """Publish a study with one experiment for each list of metrics; return its results by id."""
    path = folder / "study.zarr"
    store.create_study(path)
    results = {}
    for number, reported in enumerate(metrics):
        ds = mock_experiment(metrics=reported, seeds=(0, 1), num_times=3, num_points=8)
        results[f"{number:032d}"] = ds
        store.publish_experiment(ds, {}, store.unit_path(path, f"{number:032d}"))
    return path, results


@pytest.mark.parametrize("indexed", [False, True])
def test_a_metric_and_errors_per_trajectory_of_one_name(indexed, tmp_path, monkeypatch):
    if indexed:
        monkeypatch.setattr(_open, "INDEX_FROM", 0)
    cases = (("mean_nRMSE",), ("nRMSE",), ("mean_nRMSE", "nRMSE"))
    path, results = published(tmp_path, cases)
    study = store.open_study(path)
    assert study["nRMSE"].dims == ("experiment", "seed", "time")
    for (name, ds), reported in zip(results.items(), cases, strict=True):
        row = study.sel(experiment=name)
        own = ds["nRMSE"] if "nRMSE" in reported else xr.full_like(ds[reported[0]], np.nan)
        np.testing.assert_array_equal(row["nRMSE"], own)
        twin = {1: "nRMSE", 2: "mean_nRMSE_per_sample"}[len(reported)]
        if "mean_nRMSE" in reported:
            np.testing.assert_array_equal(
                row["mean_nRMSE_per_sample"].transpose(*ds[twin].dims), ds[twin]
            )
        else:
            assert row["mean_nRMSE_per_sample"].isnull().all()


def test_without_a_clash_names_stay(tmp_path):
    path, _ = published(tmp_path, (("mean_nRMSE",), ("mean_nRMSE", "mean_MSE")))
    study = store.open_study(path)
    assert {"nRMSE", "MSE"} <= set(study.data_vars)
    assert "mean_nRMSE_per_sample" not in study
