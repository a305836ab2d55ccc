"""Statistics over seeds against SciPy: lazy, independent of chunks, honest about divergence."""

import numpy as np
import pytest
import scipy.stats as ss
import xarray as xr

from apexr import analysis, store
from apexr.analysis.statistics._intervals import bootstrap
from apexr.errors import DivergenceError, MissingVariableError, SpecError
from apexr.testing import mock_experiment, no_compute

A, B = "Conv;26;10;relu", "FNO;12;8;4;gelu"
PAIR = {"net": (A, B)}
CHUNKS = [{}, {"experiment": 1}, {"seed": 1, "time": 3}, {"experiment": 2, "seed": 4, "time": 2}]

FUNCTIONS = {
    "bootstrap": lambda ds: analysis.bootstrap_band(ds, num_resamples=200),
    "bootstrap mean": lambda ds: analysis.bootstrap_band(
        ds, statistic="mean", method="bca", num_resamples=200, diverged="drop"
    ),
    "band": lambda ds: analysis.band(ds.mean_nRMSE, low=0.25, high=0.75, diverged="worst"),
    "finite": analysis.finite_fraction,
    "difference": lambda ds: analysis.paired_difference(ds, **PAIR, train="one"),
    "differences": lambda ds: analysis.paired_difference(ds, interval="percentile", **PAIR),
    "ratio": lambda ds: analysis.paired_ratio(ds, **PAIR, statistic="median"),
    "ratios": lambda ds: analysis.paired_ratio(ds, **PAIR, diverged="drop", interval="bca"),
    "better": lambda ds: analysis.probability_better(ds, **PAIR),
    "better paired": lambda ds: analysis.probability_better(ds, **PAIR, paired=True),
}


def made(**options):
    return mock_experiment(seeds=range(10), **options)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two networks and two trainings; of different seeds and horizons, some diverged."""
    folder = tmp_path_factory.mktemp("statistics")
    store.create_study(folder)
    parts = [
        made(net=A, train="one", diverged=[3]),
        made(net=B, train="one", random_seed=1),
        made(net=A, train="sup;5", random_seed=2, num_times=6),
        mock_experiment(net=B, train="sup;5", seeds=range(2, 12), diverged=[4, 5], random_seed=3),
    ]
    for number, part in enumerate(parts):
        store.publish_experiment(part, {}, store.unit_path(folder, f"{number:032x}"))
    return store.open_study(folder)


def two(values_a, values_b, name="mean_nRMSE"):
    """Return two results with these values of shape (seed, time)."""
    results = []
    for given in (values_a, values_b):
        values = np.asarray(given, float)
        coords = {"seed": range(values.shape[0]), "time": range(1, values.shape[1] + 1)}
        results.append(xr.Dataset({name: (("seed", "time"), values)}, coords))
    return results


def random_pair(seeds=12, times=7):
    rng = np.random.default_rng(0)
    return np.exp(rng.normal(0, 1, (seeds, times))), np.exp(rng.normal(0.3, 1, (seeds, times)))


# --- lazy, the same for every chunking --------------------------------------------------------


FEW = pytest.mark.filterwarnings("ignore:.*values are too few for a:apexr.errors.ApexrWarning")


@FEW
@pytest.mark.parametrize("name", FUNCTIONS)
def test_lazy_and_the_same_for_every_chunking(study, name):
    expected = FUNCTIONS[name](study.load())
    for chunks in CHUNKS:
        with no_compute():
            lazy = FUNCTIONS[name](study.chunk(chunks))
        parts = lazy.data_vars.values() if isinstance(lazy, xr.Dataset) else [lazy]
        assert all(part.chunks is not None for part in parts)
        xr.testing.assert_allclose(lazy.compute(), expected, rtol=1e-12)


def test_counts_stand_beside(study):
    difference = analysis.paired_difference(study, **PAIR).compute()
    assert difference.sizes == {"comparison": 2, "time": 8}
    assert difference.train.values.tolist() == ["one", "sup;5"]
    assert difference.num_pairs.values.tolist() == [[10] * 8, [8] * 6 + [0] * 2]
    assert difference.num_diverged_a[0].values.tolist() == [1] * 8
    assert difference.num_diverged_b[1].values.tolist() == [2] * 8
    assert difference.num_only_a[1].values.tolist() == [2] * 6 + [0] * 2
    assert difference.num_only_b[1].values.tolist() == [2] * 6 + [10] * 2
    assert np.isnan(difference.difference[1, 6:]).all()
    assert difference.attrs["a"] == A


def test_one_step_selected_from_a_study(study):
    """What is not there at that step is no divergence."""
    at_8 = study.sel(time=8)
    assert analysis.count_diverged(at_8, "mean_nRMSE").values.tolist() == [1, 0, 0, 2]
    fraction = analysis.finite_fraction(at_8).compute()
    np.testing.assert_allclose(fraction, [0.9, 1, np.nan, 0.8])
    assert analysis.paired_ratio(at_8, **PAIR).num_pairs.values.tolist() == [10, 0]


def test_random_seed_and_order_of_seeds():
    ds = made()
    first = analysis.bootstrap_band(ds)
    xr.testing.assert_identical(first, analysis.bootstrap_band(ds))
    xr.testing.assert_identical(first, analysis.bootstrap_band(ds.isel(seed=slice(None, None, -1))))
    ds = mock_experiment(seeds=range(30))
    resampled = [
        analysis.bootstrap_band(ds, statistic=0.4, method="percentile", random_seed=seed)
        for seed in (0, 1)
    ]
    assert not resampled[0].equals(resampled[1])


# --- oracles ----------------------------------------------------------------------------------


STATISTICS = [
    (None, lambda x, axis: np.mean(x, axis=axis).round(12)),
    (0.5, np.median),
    (0.8, lambda x, axis: np.quantile(x, 0.8, axis=axis)),
]


def scipys(column, function, method, number):
    return ss.bootstrap(
        (column,),
        function,
        method=method,
        n_resamples=999,
        confidence_level=0.9,
        rng=np.random.default_rng([5, number]),
    ).confidence_interval


@pytest.mark.parametrize("method", ["percentile", "basic", "bca"])
@pytest.mark.parametrize(("level", "function"), STATISTICS)
def test_bootstrap_is_scipys(method, level, function):
    rows = np.sort(random_pair(seeds=11)[0].T, axis=1)
    options = {"confidence": 0.9, "num_resamples": 999, "random_seed": 5}
    bounds = bootstrap(rows, np.full(len(rows), 11), level, method=method, **options)
    for row, found in zip(rows, bounds, strict=True):
        np.testing.assert_allclose(found, scipys(row, function, method, 11), rtol=1e-10)


@pytest.mark.parametrize("method", ["percentile", "bca"])
@pytest.mark.parametrize(("statistic", "place"), [("median", 1), (0.8, 2)])
def test_bands_by_bootstrap_are_scipys(method, statistic, place):
    values = np.sort(random_pair(seeds=60, times=2)[0], axis=0)
    options = {"confidence": 0.9, "num_resamples": 999, "random_seed": 5}
    band = analysis.bootstrap_band(
        two(values, values)[0], statistic=statistic, method=method, **options
    )
    function = STATISTICS[place][1]
    for column, low, high in zip(values.T, band.low.values, band.high.values, strict=True):
        expected = scipys(column, function, method, 60)
        np.testing.assert_allclose([low, high], expected, rtol=1e-10)
    np.testing.assert_allclose(band.estimate, function(values, axis=0))


@FEW
@pytest.mark.parametrize("level", [0.25, 0.5, 0.9])
@pytest.mark.parametrize("n", [4, 6, 15, 60])
def test_bands_are_between_the_values_of_scipys_quantile_test(n, level):
    values = random_pair(seeds=n)[0]
    band = analysis.bootstrap_band(two(values, values)[0], statistic=level)
    for i, column in enumerate(values.T):
        low, high = ss.quantile_test(column, q=0, p=level).confidence_interval(0.95)
        both = np.isfinite([low, high]).all()
        expected = [low, high] if both else [-np.inf, np.inf]
        np.testing.assert_allclose([band.low[i], band.high[i]], expected)
    np.testing.assert_allclose(band.smallest, values.min(0))
    np.testing.assert_allclose(band.largest, values.max(0))


@pytest.mark.parametrize(
    ("options", "least"),
    [
        ({}, 6),
        ({"confidence": 0.5}, 2),
        ({"statistic": 0.9}, 36),
        ({"method": "percentile"}, 20),
        ({"method": "basic"}, 2000),
        ({"statistic": "mean"}, 500),
        ({"statistic": "mean", "method": "bca"}, 1000),
    ],
)
def test_too_few_values_have_no_interval_and_are_told(options, least):
    values = np.exp(np.random.default_rng(0).normal(size=(least, 1)))
    enough = analysis.bootstrap_band(two(values, values)[0], num_resamples=99, **options)
    assert np.isfinite([enough.low.item(), enough.high.item()]).all()
    assert enough.attrs["interval_from"] == least
    with pytest.warns(UserWarning, match=f"{least - 1} values are too few"):
        few = analysis.bootstrap_band(two(values[1:], values)[0], num_resamples=99, **options)
    assert (few.low.item(), few.high.item()) == (-np.inf, np.inf)
    assert few.smallest.item() == values[1:].min()


def test_the_seeds_that_a_row_has_decide():
    """A study of six seeds and of three: only the first has an interval."""
    values = np.arange(12.0).reshape(2, 6)
    ds = xr.Dataset(
        {"mean_nRMSE": (("experiment", "seed"), values)},
        {"seed": range(6), "has_seed": (("experiment", "seed"), values < 9)},
    )
    band = analysis.bootstrap_band(ds)
    assert band.low.values.tolist() == [0, -np.inf]
    assert band.high.values.tolist() == [5, np.inf]
    assert band.largest.values.tolist() == [5, 8]


def test_difference_is_scipys():
    a, b = random_pair()
    options = {"other": two(a, b)[1], "statistic": "mean", "confidence": 0.9}
    found = analysis.paired_difference(two(a, b)[0], **options)
    np.testing.assert_allclose(found.difference, (a - b).mean(0))
    assert np.isinf(found.low).all()  # twelve pairs are too few for any distribution
    many = random_pair(seeds=600, times=3)
    options["other"] = two(*many)[1]
    interval = ss.ttest_rel(*many).confidence_interval(0.9)
    bounds = analysis.paired_difference(two(*many)[0], **options)
    np.testing.assert_allclose([bounds.low, bounds.high], interval, rtol=1e-10)
    np.testing.assert_allclose(found.p_wilcoxon, ss.wilcoxon(a, b).pvalue)
    signs = [ss.binomtest(int(n), len(a)).pvalue for n in (a > b).sum(0)]
    np.testing.assert_allclose(found.p_sign, signs)
    np.testing.assert_array_equal(found.num_a_better, (a < b).sum(0))


def test_ratio_is_geometric():
    a, b = random_pair()
    found = analysis.paired_ratio(two(a, b)[0], other=two(a, b)[1])
    np.testing.assert_allclose(found.ratio, ss.gmean(a) / ss.gmean(b))
    interval = ss.ttest_rel(np.log(a), np.log(b)).confidence_interval()
    np.testing.assert_allclose([found.low, found.high], np.exp(interval), rtol=1e-10)
    assert found.ratio.attrs["units"] == "1"


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("n", [3, 6, 10, 25])
def test_order_interval_is_that_of_scipys_quantile_test(n, confidence):
    a, b = random_pair(seeds=n)
    found = analysis.paired_difference(
        two(a, b)[0], other=two(a, b)[1], statistic="median", confidence=confidence
    )
    for i, column in enumerate((a - b).T):
        result = ss.quantile_test(column, q=0, p=0.5)
        low, high = result.confidence_interval(confidence)
        expected = [-np.inf if np.isnan(low) else low, np.inf if np.isnan(high) else high]
        expected = expected if np.isfinite(expected).all() else [-np.inf, np.inf]
        np.testing.assert_allclose([found.low[i], found.high[i]], expected)


def test_probability_is_mann_whitneys():
    a, b = random_pair()
    a[0], b[:3] = 1.0, 1.0
    found = analysis.probability_better(two(a, b)[0], other=two(a, b)[1])
    u = ss.mannwhitneyu(b, a).statistic
    np.testing.assert_allclose(found.probability, u / (len(a) * len(b)))
    a, b = random_pair()
    found = analysis.probability_better(two(a, b)[0], other=two(a, b)[1])
    np.testing.assert_allclose(found.p_value, ss.mannwhitneyu(a, b, method="exact").pvalue)
    assert ((found.low <= found.probability) & (found.probability <= found.high)).all()


def test_paired_probability_is_the_binomials():
    a, b = random_pair()
    found = analysis.probability_better(two(a, b)[0], other=two(a, b)[1], paired=True)
    for i, wins in enumerate((a < b).sum(0)):
        interval = ss.binomtest(int(wins), len(a)).proportion_ci()
        np.testing.assert_allclose([found.low[i], found.high[i]], interval, rtol=1e-9)


def test_sides_are_symmetric(study):
    ab = analysis.paired_difference(study, **PAIR, train="one", statistic="median").compute()
    ba = analysis.paired_difference(study, net=(B, A), train="one", statistic="median").compute()
    np.testing.assert_allclose(ab.difference, -ba.difference)
    np.testing.assert_allclose(ab.low, -ba.high)
    one = analysis.probability_better(study, **PAIR, train="one").compute()
    other = analysis.probability_better(study, net=(B, A), train="one").compute()
    np.testing.assert_allclose(one.probability, 1 - other.probability)
    np.testing.assert_allclose(one.low, 1 - other.high, atol=1e-9)


# --- divergence -------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [np.nan, np.inf, -np.inf])
def test_a_diverged_seed_is_the_worst(lost):
    a, b = random_pair(times=1)
    a[4] = lost
    one, other = two(a, b)
    ratio = analysis.paired_ratio(one, other=other, statistic="median")
    huge = analysis.paired_ratio(
        *two(np.where(np.arange(12)[:, None] == 4, 1e300, a), b)[:1],
        other=other,
        statistic="median",
    )
    np.testing.assert_allclose(ratio.ratio, huge.ratio)
    assert ratio.num_diverged_a.item() == 1
    mean = analysis.paired_difference(one, other=other, statistic="mean")
    assert mean.difference.item() == np.inf
    assert (mean.low.item(), mean.high.item()) == (-np.inf, np.inf)
    dropped = analysis.paired_difference(one, other=other, statistic="mean", diverged="drop")
    np.testing.assert_allclose(dropped.difference, (a - b)[np.arange(12) != 4].mean())
    assert dropped.num_pairs.item() == 11
    chance = analysis.probability_better(one, other=other)
    assert (
        chance.probability
        < analysis.probability_better(one, other=other, diverged="drop").probability
    )
    with pytest.raises(DivergenceError, match="1 of 12 values diverged"):
        analysis.paired_difference(one, other=other, diverged="raise")
    lazy = analysis.paired_difference(one.chunk(), other=other, diverged="raise")
    with pytest.raises(DivergenceError, match="diverged='drop'"):
        lazy.compute()


def test_high_correlations_are_good():
    a, b = two([[0.9], [0.8], [np.nan]], [[0.5], [0.9], [0.1]], "mean_correlation")
    found = analysis.probability_better(a, "mean_correlation", other=b, paired=True)
    np.testing.assert_allclose(found.probability, 1 / 3)
    assert found.attrs["better"] == "higher"
    lower = analysis.probability_better(a, "mean_correlation", other=b, paired=True, better="lower")
    np.testing.assert_allclose(lower.probability, 1 / 3)
    band = analysis.band(a.mean_correlation)
    assert band.low.item() == -np.inf
    assert band["count"].item() == 2
    assert band.num_diverged.item() == 1


def test_equal_sides():
    a, _ = random_pair()
    a[2, 3] = np.nan
    ds = two(a, a)[0]
    found = analysis.paired_difference(ds, other=ds)
    assert (found.difference == 0).all()
    assert (found.p_sign == 1).all()
    assert (analysis.probability_better(ds, other=ds).probability == 0.5).all()
    assert (analysis.paired_ratio(ds, other=ds).ratio == 1).all()


def test_one_or_no_pair_tells_nothing():
    a, b = random_pair(seeds=1)
    found = analysis.paired_difference(two(a, b)[0], other=two(a, b)[1])
    assert np.isinf(found.low).all()
    assert np.isinf(found.high).all()
    apart = two(a, b)[1].assign_coords(seed=[7])
    none = analysis.paired_difference(two(a, b)[0], other=apart)
    assert none.num_pairs.values.tolist() == [0] * 7
    assert none.num_only_a.values.tolist() == [1] * 7
    assert np.isnan(none.low).all()


# --- selection --------------------------------------------------------------------------------


def test_scenario_keywords_and_own_coordinates_select(tmp_path):
    store.create_study(tmp_path)
    for number, points in enumerate((20, 40)):
        part = made(scenario_kwargs=f'{{"num_points": {points}}}', random_seed=number)
        store.publish_experiment(part, {}, store.unit_path(tmp_path, f"{number:032x}"))
    study = store.open_study(tmp_path)
    by_keyword = analysis.paired_ratio(study, num_points=(20, 40))
    labeled = study.assign_coords(kind=("experiment", ["a", "b"]))
    with pytest.raises(SpecError, match="scenario_kwargs"):
        analysis.paired_ratio(labeled, kind=("a", "b"))
    kwargs = tuple(study.scenario_kwargs.values)
    by_coordinate = analysis.paired_ratio(labeled, kind=("a", "b"), scenario_kwargs=kwargs)
    np.testing.assert_array_equal(by_keyword.ratio, by_coordinate.ratio)


def test_seeds_of_several_experiments_with_one_config(tmp_path):
    """Later seeds of the same configuration are more seeds of it."""
    store.create_study(tmp_path)
    whole = {net: made(net=net, random_seed=number) for number, net in enumerate((A, B))}
    parts = [ds.isel(seed=chosen) for ds in whole.values() for chosen in (range(6), range(6, 10))]
    for number, part in enumerate(parts):
        store.publish_experiment(part, {}, store.unit_path(tmp_path, f"{number:032x}"))
    study = store.open_study(tmp_path)
    found = analysis.paired_difference(study, **PAIR)
    expected = analysis.paired_difference(whole[A], other=whole[B])
    np.testing.assert_allclose(found.difference, expected.difference)
    assert analysis.table(study, steps=8).numbers["num_seeds"].tolist() == [10, 10]
    twice = xr.concat([study, study.isel(experiment=[0])], "experiment")
    with pytest.raises(SpecError, match="have the same seeds"):
        analysis.paired_difference(twice, **PAIR)


def test_what_has_no_partner_is_said(study):
    with pytest.warns(UserWarning, match="1 experiments have no partner"):
        found = analysis.paired_difference(study.isel(experiment=[0, 1, 2]), **PAIR)
    assert found.train.item() == "one"


@pytest.mark.parametrize(
    ("select", "message"),
    [
        ({}, "say what to compare"),
        ({"net": A}, "say what to compare"),
        ({"net": (A, A)}, "two different values"),
        ({"net": (A, B, A)}, "two different values"),
        ({"net": (A, "FNO")}, r"no experiment has net='FNO'.*did you mean 'FNO;12;8;4;gelu'"),
        ({**PAIR, "train": "sup;6"}, "did you mean 'sup;5'"),
        ({**PAIR, "statistic": "mode"}, "statistic must be"),
        ({**PAIR, "statistic": "mean", "interval": "order"}, "is one of the median"),
        ({**PAIR, "interval": "exact"}, "interval must be one of"),
        ({**PAIR, "confidence": 95}, "confidence must be between"),
        ({**PAIR, "diverged": "ignore"}, "diverged must be one of worst, drop, raise"),
        ({**PAIR, "better": "small"}, "better must be one of"),
        ({**PAIR, "num_resamples": 0}, "num_resamples must be"),
    ],
)
def test_bad_input(study, select, message):
    with pytest.raises(SpecError, match=message):
        analysis.paired_difference(study, **select)


def test_missing_names(study):
    with pytest.raises(MissingVariableError, match=r"no label 'nett'.*did you mean 'net'"):
        analysis.paired_difference(study, nett=(A, B))
    with pytest.raises(MissingVariableError, match="there is train_loss"):
        analysis.paired_difference(study, "mean_MSE", **PAIR)
    with pytest.raises(MissingVariableError, match="no dimension 'seed'"):
        analysis.bootstrap_band(study.median("seed"))
    with pytest.raises(SpecError, match="nothing to compare"):
        analysis.paired_difference(made(), **PAIR)
    with pytest.raises(SpecError, match="other= holds 4 experiments"):
        analysis.paired_difference(made(), other=study)
    with pytest.raises(SpecError, match="not negative"):
        analysis.paired_ratio(made() * -1, other=made())
    with pytest.raises(SpecError, match="low and high"):
        analysis.band(study.mean_nRMSE, low=0.9, high=0.1)


def test_arrays_and_results_alike(study):
    from_array = analysis.paired_difference(study.mean_nRMSE, **PAIR, train="one").compute()
    xr.testing.assert_identical(
        from_array, analysis.paired_difference(study, **PAIR, train="one").compute()
    )
    singles = [study.isel(experiment=i) for i in (0, 1)]
    from_results = analysis.paired_difference(singles[0], other=singles[1]).compute()
    for name in from_array.data_vars:
        np.testing.assert_array_equal(from_array[name], from_results[name])
    assert from_results.attrs["b"] == B


@pytest.mark.parametrize("compare", [analysis.paired_ratio, analysis.paired_difference])
def test_sides_whose_labels_differ_are_refused_but_for_seeds_and_steps(compare):
    a = mock_experiment(num_times=6, num_test_samples=3)
    b = a.assign_coords(test_sample=a["test_sample"] + 1)
    with pytest.raises(SpecError, match="differ in their labels along 'test_sample'"):
        compare(a, "nRMSE", other=b)
    with pytest.raises(SpecError, match="no time in common"):
        compare(a, other=a.assign_coords(time=a["time"] + 100))
    shorter = compare(a, other=a.isel(time=slice(0, 4)))
    np.testing.assert_array_equal(shorter["time"], [1, 2, 3, 4])
    fewer = compare(a, other=a.isel(seed=[0, 1]))
    assert (fewer["num_pairs"] == 2).all()
    assert (fewer["num_only_a"] == 1).all()
