import numpy as np
import pytest
import xarray as xr

from apexr import plots, store
from apexr.errors import MissingVariableError, SpecError
from apexr.testing import mock_experiment

hv = pytest.importorskip("holoviews")
pytest.importorskip("matplotlib")

pytestmark = pytest.mark.quick


@pytest.fixture
def study(tmp_path):
    store.create_study(tmp_path)
    parts = [
        mock_experiment(diverged=[1]),
        mock_experiment(net="FNO", seeds=(0, 1), num_times=5, random_seed=1),
        mock_experiment(net="FNO", train="sup;5", random_seed=2),
    ]
    for number, part in enumerate(parts):
        store.publish_experiment(part, {}, store.unit_path(tmp_path, f"{number:032x}"))
    return store.open_study(tmp_path)


def lines(overlay):
    return [element for element in overlay if type(element) is hv.Curve]


def areas(overlay):
    return [element for element in overlay if type(element) is hv.Area]


def test_loss_is_the_median_over_seeds():
    ds = mock_experiment()
    (curve,) = lines(plots.loss(ds))
    np.testing.assert_allclose(curve.dimension_values("train_loss"), ds.train_loss.median("seed"))
    np.testing.assert_array_equal(curve.dimension_values("update_step"), ds.update_step)
    assert curve.label == "3 seeds"
    assert curve.get_dimension("train_loss").label == "training loss [–]"
    (area,) = areas(plots.loss(ds))
    np.testing.assert_allclose(area.dimension_values(1), ds.train_loss.min("seed"))
    np.testing.assert_allclose(area.dimension_values(2), ds.train_loss.max("seed"))


def test_axes_and_statistic_are_named():
    options = hv.Store.lookup_options("bokeh", plots.loss(mock_experiment()), "plot").kwargs
    assert options["logy"] is True
    assert options["legend_opts"] == {"title": "median, min–max over seeds"}
    drawn = plots.metric(mock_experiment(), band="quartiles")
    options = hv.Store.lookup_options("bokeh", drawn, "plot").kwargs
    assert options["legend_opts"] == {"title": "median, quartiles over seeds"}
    assert options["ylim"] == (0, None)


def test_diverged_seeds_are_counted_and_are_the_worst():
    ds = mock_experiment(diverged=[1])
    (curve,) = lines(plots.metric(ds))
    assert curve.label == "3 seeds, 1 diverged"
    expected = ds.mean_nRMSE.sel(seed=[0, 2]).max("seed")  # the middle one of three
    np.testing.assert_allclose(curve.dimension_values("mean_nRMSE"), expected)
    (gone,) = lines(plots.metric(mock_experiment(seeds=(0,), diverged=[0])))
    assert np.isnan(gone.dimension_values("mean_nRMSE")).all()
    assert gone.label == "1 seed, 1 diverged"


def test_a_study_is_drawn_by_what_differs_or_by_a_coordinate(study):
    labels = [curve.label for curve in lines(plots.metric(study, horizon=False))]
    assert labels == [
        "Conv;26;10;relu, one (3 seeds, 1 diverged)",
        "FNO, one (2 seeds)",
        "FNO, sup;5 (3 seeds)",
    ]
    panels = list(plots.metric(study, by="net", horizon=False))
    assert [[curve.label for curve in lines(panel)] for panel in panels] == [
        ["Conv;26;10;relu (3 seeds, 1 diverged)", "FNO (2 seeds)"],
        ["FNO (3 seeds)"],
    ]
    shorter = lines(plots.metric(study))[1]
    assert len(shorter) == 5
    with pytest.raises(MissingVariableError, match=r"no label 'nett'.*did you mean 'net'"):
        plots.metric(study, by="nett")


def colors(overlay, kind=hv.Curve):
    """Return the color of each group by its name."""
    drawn = [element for element in overlay if type(element) is kind]
    return {
        element.label.split(" (")[0]: hv.Store.lookup_options("bokeh", element, "style").kwargs
        for element in drawn
    }


def test_one_name_has_one_color_in_every_picture(study):
    order = ["FNO", "absent", "Conv;26;10;relu"]
    study = study.isel(experiment=[0, 1])
    fno = study.isel(experiment=[1])
    for whole, part in (
        (plots.metric(study, by="net", order=order), plots.metric(fno, by="net", order=order)),
        (plots.loss(study, by="net", order=order), plots.loss(fno, by="net", order=order)),
    ):
        assert [*colors(whole)][:2] == ["FNO", "Conv;26;10;relu"]
        assert colors(whole)["FNO"] == colors(part)["FNO"]
    without = colors(plots.metric(study, by="net"))
    third = colors(plots.metric(study, by="net", order=order))["Conv;26;10;relu"]
    assert third not in without.values()
    for points in (study, fno):
        front = plots.pareto(points, by="net", order=xr.DataArray(order), step=5)
        first = next(one for one in front if type(one) is hv.Scatter)
        assert first.label.startswith("FNO (")


def test_an_order_that_lacks_a_group_is_refused(study):
    with pytest.raises(
        SpecError, match=r"order lacks 'FNO'; it has 'Conv;26;10;relu', 'FNo'.*mean"
    ):
        plots.metric(study, by="net", order=["Conv;26;10;relu", "FNo"])


def test_missing_variables_are_listed():
    ds = mock_experiment()
    with pytest.raises(MissingVariableError, match="there is train_loss"):
        plots.metric(ds, "mean_MSE")
    with pytest.raises(MissingVariableError, match="sample_rollout"):
        plots.spacetime(ds.drop_vars("sample_rollout"))
    with pytest.raises(MissingVariableError, match="no 'seed 9' here; there is 0, 1, 2"):
        plots.spacetime(ds, seed=9)
    with pytest.raises(MissingVariableError, match="no 'channel 3'"):
        plots.spacetime(ds, channel=3)
    with pytest.raises(SpecError, match="band must be one of"):
        plots.loss(ds, band="sigma")


def test_spacetime_shows_prediction_reference_and_error():
    ds = mock_experiment(num_samples=2)
    prediction, reference, error = plots.spacetime(ds.chunk(), seed=1, sample=1)
    limits = {image.vdims[0].range for image in (prediction, reference, error)}
    assert len(limits) == 1
    expected = ds.sample_reference.sel(sample=1).isel(channel=0).transpose("x", "time")
    drawn = reference.dimension_values(2, flat=False)
    np.testing.assert_allclose(drawn[:, 1:], expected)
    np.testing.assert_allclose(drawn[:, 0], ds.initial_state.sel(sample=1).isel(channel=0))
    difference = prediction.dimension_values(2, flat=False) - drawn
    np.testing.assert_allclose(error.dimension_values(2, flat=False), difference, atol=1e-6)
    assert [dim.label for dim in prediction.kdims] == ["time step", "x [–]"]


@pytest.mark.parametrize("dims", [2, 3])
def test_states_at_chosen_times(dims):
    ds = mock_experiment(num_spatial_dims=dims, num_points=6, num_channels=2)
    layout = plots.spacetime(ds, channel=1, times=[0, 3])
    assert len(layout) == 6
    assert len(plots.spacetime(ds)) == 15
    title = hv.Store.lookup_options("bokeh", list(layout)[1], "plot").kwargs["title"]
    assert title == "prediction, seed 0\ntime step 3" + (", z = 0.5" if dims == 3 else "")
    shown = list(layout)[3].dimension_values(2, flat=False)
    expected = ds.sample_reference.sel(sample=0, time=3).isel(channel=1)
    expected = expected.isel(z=3) if dims == 3 else expected
    np.testing.assert_allclose(shown, expected.transpose("y", "x"))


def test_spacetime_of_a_study_asks_for_one(study):
    with pytest.raises(SpecError, match="isel"):
        plots.spacetime(study)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf", "html"])
def test_save(tmp_path, suffix):
    path = plots.save(plots.loss(mock_experiment(diverged=[1])), tmp_path / f"new/a.{suffix}")
    content = path.read_bytes()
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "html": b"<!DOCTYPE html>"}
    assert content.lstrip().startswith(start[suffix])
    if suffix == "html":
        assert b"cdn.bokeh.org" not in content.rpartition(b"</script>")[0][-5000:]
        assert b"<link" not in content.partition(b"<script")[0]
        assert len(content) > 1_000_000


def test_save_an_image_with_gaps(tmp_path):
    drawn = plots.spacetime(mock_experiment(diverged=[1]), seed=1)
    assert plots.save(drawn, tmp_path / "a.png").stat().st_size > 10_000


def test_other_suffixes_are_refused(tmp_path):
    with pytest.raises(SpecError, match=r"'\.png'"):
        plots.save(plots.loss(mock_experiment()), tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())
