"""Times at which rollouts are lost, on errors made by hand."""

import numpy as np
import pytest
import xarray as xr

from apexr import analysis, store
from apexr.errors import MissingVariableError, SpecError
from apexr.testing import mock_experiment, no_compute

METRICS = ("mean_correlation", "mean_nRMSE")


def result(rows, name="correlation", **kwargs):
    """Return a result of one seed whose metric ``name`` has the given rows."""
    rows = np.asarray(rows, dtype=np.float32)
    ds = mock_experiment(
        metrics=METRICS, num_test_samples=len(rows), num_times=rows.shape[1], **kwargs
    )
    ds[name][:] = rows
    ds[f"mean_{name}"][:] = rows.mean(axis=0)
    return ds


NAN = np.nan
CORRELATIONS = [[0.99, 0.95, 0.89, 0.95], [0.9, 0.91, 0.9, 0.92], [0.5, 1, 1, 1], [1, NAN, 1, 1]]


def test_correlation_time_is_the_first_step_below():
    time = analysis.correlation_time(result(CORRELATIONS, seeds=(4, 7)), threshold=0.9 - 1e-6)
    assert time.dims == ("seed", "test_sample")
    assert time.sel(seed=7).values.tolist() == [3, 4, 1, 2]
    assert time.censored.sel(seed=4).values.tolist() == [False, True, False, False]
    assert time.net.item() == "Conv;26;10;relu"
    assert time.name == "correlation_time"


def test_lost_at_the_last_step_is_not_censored():
    time = analysis.correlation_time(result([[1, 1, 0.5], [1, 1, 1]]))
    assert time[0].values.tolist() == [3, 3]
    assert time.censored[0].values.tolist() == [False, True]


def test_the_mean_over_samples_has_a_time_too():
    time = analysis.correlation_time(result([[1, 0.7], [1, 0.8]]), variable="mean_correlation")
    assert time.dims == ("seed",)
    assert (time == 2).all()


ERRORS = [[0.1, 0.3, 0.5, 20], [0.5, 0.1, 0.1, 0.1], [0.1, 0.1, np.inf, NAN], [0, 0.1, 0.2, 0.4]]


def test_valid_prediction_time_is_the_first_step_above():
    time = analysis.valid_prediction_time(result(ERRORS, "nRMSE"), bound=0.45)
    assert time[0].values.tolist() == [3, 1, 3, 4]
    assert time.censored[0].values.tolist() == [False, False, False, True]


def test_stability_horizon_counts_the_steps_before_the_breakdown():
    ds = result(ERRORS, "nRMSE")
    stable = analysis.stability_horizon(ds)
    assert stable[0].values.tolist() == [3, 4, 2, 4]
    assert stable.censored[0].values.tolist() == [False, True, False, True]
    assert analysis.stability_horizon(ds, 0.3)[0].values.tolist() == [2, 0, 2, 3]
    assert analysis.stability_horizon(ds, np.inf)[0].values.tolist() == [4, 4, 2, 4]
    chosen = analysis.stability_horizon(ds.sel(time=[1, 4]))
    assert chosen[0].values.tolist() == [1, 4, 1, 4]


@pytest.fixture
def study(tmp_path):
    store.create_study(tmp_path)
    parts = [
        result(CORRELATIONS),
        result([[1.0, 0.2], [1, 1]], train="sup;5", seeds=(0, 1), random_seed=1),
    ]
    for number, part in enumerate(parts):
        store.publish_experiment(part, {}, store.unit_path(tmp_path, f"{number:032x}"))
    return store.open_study(tmp_path)


def test_a_study_is_lazy_and_its_fillings_are_nan(study):
    with no_compute():
        time = analysis.correlation_time(study, 0.85)
        analysis.valid_prediction_time(study)
        analysis.stability_horizon(study)
        study.apexr.correlation_time()
    assert time.dims == ("experiment", "seed", "test_sample")
    short = time[(study.train == "sup;5").values].squeeze("experiment").compute()
    np.testing.assert_array_equal(short.sel(seed=0), [2, 2, NAN, NAN])
    assert np.isnan(short.sel(seed=2)).all()
    assert short.censored.sel(seed=0).values.tolist() == [False, True, False, False]
    long = time[(study.train == "one").values].squeeze("experiment")
    np.testing.assert_array_equal(long.sel(seed=2), [4, 4, 1, 2])


def test_the_methods_are_the_functions():
    ds = result(CORRELATIONS)
    xr.testing.assert_identical(ds.apexr.correlation_time(0.8), analysis.correlation_time(ds, 0.8))
    xr.testing.assert_identical(
        ds.apexr.valid_prediction_time(0.1), analysis.valid_prediction_time(ds, 0.1)
    )
    xr.testing.assert_identical(ds.apexr.stability_horizon(), analysis.stability_horizon(ds))


@pytest.mark.parametrize(
    ("function", "argument"),
    [
        (analysis.correlation_time, 1.5),
        (analysis.correlation_time, NAN),
        (analysis.valid_prediction_time, -1),
        (analysis.stability_horizon, "high"),
    ],
)
def test_bounds_must_make_sense(function, argument):
    with pytest.raises(SpecError, match="must be a number between"):
        function(result(CORRELATIONS), argument)


def test_what_was_not_scored_is_asked_for():
    ds = mock_experiment()
    with pytest.raises(MissingVariableError, match="with mean_correlation in report_metrics"):
        analysis.correlation_time(ds)
    with pytest.raises(MissingVariableError, match="has no time steps"):
        analysis.valid_prediction_time(ds, variable="train_loss")
