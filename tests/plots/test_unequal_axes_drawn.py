"""Pictures of domains whose axes differ, and of metrics that have a number for each channel."""

import numpy as np
import pytest
import xarray as xr

from apexr import plot
from apexr.errors import MissingVariableError, SpecError
from apexr.plots._stage import Stage
from apexr.plots._views import edges, half_sides, planes, volume
from apexr.testing import mock_experiment


def box(extents, points=(12, 12, 12)):
    """Return a field that is 1 in the whole of a box."""
    coords = {
        dim: xr.Variable(dim, np.arange(n) * length / n, {"extent": length})
        for dim, n, length in zip("xyz", points, extents, strict=True)
    }
    return xr.DataArray(np.ones(points), coords, ("x", "y", "z"), "u")


@pytest.mark.parametrize(("extents", "ratio"), [((2.0, 1.0), 2), ((1.0, 3.0), 1 / 3), ((9, 1), 4)])
def test_images_have_the_shape_of_the_domain(extents, ratio):
    ds = mock_experiment(num_spatial_dims=2, num_points=(12, 8), domain_extent=extents)
    (panel, *_) = plot.state(ds).traverse(lambda each: each, ["Image"])
    assert panel.opts.get("plot", "matplotlib").kwargs["aspect"] == pytest.approx(ratio)
    page = panel.opts.get("plot", "bokeh").kwargs
    assert (page["width"] > page["height"]) is (ratio > 1)


def test_films_have_the_shape_of_the_domain():
    ds = mock_experiment(num_spatial_dims=2, num_points=(12, 8), domain_extent=(2.0, 1.0))
    state = ds.sample_reference.isel(sample=0, time=0, channel=0).assign_attrs(title="t")
    (plane,) = planes(state)
    axes = Stage([[plane]], 1.0, "", 200)._axes[0]
    drawn = axes.get_window_extent()
    assert drawn.width / drawn.height == pytest.approx(2, rel=0.02)


BOX = {"num_spatial_dims": 3, "num_points": (8, 6, 4), "domain_extent": (4.0, 2.0, 1.0)}
SIDES = [2.0, 4.0, 2.0]
"""Width over height of the slices across z, y and x: x over y, x over z, y over z."""


def test_slices_of_a_volume_have_the_shape_of_the_domain():
    drawn = plot.state(mock_experiment(**BOX), times=[1])
    panels = drawn.traverse(lambda each: each, ["Image"])
    ratios = [panel.opts.get("plot", "matplotlib").kwargs["aspect"] for panel in panels]
    assert ratios == pytest.approx(SIDES)
    for panel in panels:
        left, low, right, top = panel.bounds.lbrt()
        page = panel.opts.get("plot", "bokeh").kwargs
        assert (page["width"] > page["height"]) == (right - left > top - low)


def test_films_of_slices_have_the_shape_of_the_domain():
    state = mock_experiment(**BOX).sample_reference.isel(sample=0, time=0, channel=0)
    shown = planes(state.assign_attrs(title="t"))
    stage = Stage([shown], 1.0, "", 200)
    boxes = [axes.get_window_extent() for axes in stage._axes]
    assert [box.width / box.height for box in boxes] == pytest.approx(SIDES, rel=0.03)
    assert stage.draw([plane.values for plane in shown], "t").any()


def test_volumes_are_boxes():
    cube, flat = volume(box((1.0, 1.0, 1.0))), volume(box((1.0, 1.0, 0.25), (12, 10, 6)))
    assert half_sides(box((2.0, 1.0, 4.0))) == (0.5, 0.25, 1.0)
    filled = [(np.abs(one.values) > 0).sum() for one in (cube, flat)]
    assert 0.3 < filled[1] / filled[0] < 0.8
    ends = np.concatenate(list(edges((1.0, 0.5, 0.25))))
    np.testing.assert_allclose(np.abs(ends).max(axis=0), (1.0, 0.5, 0.25))


def test_one_of_the_channels_is_chosen():
    ds = mock_experiment(num_channels=2, metrics=("mean_nRMSE", "per_channel;mean_nRMSE"))
    name = "per_channel_mean_nRMSE"
    own = ds[name]
    each = own.expand_dims(channel=ds.channel, axis=2) * xr.DataArray([1.0, 5.0], dims="channel")
    ds = ds.assign({name: each.assign_attrs(own.attrs)})
    with pytest.raises(SpecError, match=r"choose one: data\.sel\(channel=0\)"):
        plot.metric(ds, name)
    curve = plot.metric(ds.sel(channel=1), name, band="none")
    values = next(iter(curve.traverse(lambda one: one, ["Curve"]))).dimension_values(1)
    np.testing.assert_allclose(values, 5 * own.median("seed"), rtol=1e-5)
    assert plot.overview(ds)
    with pytest.raises(MissingVariableError, match="a metric of all channels"):
        plot.overview(ds.drop_vars(["mean_nRMSE", "nRMSE"]))
