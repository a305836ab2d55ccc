import numpy as np
import pytest
import xarray as xr

from apexr import analysis, store
from apexr.errors import MissingVariableError, SpecError
from apexr.testing import mock_experiment, no_compute


@pytest.fixture
def study(tmp_path):
    store.create_study(tmp_path)
    parts = [
        mock_experiment(diverged=[1]),
        mock_experiment(train="sup;5", seeds=(0, 1), num_times=5, random_seed=1),
    ]
    for number, part in enumerate(parts):
        store.publish_experiment(part, {}, store.unit_path(tmp_path, f"{number:032x}"))
    return store.open_study(tmp_path)


def test_reductions_are_lazy(study):
    with no_compute():
        analysis.geometric_mean(study)
        analysis.relative(study)
        analysis.count_diverged(study, "mean_nRMSE")
        analysis.band(study.mean_nRMSE)


def test_geometric_mean_agrees_with_the_table(study):
    labeled = analysis.geometric_mean(study, up_to=7).compute()
    table = analysis.aggregate_gmean(analysis.to_long(study, "mean_nRMSE"), up_to=7)
    for row in table.itertuples():
        value = labeled.sel(seed=row.seed)[labeled.train.values == row.train].item()
        np.testing.assert_allclose(value, row.gmean_mean_nRMSE, rtol=1e-6)
    assert labeled.name == "gmean_mean_nRMSE"


def test_diverged_seeds_are_counted_and_fillings_are_not(study):
    assert analysis.count_diverged(study, "mean_nRMSE").values.tolist() == [1, 0]
    assert analysis.count_diverged(mock_experiment(diverged=[0, 2]), "train_loss").item() == 2


def test_relative_to_a_baseline(study):
    ratio = analysis.relative(study, train="one")
    np.testing.assert_array_equal(ratio[0].sel(seed=[0, 2]), 1)
    expected = study.mean_nRMSE[1] / study.mean_nRMSE[0].drop_vars(["train", "has_time"])
    np.testing.assert_allclose(ratio[1, [0, 2]], expected.values[[0, 2]])
    assert (ratio[1].sel(seed=1, time=slice(5)) == 0).all()  # the baseline diverged there
    assert (ratio[0].sel(seed=1) == 1).all()  # both did
    assert ratio.train.values.tolist() == ["one", "sup;5"]
    with pytest.raises(SpecError, match="0 experiments"):
        analysis.relative(study, train="none")


def test_missing(study):
    with pytest.raises(MissingVariableError, match="there is train_loss"):
        analysis.geometric_mean(study, "mean_MSE")


def test_band_is_the_quantile_of_the_finite_values():
    values = np.random.default_rng(0).normal(size=(7, 5))
    values[2, 1] = np.nan
    values[3, 1] = np.inf
    values[:, 4] = np.nan
    array = xr.DataArray(values, dims=("seed", "time"))
    finite = np.where(np.isfinite(values), values, np.nan)
    for data in (array, array.chunk(seed=3, time=2)):
        band = analysis.band(data, low=0.25, high=0.9, diverged="drop")
        for name, level in [("low", 0.25), ("median", 0.5), ("high", 0.9)]:
            expected = np.nanquantile(finite[:, :4], level, axis=0)
            np.testing.assert_allclose(band[name][:4], expected)
            assert np.isnan(band[name][4])
        assert band["count"].values.tolist() == [7, 5, 7, 7, 0]
