"""A seed that becomes NaN or infinite at step k is counted by everything that sums seeds up."""

import numpy as np
import pytest

from apexr import analysis, plots, store
from apexr.schema import diverged_seeds
from apexr.testing import mock_experiment

STEP = 5


@pytest.fixture(params=[np.nan, np.inf])
def ds(request):
    """Return a result whose second seed is not finite from a step of the rollout on."""
    ds = mock_experiment(seeds=(0, 1, 2))
    for name in ("mean_nRMSE", "nRMSE"):
        ds[name] = ds[name].where((ds.seed != 1) | (ds.time < STEP), request.param)
    return ds


def test_aggregates(ds):
    assert analysis.count_diverged(ds, "mean_nRMSE").item() == 1
    assert diverged_seeds(ds).tolist() == [False, True, False]
    assert not np.isfinite(analysis.geometric_mean(ds).sel(seed=1))
    assert np.isfinite(analysis.geometric_mean(ds, up_to=STEP - 1)).all()
    band = analysis.band(ds.mean_nRMSE)
    assert band["count"].sel(time=STEP - 1) == 3
    assert (band["count"].sel(time=slice(STEP, None)) == 2).all()


def test_tables(ds):
    table = analysis.melt_metrics(ds)
    assert len(table) == ds.mean_nRMSE.size
    late = table[(table["time_step"] >= STEP) & (table["seed"] == 1)]
    assert len(late) == ds.sizes["time"] - STEP + 1
    assert not np.isfinite(late["mean_nRMSE"]).any()
    wide = analysis.to_wide(ds)
    assert len(wide) == 3
    gmean = analysis.aggregate_gmean(table)
    assert gmean["num_diverged"].tolist() == [0, 1, 0]
    keys = ["scenario", "task", "net", "train"]
    pooled = analysis.aggregate_gmean(table, grouping_cols=keys)
    assert pooled["num_diverged"].tolist() == [1]
    assert not np.isfinite(pooled["gmean_mean_nRMSE"]).any()


def test_plots(ds):
    (curve,) = [el for el in plots.metric(ds) if type(el).__name__ == "Curve"]
    assert curve.label == "3 seeds, 1 diverged"


def test_studies(ds, tmp_path):
    store.create_study(tmp_path)
    store.publish_experiment(ds, {}, store.unit_path(tmp_path, "0" * 32))
    assert store.list_experiments(tmp_path)["num_diverged"].tolist() == [1]
    study = store.open_study(tmp_path)
    assert analysis.count_diverged(study, "mean_nRMSE").values.tolist() == [1]
