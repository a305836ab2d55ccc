"""Curves, points and cells: one configuration each, diverged seeds the worst of it."""

import json

import numpy as np
import pytest
import xarray as xr

from apexr import analysis, plots, store
from apexr.errors import MissingVariableError, SpecError
from apexr.plots._fields import at_most
from apexr.testing import mock_experiment

hv = pytest.importorskip("holoviews")
pytest.importorskip("matplotlib")

SCENARIOS, TRAINS, NETS = ("1d_a", "1d_b"), ("one", "sup;5"), ("Conv", "Pure;3")
STEPS = 12
LOST_AT = [4, 6, 8]
"""Steps from which one more of the six seeds of Pure;3 is lost, the worst one first."""


def made(number, scenario, train, net, **keywords):
    one = mock_experiment(
        scenario=scenario,
        train=train,
        net=net,
        seeds=range(6),
        num_times=STEPS,
        num_losses=STEPS,
        loss_every=10,
        scenario_kwargs=json.dumps(keywords),
        random_seed=number,
    )
    one["num_parameters"] = one.num_parameters * 0 + (100 if net == "Conv" else 3)
    if net == "Pure;3":
        errors = np.exp(np.arange(6)[:, None] * np.arange(STEPS)).astype(np.float32)
        for seed, step in zip((5, 4, 3), LOST_AT, strict=True):
            errors[seed, step - 1 :] = [np.nan, np.inf, -np.inf][seed - 3]
        one["mean_nRMSE"][:] = errors
        one["train_loss"][:] = errors
    return one


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("groups")
    store.create_study(folder)
    grid = [(s, t, n) for s in SCENARIOS for t in TRAINS for n in NETS]
    for number, (scenario, train, net) in enumerate(grid):
        keywords = {"domain_extent": 60.0} if scenario == "1d_b" else {}
        one = made(number, scenario, train, net, **keywords)
        store.publish_experiment(one, {}, store.unit_path(folder, f"{number:032x}"))
    return store.open_study(folder)


def kinds(overlay, kind):
    return [element for element in overlay if type(element) is kind]


def titles(layout):
    return [hv.Store.lookup_options("bokeh", p, "plot").kwargs["title"] for p in layout]


def worst_median(values):
    """Return the median by definition: sorted, what is not finite last."""
    ordered = np.sort(np.where(np.isfinite(values), values, np.inf), axis=0)
    below, above = ordered[len(ordered) // 2 - 1], ordered[len(ordered) // 2]
    return np.where(np.isinf(above), np.inf, (below + above) / 2)


@pytest.mark.parametrize("draw", ["metric", "loss"])
def test_a_curve_ends_where_its_median_is_not_finite(study, draw):
    one = study.isel(experiment=[1])
    drawn = plots.metric(one, horizon=False) if draw == "metric" else plots.loss(one)
    name, dim = ("mean_nRMSE", "time") if draw == "metric" else ("train_loss", "update_step")
    (curve,) = kinds(drawn, hv.Curve)
    expected = worst_median(one[name].values[0])
    last = LOST_AT[2] - 1  # three of six are lost at the next step
    assert np.isinf(expected[last:]).all()
    np.testing.assert_allclose(curve.dimension_values(1)[:last], expected[:last], rtol=1e-6)
    assert np.isnan(curve.dimension_values(1)[last:]).all()
    step = one[dim].values[last - 1]
    assert curve.label == f"6 seeds, 3 diverged, 3 left after step {step}"
    (cross,) = kinds(drawn, hv.Scatter)
    assert cross.dimension_values(0).tolist() == [step]


def test_a_band_reaches_the_end_of_the_axis_where_seeds_diverged(study):
    drawn = plots.metric(study.isel(experiment=[1]), logy=True, horizon=False)
    (area,) = kinds(drawn, hv.Area)
    low, high = area.dimension_values(1), area.dimension_values(2)
    top = hv.Store.lookup_options("matplotlib", drawn, "plot").kwargs["ylim"][1]
    finite = study.mean_nRMSE.isel(experiment=1).values
    (curve,) = kinds(drawn, hv.Curve)
    assert top > np.nanmax(curve.dimension_values(1))
    assert (high[LOST_AT[0] - 1 :] == top).all()
    np.testing.assert_allclose(high[: LOST_AT[0] - 1], finite[5, : LOST_AT[0] - 1], rtol=1e-6)
    np.testing.assert_allclose(low, finite[0], rtol=1e-6)


def test_high_correlations_that_diverge_are_the_lowest():
    ds = mock_experiment(metrics=["mean_correlation"], seeds=range(4), diverged=[0])
    values = np.linspace(0.9, 0.6, 4)[:, None] * np.ones(ds.sizes["time"])
    ds["mean_correlation"][:] = np.where(np.arange(4)[:, None] == 0, np.nan, values)
    drawn = plots.metric(ds, "mean_correlation")
    (curve,) = kinds(drawn, hv.Curve)
    np.testing.assert_allclose(curve.dimension_values(1), (values[2] + values[3]) / 2, rtol=1e-6)
    (area,) = kinds(drawn, hv.Area)
    bottom = hv.Store.lookup_options("bokeh", drawn, "plot").kwargs["ylim"][0]
    assert (area.dimension_values(1) == bottom).all()
    assert bottom < np.median(values[2:])


@pytest.mark.parametrize("draw", [plots.metric, plots.loss])
def test_equations_and_trainings_are_panels_and_never_seeds(study, draw):
    drawn = draw(study, by="net")
    assert titles(drawn) == [f"{s}  {t}" for s in SCENARIOS for t in TRAINS]
    for panel in drawn:
        labels = [c.label for c in kinds(panel, hv.Curve) if c.label.startswith(NETS)]
        assert [label.split(",")[0] for label in labels] == ["Conv (6 seeds)", "Pure;3 (6 seeds"]
    burgers = study.isel(experiment=(study.scenario == "1d_a").values)
    one = draw(burgers, by=["net", "train"])
    labels = [c.label.partition(" (")[0] for c in kinds(one, hv.Curve)]
    assert labels[:4] == ["Conv, one", "Pure;3, one", "Conv, sup;5", "Pure;3, sup;5"]


def test_keywords_of_the_scenario_are_labels(study):
    conv = study.isel(experiment=(study.net == "Conv").values)
    single = conv.isel(experiment=(conv.train == "one").values)
    drawn = plots.metric(single, by="domain_extent")
    labels = [curve.label for curve in kinds(drawn, hv.Curve)]
    assert labels[:2] == ["domain_extent=default (6 seeds)", "domain_extent=60.0 (6 seeds)"]
    assert titles(plots.metric(conv, by="domain_extent")) == ["Conv  one", "Conv  sup;5"]
    with pytest.raises(MissingVariableError, match="did you mean 'domain_extent'"):
        plots.loss(conv, by="domain_extend")
    with pytest.raises(MissingVariableError, match="no label 'nett'"):
        plots.metric(conv, by=["train", "nett"])


def test_too_many_panels_are_refused(study):
    many = study.isel(experiment=[0] * 30)
    many = many.assign_coords(task=("experiment", [f"task {i}" for i in range(30)]))
    with pytest.raises(SpecError, match=r"these are 30 panels, .* differ in task"):
        plots.metric(many, by="net")


def test_one_front_for_each_equation(study):
    drawn = plots.pareto(study, by="net", step=3)
    assert [title.splitlines()[0] for title in titles(drawn)] == list(SCENARIOS)
    for panel, scenario in zip(drawn, SCENARIOS, strict=True):
        own = study.isel(experiment=(study.scenario == scenario).values).sel(time=3)
        error = [worst_median(row).item() for row in own.mean_nRMSE.values]
        (front,) = (c for c in kinds(panel, hv.Curve) if c.label == "Pareto front")
        places = plots.pareto_front(own.num_parameters.values.astype(float), np.array(error))
        np.testing.assert_allclose(front.dimension_values(1), np.array(error)[places], rtol=1e-6)
        labels = [point.label for point in kinds(panel, hv.Scatter)]
        assert labels[0] == "Conv (2 experiments, 12 seeds)"
    single = study.isel(experiment=(study.train == "one").values)
    apart = plots.pareto(single, by=["net", "scenario"])
    assert isinstance(apart, hv.Overlay)


def test_a_point_whose_median_diverged_is_not_on_the_front(study):
    drawn = plots.pareto(study.isel(experiment=[0, 1]), step=LOST_AT[2])
    (front,) = kinds(drawn, hv.Curve)
    assert front.dimension_values(0).tolist() == [100]
    earlier = plots.pareto(study.isel(experiment=[0, 1]), step=LOST_AT[2] - 1)
    assert kinds(earlier, hv.Curve)[0].dimension_values(0).tolist() == [3, 100]


def test_plots_and_tables_say_the_same(study):
    """The same medians in the table, the heat map and the curve."""
    one = study.isel(experiment=[1])
    steps = [2, LOST_AT[1], LOST_AT[2]]
    table = analysis.table(one, steps=steps).numbers["value"].astype(float)
    np.testing.assert_allclose(table, worst_median(one.mean_nRMSE.sel(time=steps).values[0]))
    band = analysis.band(one.mean_nRMSE)
    np.testing.assert_allclose(band["median"].values[0], worst_median(one.mean_nRMSE.values[0]))
    for step, value in zip(steps, table, strict=True):
        (image,) = kinds(plots.heatmap(one, step=step), hv.Image)
        np.testing.assert_allclose(image.dimension_values(2), [value], rtol=1e-6)


def test_tables_for_pandas_count_diverged_seeds_as_worst(study):
    expected = np.array([worst_median(v) for v in study.mean_nRMSE.values])
    keys = ["scenario", "train", "net", "time_step"]
    for table in (
        analysis.to_long(study, "mean_nRMSE"),
        analysis.melt_metrics(study),
        analysis.melt_metrics(analysis.to_wide(study)),
    ):
        medians = table.groupby(keys, sort=False)["mean_nRMSE"].median()
        np.testing.assert_allclose(medians.to_numpy(), expected.ravel(), rtol=1e-6)
        assert len(table) == study.mean_nRMSE.size
    keys[-1] = "update_step"
    losses = analysis.melt_loss(study).groupby(keys, sort=False)
    assert np.isinf(losses["train_loss"].median()).sum() == 4 * (STEPS + 1 - LOST_AT[2])
    gmean = analysis.geometric_mean(study)
    assert np.isposinf(gmean.values).sum() == 4 * 3
    assert not np.isnan(gmean.values).any()
    frame = analysis.aggregate_gmean(analysis.to_long(study, "mean_nRMSE"))
    assert np.isposinf(frame["gmean_mean_nRMSE"]).sum() == 4 * 3


def test_fields_of_a_diverged_rollout_stay_as_they_are():
    ds = mock_experiment(diverged=[1])
    table = analysis.to_long(ds, "sample_rollout")
    assert table["sample_rollout"].isna().sum() == ds.sample_rollout.sel(seed=1).size


@pytest.mark.parametrize("form", [".png", ".svg", ".html"])
def test_panels_with_ends_are_drawn(study, tmp_path, form):
    path = plots.save(plots.metric(study, by="net", logy=True), tmp_path / f"a{form}")
    assert path.stat().st_size > 10_000


@pytest.mark.parametrize("draw", [plots.metric, plots.loss])
@pytest.mark.parametrize("diverged", [(0, 1, 2), (0,)])
def test_a_plot_without_any_curve_says_why(draw, diverged):
    ds = mock_experiment(diverged=diverged)
    gone = [int(seed) in diverged for seed in ds.seed]
    ds["train_loss"] = ds.train_loss.where(~xr.DataArray(gone, dims="seed"))
    for backend in ("matplotlib", "bokeh"):
        title = draw(ds).opts.get("plot", backend=backend).kwargs["title"]
        assert ("no curve: no median is finite" in title) == (len(diverged) == 3)


def test_the_error_of_an_exact_prediction_is_zero_without_a_sign():
    ds = mock_experiment()
    error = (ds.sample_rollout - ds.sample_rollout).isel(seed=0, sample=0, channel=0, drop=True)
    assert at_most(-error) == "error, at most 0"
