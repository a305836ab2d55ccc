"""A seed that becomes NaN or infinite at step k is counted by everything that sums seeds up."""

import numpy as np
import pytest

from apexr import analysis, plots, store
from apexr.schema import diverged_seeds
from apexr.testing import mock_experiment

pytestmark = pytest.mark.acceptance

STEP = 5
LAST = 8
NET, OTHER = "Conv;26;10;relu", "FNO;12;8;4;gelu"


def lost_from(step, value, **options):
    """Return a result whose second seed is not finite from a step of the rollout on."""
    ds = mock_experiment(seeds=range(8), num_times=LAST, net=NET, **options)
    for name in ("mean_nRMSE", "nRMSE"):
        ds[name] = ds[name].where((ds.seed != 1) | (ds.time < step), value)
    return ds


@pytest.fixture(params=[np.nan, np.inf])
def ds(request):
    return lost_from(STEP, request.param).isel(seed=slice(3))


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


@pytest.fixture(
    params=[
        pytest.param((step, value), marks=[] if step in (1, LAST) else pytest.mark.slow)
        for step in range(1, LAST + 1)
        for value in (np.nan, np.inf, -np.inf)
    ],
    ids=lambda param: f"{param[1]} from {param[0]}",
    scope="module",
)
def lost(request, tmp_path_factory):
    """Return the first step that is lost, and a study of that result and a sound one."""
    step, value = request.param
    folder = tmp_path_factory.mktemp("lost")
    sound = mock_experiment(seeds=range(8), num_times=LAST, net=OTHER, random_seed=1)
    store.create_study(folder)
    for number, one in enumerate((lost_from(step, value), sound)):
        store.publish_experiment(one, {}, store.unit_path(folder, f"{number:032x}"))
    return step, store.open_study(folder).load()


def test_every_number_over_seeds_comes_with_the_count(lost):
    step, study = lost
    expected = [[0] * (step - 1) + [1] * (LAST + 1 - step), [0] * LAST]
    band = analysis.band(study.mean_nRMSE)
    assert band.num_diverged.values.tolist() == expected
    assert (band["count"] + band.num_diverged == 8).all()
    bootstrap = analysis.bootstrap_band(study, num_resamples=50)
    assert bootstrap.num_diverged.values.tolist() == expected
    fraction = analysis.finite_fraction(study)
    np.testing.assert_allclose(fraction, 1 - np.array(expected) / 8)
    assert analysis.count_diverged(study, "mean_nRMSE").values.tolist() == [1, 0]
    assert np.isfinite(analysis.geometric_mean(study)).sum("seed").values.tolist() == [7, 8]
    for compare in (
        analysis.paired_difference,
        analysis.paired_ratio,
        analysis.probability_better,
    ):
        found = compare(study, net=(NET, OTHER))
        assert found.num_diverged_a.values.ravel().tolist() == expected[0]
        assert found.num_diverged_b.values.ravel().tolist() == expected[1]


def test_every_text_and_picture_says_it(lost):
    step, study = lost
    for diverged in ("worst", "drop"):
        table = analysis.table(study, steps=[LAST], columns="net", diverged=diverged)
        assert "(1 of 8 diverged)" in table.to_markdown()
    assert "(1 of 8 diverged)" in analysis.table(study, steps="gmean").to_markdown()
    ranks = analysis.rank_table(study, steps=[LAST])
    assert "diverged" in ranks.to_markdown()
    words = analysis.summarise_comparison(study, net=(NET, OTHER), steps=[LAST])
    assert "diverged" in str(words)
    labels = [el.label for el in plots.metric(study) if type(el).__name__ == "Curve"]
    assert sorted("8 seeds, 1 diverged" in label for label in labels) == [False, True]
    long = analysis.melt_metrics(study)
    assert len(long) == study.mean_nRMSE.size
    assert (~np.isfinite(long["mean_nRMSE"])).sum() == LAST + 1 - step
