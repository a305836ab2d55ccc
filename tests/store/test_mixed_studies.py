"""Studies of results that differ in grids, channels and in whether they have physical times."""

import numpy as np
import pytest

from apexr import analysis, store
from apexr.store.study import _open
from apexr.testing import mock_experiment


@pytest.fixture(params=[False, True], ids=["opened", "indexed"])
def opened(request, tmp_path, monkeypatch):
    """Return a function that publishes results as a study and opens it, in both ways."""
    if request.param:
        monkeypatch.setattr(_open, "INDEX_FROM", 0)

    def publish(*results):
        path = tmp_path / "study.zarr"
        store.create_study(path)
        for number, ds in enumerate(results):
            store.publish_experiment(ds, {}, store.unit_path(path, f"{number:032d}"))
        return store.open_study(path)

    return publish


def test_results_with_and_without_physical_times(opened):
    sizes = {"seeds": (0, 1), "num_points": 8}
    study = opened(
        mock_experiment(dt=0.1, num_times=3, **sizes),
        mock_experiment(dt=None, num_times=4, **sizes),
        mock_experiment(dt=0.5, num_times=2, **sizes),
    )
    expected = [[0.1, 0.2, 0.3, np.nan], [np.nan] * 4, [0.5, 1.0, np.nan, np.nan]]
    np.testing.assert_allclose(study["time_value"], expected)
    np.testing.assert_array_equal(study["time"], [1, 2, 3, 4])
    assert np.isfinite(study["mean_nRMSE"].isel(experiment=1)).all()


def test_valid_prediction_times_know_the_channels_of_any_grid(opened):
    """A relative error of 0.3 on each of two channels sums to 0.6, and is 0.3: below 0.4."""
    results = [
        mock_experiment(num_spatial_dims=dims, num_channels=dims, num_points=4, num_times=3)
        for dims in (1, 2)
    ]
    for ds, summed in zip(results, (0.6, 0.6), strict=True):
        ds["nRMSE"][...] = summed
    study = opened(*results)
    assert study["num_channels"].values.tolist() == [1, 2]
    times = analysis.valid_prediction_time(study).transpose("experiment", ...)
    assert (times[0] == 1).all()
    assert times["censored"].transpose("experiment", ...)[1].all()
    for row, ds in enumerate(results):
        alone = analysis.valid_prediction_time(ds)
        np.testing.assert_array_equal(times[row].transpose(*alone.dims), alone)


def test_one_grid_needs_no_number_of_channels(opened):
    study = opened(*(mock_experiment(num_channels=2, num_points=4, net=n) for n in ("a", "b")))
    assert "num_channels" not in study.coords
