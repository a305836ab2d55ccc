import json

import numpy as np
import pytest
from _results import NETS, study

from _ladders import SAMPLES, TIMES, ladder
from apexr import plots
from apexr.analysis import geometric_mean, spectrum
from apexr.errors import MissingVariableError, SpecError
from apexr.store import join_experiments
from apexr.testing import mock_experiment

hv = pytest.importorskip("holoviews")
pytest.importorskip("matplotlib")


def option(element, name, backend="matplotlib"):
    return hv.Store.lookup_options(backend, element, "plot").kwargs.get(name)


def parts(overlay, kind):
    return [element for element in overlay if type(element) is kind]


def labels_of(overlay):
    return [element.label for element in overlay if element.label]


@pytest.fixture(scope="module")
def ds(tmp_path_factory):
    return study(tmp_path_factory.mktemp("study"), {0: [1], 2: [0, 1, 2]})


# --- heat map --------------------------------------------------------------------------------


def test_heatmap_shows_medians_and_counts_what_diverged(ds):
    drawn = plots.heatmap(ds)
    (image,) = parts(drawn, hv.Image)
    values = image.dimension_values(2, flat=False)
    means = geometric_mean(ds).values
    assert values.shape == (3, 2)
    assert values[2, 0] == pytest.approx(np.median(means[0]))  # one of three is infinite
    assert values[0, 0] == np.inf  # all seeds diverged
    assert np.isnan(values[1, 1])  # not in the study
    texts = {
        (x, y): text
        for labels in parts(drawn, hv.Labels)
        for x, y, text in zip(*(labels.dimension_values(i) for i in range(3)), strict=True)
    }
    assert len(texts) == 6
    assert texts[0, 2] == f"{np.median(means[0]):.2g}\n1/3 diverged"
    assert texts[0, 0] == "∞\n3/3 diverged"
    assert texts[1, 1] == "–"
    assert option(drawn, "yticks") == list(enumerate([*NETS][::-1]))
    assert option(drawn, "title") == "mean nRMSE, geometric mean to step 8\nmedian over seeds"


def test_heatmap_pools_nothing_but_seeds(ds):
    trained = ds.assign_coords(train=("experiment", list("ababa")))
    drawn = plots.heatmap(trained, step=3)
    assert option(drawn, "title") == "mean nRMSE at step 3\nmedian over seeds"
    rows = [name for _, name in option(drawn, "yticks")]
    conv, fno, res = NETS
    assert rows[::-1] == [f"{conv}, a", f"{fno}, b", f"{res}, a", f"{conv}, b"]
    with pytest.raises(SpecError, match=r"they differ in scenario: name these in y=\['net', 'scen"):
        plots.heatmap(ds, x="task", y="net")
    (image,) = parts(plots.heatmap(ds, x="task", y=["net", "scenario"], step=3), hv.Image)
    own = ds.mean_nRMSE.isel(experiment=1).sel(time=3).values
    assert image.dimension_values(2, flat=False)[3, 0] == pytest.approx(np.median(own))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"x": "sceanrio"}, MissingVariableError, "did you mean 'scenario'"),
        ({"x": "net"}, SpecError, "two different labels"),
        ({"variable": "mean_MSE"}, MissingVariableError, "there is train_loss"),
        ({"variable": "train_loss"}, MissingVariableError, "there is mean_nRMSE"),
        ({"step": 99}, MissingVariableError, "no 'time step 99' here; there is 1, …, 8"),
        ({"up_to": 0}, SpecError, "at least 1"),
    ],
)
def test_heatmap_says_what_there_is(ds, options, error, words):
    with pytest.raises(error, match=words):
        plots.heatmap(ds, **options)
    with pytest.raises(SpecError, match="single result"):
        plots.heatmap(mock_experiment())


# --- cost ------------------------------------------------------------------------------------


def test_the_front_is_what_nothing_else_beats():
    rng = np.random.default_rng(0)
    cost, error = rng.integers(1, 20, 60).astype(float), rng.random(60)
    error[:5], cost[5] = np.nan, np.inf
    front = plots.pareto_front(cost, error)
    expected = {
        i
        for i in range(60)
        if np.isfinite(cost[i] + error[i])
        and not any(
            cost[j] <= cost[i]
            and error[j] <= error[i]
            and (cost[j] < cost[i] or error[j] < error[i])
            for j in range(60)
        )
    }
    assert set(front.tolist()) == expected
    assert (np.diff(cost[front]) > 0).all()
    assert (np.diff(error[front]) < 0).all()


def test_pareto_places_experiments_and_counts_those_it_cannot_place(ds):
    one = ds.isel(experiment=[0, 1, 2])
    drawn = plots.pareto(one)
    assert labels_of(drawn) == [
        "Pareto front",
        "Conv;26;10;relu (3 seeds, 1 diverged)",
        "FNO;12;8;4;gelu (3 seeds)",
        "Res;16;4;relu (3 seeds, 3 diverged)",
    ]
    points = parts(drawn, hv.Scatter)
    assert [point.dimension_values(0).tolist() for point in points] == [[1000], [50000], [4000]]
    mean = geometric_mean(ds).values
    assert points[1].dimension_values(1) == pytest.approx(np.median(mean[1]))
    (front,) = parts(drawn, hv.Curve)
    assert front.dimension_values(0).tolist() == [1000, 50000]
    assert [dim.label for dim in (*front.kdims, *front.vdims)] == [
        "number of parameters",
        "mean nRMSE [–]",
    ]
    panels = list(plots.pareto(ds, cost="train_seconds", by="net"))
    assert [len(parts(panel, hv.Scatter)) for panel in panels] == [3, 2]
    assert parts(panels[0], hv.Scatter)[0].kdims[0].label == "training time [s]"


def test_pareto_says_what_there_is(ds):
    with pytest.raises(SpecError, match="cost must be one of num_parameters"):
        plots.pareto(ds, cost="parameters")
    with pytest.raises(MissingVariableError, match="no label 'nett'"):
        plots.pareto(ds, by="nett")


def test_solvers_stand_beside_emulators():
    results = mock_experiment(num_times=TIMES, num_test_samples=SAMPLES)
    rungs = ladder()
    rungs["solver"][3:] = "fd;1.0;1"
    rungs["mean_nRMSE"][6] = np.nan
    drawn = plots.pareto(results, solvers=rungs, step=5)
    assert "solver etdrk;2" in labels_of(drawn)
    points = {one.label: one for one in parts(drawn, hv.Scatter)}
    first = points["solver etdrk;2"]
    np.testing.assert_allclose(first.dimension_values(0), 1 / rungs.throughput[:3])
    np.testing.assert_allclose(first.dimension_values(1), rungs.mean_nRMSE[:3].sel(time=5))
    assert len(points["solver fd;1.0;1"]) == 3  # one rung diverged
    (emulator,) = (one for label, one in points.items() if label.endswith("seeds"))
    assert emulator.dimension_values(0) == pytest.approx(0.2 / 3 / SAMPLES)
    assert emulator.kdims[0].label == "time of a trajectory [s]"
    means = plots.pareto(results, solvers=rungs, up_to=4)
    first = next(one for one in parts(means, hv.Scatter) if one.label == "solver etdrk;2")
    expected = np.exp(np.log(rungs.mean_nRMSE[:3, :4]).mean("time"))
    np.testing.assert_allclose(first.dimension_values(1), expected)


def test_solvers_of_another_problem_are_not_drawn(ds):
    with pytest.raises(SpecError, match="solves 1d_diff_adv"):
        plots.pareto(ds, solvers=ladder())
    results = mock_experiment(num_times=TIMES, num_test_samples=SAMPLES)
    with pytest.raises(SpecError, match="'inference_seconds' where solvers"):
        plots.pareto(results, solvers=ladder(), cost="num_parameters")
    with pytest.raises(MissingVariableError, match="no ladder"):
        plots.pareto(results, solvers=results)
    with pytest.raises(MissingVariableError, match="step 9"):
        plots.pareto(results, solvers=ladder(), step=9)


def test_sizes(ds):
    count, field = plots.sizes(ds.chunk())
    names = [name for _, name in option(count, "yticks")]
    assert names == ["FNO;12;8;4;gelu", "Res;16;4;relu", "Conv;26;10;relu"]
    dots, endless = parts(field, hv.Scatter)
    assert dots.dimension_values(0).tolist() == [33, 21]
    assert len(endless) == 1
    assert option(field, "title") == "▶ the whole domain"
    unknown = ds.assign(receptive_field=ds.receptive_field.where(ds.net == "Res;16;4;relu"))
    assert option(list(plots.sizes(unknown))[1], "title") == "3 not stored"
    assert len(option(plots.sizes(mock_experiment())[0, 0], "yticks")) == 1
    with pytest.raises(MissingVariableError, match="no 'receptive_field' here"):
        plots.sizes(ds.drop_vars("receptive_field"))


# --- wavenumbers -----------------------------------------------------------------------------


def test_spectra_of_prediction_and_reference():
    ds = mock_experiment(num_samples=2, num_channels=2, diverged=[1])
    drawn = plots.spectra(ds.chunk(), times=[2, 8], channel=1)
    assert labels_of(drawn) == ["time step 2 (1 diverged)", "time step 8 (1 diverged)"]
    curves = parts(drawn, hv.Curve)
    power = spectrum(ds.sample_rollout.isel(channel=1).sel(time=2)).mean("sample")
    expected = power.sel(seed=[0, 2]).max("seed")[1:]  # the middle one of three
    np.testing.assert_allclose(curves[0].dimension_values(1), expected, rtol=1e-5)
    power = spectrum(ds.sample_reference.isel(channel=1).sel(time=2)).mean("sample")
    np.testing.assert_allclose(curves[1].dimension_values(1), power[1:], rtol=1e-5)
    assert option(drawn, "logx")
    assert option(drawn, "logy")
    assert curves[0].kdims[0].label == "wavenumber"
    alone = plots.spectra(ds, seed=0, sample=1)
    assert not parts(alone, hv.Area)


def test_error_over_time_and_wavenumber():
    ds = mock_experiment(num_points=32, diverged=[1])
    half = 0.5 * ds.sample_reference.expand_dims(seed=ds.seed).where(ds.seed != 1)
    ds["sample_rollout"] = half.transpose(*ds.sample_rollout.dims).assign_attrs(units="1")
    drawn = plots.error_spectrum(ds.chunk(time=2))
    values = drawn.dimension_values(2, flat=False)
    assert values.shape == (17, 8)
    np.testing.assert_allclose(values[[1, 2]], 0.5, rtol=1e-4)  # the waves of the mock
    assert np.isnan(values[5:]).all()  # nothing but rounding
    said = "median over 3 seeds, 1 diverged, gray: no power in the reference"
    assert option(drawn, "title").endswith(f"\n{said}")
    assert option(drawn, "cnorm") == "log"
    assert [dim.label for dim in drawn.kdims] == ["time step", "wavenumber"]


# --- horizons --------------------------------------------------------------------------------


def test_horizons_of_the_training_are_marked():
    longer = mock_experiment(train="sup;3", scenario_kwargs='{"train_temporal_horizon": 6}')
    assert labels_of(plots.metric(longer))[1:] == [
        "unrolled in training: 3 steps",
        "trajectories of training: 6 steps",
    ]
    assert labels_of(plots.metric(longer, horizon=False)) == ["3 seeds"]
    line = list(plots.metric(longer))[-2]
    assert line.dimension_values("time")[:2].tolist() == [3, 3]
    assert labels_of(plots.metric(mock_experiment())) == ["3 seeds"]  # nothing is known
    told = mock_experiment().assign_attrs(
        specification='{"parameters": {"train_temporal_horizon": 50}}'
    )
    assert labels_of(plots.metric(told)) == ["3 seeds"]  # beyond the rollout
    gone = mock_experiment(train="div;2", seeds=(0,), diverged=[0])
    assert labels_of(plots.metric(gone)) == ["1 seed, 1 diverged"]


def test_the_horizon_that_all_experiments_share_is_marked_though_no_label_has_it():
    def made(net, horizon, seed):
        told = {"net": net, "parameters": {"train_temporal_horizon": horizon, "num_points": 16}}
        return mock_experiment(net=net, random_seed=seed).assign_attrs(
            specification=json.dumps(told)
        )

    parts = [made("Conv;4;1;relu", 5, 0), made("Pure;3", 5, 1), made("Pure;5", 6, 2)]
    same = join_experiments({f"{n:032x}": one for n, one in enumerate(parts[:2])})
    assert labels_of(plots.metric(same, by="net"))[2:] == ["trajectories of training: 5 steps"]
    assert json.loads(same.attrs["common_parameters"])["train_temporal_horizon"] == 5
    other = join_experiments({f"{n:032x}": one for n, one in enumerate(parts)})
    assert json.loads(other.attrs["common_parameters"]) == {"num_points": 16}
    assert len(labels_of(plots.metric(other, by="net"))) == 3


@pytest.mark.parametrize("train", ["loss;MAE;div;4", "weights;linear;sup;4"])
def test_horizons_within_other_words(train):
    assert "unrolled in training: 4 steps" in labels_of(plots.metric(mock_experiment(train=train)))


# --- names -----------------------------------------------------------------------------------


def test_keywords_tell_experiments_apart_where_nothing_else_does(tmp_path):
    from apexr import store

    store.create_study(tmp_path)
    for number, points in enumerate((16, 32)):
        keywords = f'{{"num_points": {points}, "train_temporal_horizon": 5}}'
        one = mock_experiment(scenario_kwargs=keywords, random_seed=number)
        store.publish_experiment(one, {}, store.unit_path(tmp_path, f"{number:032x}"))
    both = store.open_study(tmp_path)
    labels = labels_of(plots.metric(both))
    assert labels[:2] == ["num_points=16 (3 seeds)", "num_points=32 (3 seeds)"]
    same = both.assign_coords(scenario_kwargs=("experiment", ["{}", "{}"]))
    with pytest.raises(SpecError, match="same seeds and labels; name what differs"):
        plots.metric(same)
    later = tmp_path / "later"
    store.create_study(later)
    for number, seeds in enumerate(([0, 1, 2], [3, 4])):
        one = mock_experiment(seeds=seeds, random_seed=number)
        store.publish_experiment(one, {}, store.unit_path(later, f"{number:032x}"))
    assert labels_of(plots.metric(store.open_study(later))) == ["5 seeds"]
    facet = plots.facets(both, "experiment")
    assert option(next(iter(facet)), "title") == "num_points=16"
    by = plots.metric(both, by="scenario_kwargs")
    assert labels_of(by)[0].startswith('{"num_points": 16')


def test_braces_in_titles_are_drawn(tmp_path):
    ds = mock_experiment(net="{net}", scenario="{}")
    assert plots.save(plots.metric(ds), tmp_path / "a.svg").read_text().count("{net}") == 1
