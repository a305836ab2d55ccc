import dask
import numpy as np
import pytest
import xarray as xr

from apexr import plots, store
from apexr.errors import MissingVariableError, SpecError
from apexr.plots._fields import blocks, fields, largest
from apexr.plots._views import edges, planes, project, volume
from apexr.testing import mock_experiment, no_compute

hv = pytest.importorskip("holoviews")
pytest.importorskip("matplotlib")


def option(element, name, backend="matplotlib"):
    return hv.Store.lookup_options(backend, element, "plot").kwargs.get(name)


def clim(panel, backend="matplotlib"):
    image = panel if isinstance(panel, hv.Image) else next(iter(panel))
    return option(image, "clim", backend)


# --- what is drawn ---------------------------------------------------------------------------


def test_fields_are_lazy_and_begin_with_the_initial_state():
    ds = mock_experiment(num_samples=2, num_channels=2)
    with no_compute():
        reference, prediction, error = fields(ds.chunk(), seed=2, sample=1, channel=1)
    at = {"sample": 1, "channel": 1}
    np.testing.assert_array_equal(reference.values[0], ds.initial_state.sel(at))
    np.testing.assert_array_equal(prediction.values[1:], ds.sample_rollout.sel(at).sel(seed=2))
    np.testing.assert_allclose(error, prediction - reference)
    assert [int(step) for step in reference.time] == [*range(9)]
    assert reference.time_value.values[:2].tolist() == [0, 0.1]
    titles = [field.attrs["title"] for field in (reference, prediction, error)]
    assert titles == ["reference", "prediction, seed 2", "error"]


def test_blocks_follow_the_chunks_of_the_store():
    field = fields(mock_experiment().chunk(time=3), ["prediction"])[0]
    sizes = [part.sizes["time"] for (part,) in blocks(field)]
    assert sizes == [1, 3, 3, 2]
    joined = xr.concat([part for (part,) in blocks(field)], "time")
    np.testing.assert_array_equal(joined, field)


def test_the_largest_magnitude_leaves_out_what_is_not_finite():
    field = fields(mock_experiment(), ["reference"])[0].compute().copy()
    field[2, 3], field[3, 1] = np.inf, -7
    assert largest(field) == 7
    assert largest(field * np.nan) == 0


@pytest.mark.parametrize(
    ("low", "high", "ends"),
    [
        (-2.0, 1.0, (-2.0, 2.0)),
        (0.0, 3.0, (0.0, 3.0)),
        (1.0, 3.0, (0.0, 3.0)),
        (34.0, 36.0, (34.0, 36.0)),
        (-36.0, -34.0, (-36.0, -34.0)),
        (-3.0, -1.0, (-3.0, 0.0)),
        (5.0, 5.0, (0.0, 5.0)),
    ],
)
def test_colors_of_one_sign_begin_at_zero_or_where_the_field_does(low, high, ends):
    values = np.linspace(low, high, 8, dtype="f4").reshape(2, 4)
    field = xr.DataArray(values, dims=("time", "x"), coords={"time": [0, 1]})
    assert largest(field.chunk()).ends(field) == ends


def test_one_state_of_a_long_rollout_is_read_from_one_chunk(tmp_path):
    ds = mock_experiment(num_spatial_dims=2, num_times=40).chunk(time=4)
    touched = []

    def seen(block, block_info=None):
        if block_info:
            touched.append(block_info[0]["array-location"])
        return block

    ds["sample_rollout"].data = ds.sample_rollout.data.map_blocks(seen, dtype="f4")
    touched.clear()
    with dask.config.set(scheduler="sync"):
        plots.compare(ds, time=17)
    assert {place[2] for place in touched} == {(16, 20)}


@pytest.mark.parametrize(("dims", "count"), [(1, 1), (2, 3), (3, 9)])
def test_states(dims, count):
    ds = mock_experiment(num_spatial_dims=dims, num_points=6)
    drawn = plots.state(ds, "reference", times=[0, 4, 8])
    if dims == 1:
        curves = list(drawn)
        assert [curve.label for curve in curves] == ["0", "4", "8"]
        expected = ds.sample_reference.isel(sample=0, channel=0).sel(time=4)
        np.testing.assert_array_equal(curves[1].dimension_values("u"), expected)
        assert curves[0].get_dimension("x").label == "x [–]"
        return
    assert len(drawn) == count
    panels = list(drawn)
    assert (
        len({clim(panel, backend) for panel in panels for backend in ("bokeh", "matplotlib")}) == 1
    )
    low, high = clim(panels[0])
    assert low == -high
    middle = panels[-1].dimension_values(2, flat=False)
    state = ds.sample_reference.isel(sample=0, channel=0).sel(time=8)
    expected = state.transpose("y", "x") if dims == 2 else state.isel(x=3).transpose("z", "y")
    np.testing.assert_allclose(middle, expected)
    if dims == 3:
        assert "x = 0.5" in option(panels[-1], "title")
        assert [dim.name for dim in panels[-1].kdims] == ["y", "z"]


def test_comparison_has_linked_axes_and_equal_limits():
    ds = mock_experiment(num_spatial_dims=2)
    reference, prediction, error = plots.compare(ds, seed=1)
    assert reference.kdims == prediction.kdims == error.kdims
    assert clim(reference) == clim(prediction) == clim(error)
    values = [panel.dimension_values(2, flat=False) for panel in (reference, prediction, error)]
    np.testing.assert_allclose(values[2], values[1] - values[0], atol=1e-6)
    assert option(error, "title").startswith("error, at most ")
    curves = list(plots.compare(mock_experiment(), time=3))
    assert len({option(panel, "ylim") for panel in curves}) == 1
    assert len(curves[1]) == 2  # the reference stands behind


@pytest.mark.parametrize("over", ["sample", "channel", "seed"])
def test_facets_of_one_result(over):
    ds = mock_experiment(num_samples=2, num_channels=2, seeds=(3, 7), diverged=[7])
    panels = list(plots.facets(ds, over, columns=2))
    assert len(panels) == 2
    assert len({clim(panel) for panel in panels}) == 1
    titles = [option(panel, "title") for panel in panels]
    wanted = {"sample": ["sample 0", "sample 1"], "channel": ["channel 0", "channel 1"]}
    assert titles == wanted.get(over, ["seed 3", "seed 7 (NaN from step 1)"])


def test_channels_of_other_sizes_have_colors_and_names_of_their_own():
    ds = mock_experiment(num_channels=2).compute()
    for name in ("sample_rollout", "sample_reference", "initial_state"):
        ds[name] = ds[name] * xr.DataArray([1.0, 100.0], dims="channel").astype("f4")
    panels = plots.facets(ds, "channel")
    assert option(panels[0], "colorbar") or clim(panels[0])[1] < clim(panels[1])[1] / 10
    assert clim(panels[0])[1] < clim(panels[1])[1] / 10
    assert "channel 1" in str(panels[1].traverse(lambda one: one, [hv.Image])[0].vdims[0].label)


def test_an_error_says_how_large_it_is_at_each_time():
    ds = mock_experiment(num_spatial_dims=2, num_points=8)
    texts = []
    plots.spacetime(ds).traverse(lambda one: texts.append(option(one, "title")), [hv.Image])
    said = [text for text in texts if text and text.startswith("error")]
    assert said[0] == "error, at most 0\ntime step 0"
    assert said[-1].startswith("error, at most ")
    assert said[-1] != said[0]


def test_facets_of_a_study(tmp_path):
    store.create_study(tmp_path)
    for number, net in enumerate(("Conv", "FNO")):
        one = mock_experiment(net=net, random_seed=number, num_spatial_dims=2, num_points=8)
        store.publish_experiment(one, {}, store.unit_path(tmp_path, f"{number:032x}"))
    found = plots.facets(store.open_study(tmp_path), "experiment", time=2, part="error")
    assert [option(panel, "title").split("\n")[0] for panel in found] == ["Conv", "FNO"]
    only = plots.facets(store.open_study(tmp_path), "experiment", labels=[f"{1:032x}"])
    assert len(only) == 1


def test_what_is_not_finite_is_gray_and_said():
    ds = mock_experiment(num_spatial_dims=2, diverged=[1])
    _, prediction, _ = plots.compare(ds, seed=1)
    assert np.isnan(prediction.dimension_values(2)).all()
    assert "(not finite)" in option(prediction, "title")
    infinite = ds.copy()
    infinite["sample_rollout"] = ds.sample_rollout.fillna(np.inf)
    _, prediction, _ = plots.compare(infinite, seed=1)
    assert np.isnan(prediction.dimension_values(2)).all()
    curves = plots.state(mock_experiment(diverged=[1]), seed=1, times=[0, 5])
    assert [curve.label for curve in curves] == ["0", "5 (not finite)"]


def test_a_blown_up_prediction_does_not_wash_out_the_others():
    ds = mock_experiment(num_spatial_dims=2)
    ds["sample_rollout"] = ds.sample_rollout * (1 + 1e6 * (ds.seed == 2))
    top = float(np.abs(ds.sample_reference.sel(time=8)).max())
    for part in ("prediction", "error"):
        panels = list(plots.facets(ds, "seed", part))
        np.testing.assert_allclose([clim(panel) for panel in panels], [(-top, top)] * 3)
    small = plots.facets(ds, "seed", "error", labels=[0, 1])
    assert 0 < clim(next(iter(small)))[1] < top
    alone = plots.state(ds.drop_vars("sample_reference"), times=[8], seed=2)
    assert clim(next(iter(alone)))[1] > 1e5
    gone = plots.compare(mock_experiment(num_spatial_dims=2, diverged=[1]), seed=1)
    assert option(list(gone)[2], "title") == "error (not finite)\ntime step 8"


# --- through a volume ------------------------------------------------------------------------


def cube(values):
    points = np.arange(values.shape[0]) / values.shape[0]
    coords = dict.fromkeys("xyz", points)
    return xr.DataArray(values, coords, ("x", "y", "z"), "u", {"title": "a"})


def test_nothing_is_seen_through_an_empty_volume_and_the_front_through_a_full_one():
    assert not volume(cube(np.zeros((8, 8, 8), "f4"))).any()
    full = volume(cube(np.full((8, 8, 8), -2.0, "f4")))
    assert float(full.min()) == pytest.approx(-2, abs=0.01)
    assert float(full.sel(up=0, right=0, method="nearest")) == pytest.approx(-2, abs=0.01)
    assert float(full[0, 0]) == 0  # beside the cube


def test_the_front_hides_the_back():
    values = np.zeros((32, 32, 32), "f4")
    values[:, :6], values[:, -8:-2] = 1.0, -1.0  # low y is in front
    seen = volume(cube(values)).sel(up=0, right=0, method="nearest")
    assert float(seen) > 0.5


def test_a_corner_is_seen_where_it_is_projected():
    values = np.zeros((16, 16, 16), "f4")
    values[12:14, 2:4, 7:9] = 1
    seen = volume(cube(values))
    place = seen.argmax(...)
    found = np.array([seen.right[place["right"]], seen.up[place["up"]]])
    center = (np.array([13, 3, 8]) + 0.0) / 16 * 2 - 1
    np.testing.assert_allclose(found, project(center), atol=0.12)


def test_nan_in_a_volume_is_seen_as_nan():
    values = np.ones((8, 8, 8), "f4")
    values[4, 4, 4] = np.nan
    assert np.isnan(volume(cube(values))).any()


def test_nine_edges_of_a_cube_are_seen():
    ends = np.array(list(edges()))
    assert ends.shape == (9, 2, 3)
    np.testing.assert_allclose(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1), 2)
    assert (np.abs(project(ends)) <= 1).all()


def test_three_planes_of_a_volume():
    state = cube(np.random.default_rng(0).normal(size=(4, 4, 4)))
    found = planes(state)
    assert [plane.dims for plane in found] == [("y", "x"), ("z", "x"), ("z", "y")]
    np.testing.assert_array_equal(found[1], state.isel(y=2).transpose("z", "x"))
    with pytest.raises(SpecError, match="view must be one of slices, volume; got 'slice'"):
        planes(state, "slice")


# --- sliders ---------------------------------------------------------------------------------


def test_exploring_reads_what_is_asked_for(tmp_path):
    ds = mock_experiment(num_spatial_dims=2, num_samples=2)
    layout = plots.explore(ds.chunk(time=1))
    assert [dim.name for dim in next(iter(layout)).kdims] == ["seed", "sample", "time"]
    reference, prediction, error = (panel[2, 1, 5] for panel in layout)
    expected = ds.sample_rollout.sel(seed=2, sample=1, time=5).isel(channel=0).transpose("y", "x")
    np.testing.assert_allclose(prediction.dimension_values(2, flat=False), expected)
    assert clim(reference) == clim(prediction) == clim(error)
    with pytest.raises(SpecError, match=r"plot has sliders.*plot\[seed, sample, time\]"):
        plots.save(layout, tmp_path / "a.png")
    with pytest.raises(SpecError, match="sliders"):
        plots.save(next(iter(layout)), tmp_path / "a.html")
    assert not list(tmp_path.iterdir())
    assert plots.save(prediction, tmp_path / "a.png").exists()


def test_a_holomap_is_not_written_as_one_of_its_frames(tmp_path):
    frames = hv.HoloMap({0: plots.loss(mock_experiment())}, kdims="epoch")
    with pytest.raises(SpecError, match="frame for every epoch"):
        plots.save(frames, tmp_path / "a.gif.png")


# --- bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda ds: plots.state(ds, "prediktion"), SpecError, "did you mean 'prediction'"),
        (lambda ds: plots.state(ds, view="cube"), SpecError, "view must be one of"),
        (lambda ds: plots.state(ds, times=[]), SpecError, "at least one time step"),
        (lambda ds: plots.state(ds, times=[99]), MissingVariableError, "there is 0, 1, 2"),
        (lambda ds: plots.compare(ds, time=99), MissingVariableError, "no 'time 99'"),
        (lambda ds: plots.compare(ds, sample=9), MissingVariableError, "no 'sample 9'"),
        (lambda ds: plots.facets(ds, "net"), SpecError, "over must be one of sample, channel"),
        (lambda ds: plots.facets(ds, "experiment"), MissingVariableError, "no 'experiment'"),
        (lambda ds: plots.facets(ds, labels=[5]), MissingVariableError, "no 'sample 5'"),
        (lambda ds: plots.facets(ds, columns=0), SpecError, "columns must be at least 1"),
        (lambda ds: plots.state(ds.mean_nRMSE), SpecError, "a trajectory is an array"),
        (
            lambda ds: plots.compare(ds.drop_vars("sample_rollout")),
            MissingVariableError,
            "there is",
        ),
        (lambda ds: plots.compare(ds.expand_dims("experiment")), SpecError, "choose it"),
    ],
)
def test_what_cannot_be_drawn_is_said(call, error, words):
    with pytest.raises(error, match=words):
        call(mock_experiment(num_spatial_dims=2, num_points=4))
