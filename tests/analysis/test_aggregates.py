"""Methods over many problems: the numbers of rliable 1.2.0 on one matrix, and what must hold."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm as normal
from scipy.stats import t as student

from apexr.analysis import (
    interquartile_mean,
    optimality_gap,
    performance_profile,
    probability_of_improvement,
)
from apexr.errors import ApexrError, ApexrWarning

X = np.array(
    [
        [2.04, -2.56, 0.42, -0.57],
        [-0.45, -0.22, -2.02, -0.23],
        [-0.87, 3.33, 0.22, -0.35],
        [-0.28, -0.67, -1.06, -0.39],
        [0.48, -0.24, 0.96, -0.2],
        [0.02, -1.55, -0.51, 0.25],
    ]
)
Y = np.array(
    [
        [0.3, 0.1, -1.2, 0.9],
        [1.41, 0.55, 0.2, -0.33],
        [0.7, -0.1, 1.3, 2.2],
        [-0.9, 0.4, 0.8, 0.1],
        [0.2, 0.6, -0.4, 1.5],
        [0.0, 0.9, 1.1, -0.7],
    ]
)
"""Scores ``(seed, problem)``, logarithms of error ratios."""

# What rliable 1.2.0 gives for these: aggregate_iqm, 95 % intervals of 20,000 resamples,
# probability_of_improvement(x, y), aggregate_optimality_gap and run_score_deviation of -x at 0.5, 0
# and -1.
IQM = [-0.26666667, 0.40416667]
INTERVALS = {"x": (-0.52083333, 0.01833333), "y": (0.07416667, 0.72916667)}
LEVEL = 2 * student.cdf(normal.ppf(0.975) * np.sqrt(5 / 6), 4 * 5) - 1
"""The level whose tails, widened for six seeds of four problems, are those of 95 % of rliable."""
HIGHER_IS_BETTER = 0.29861111111111116
GAPS = [0.3216666666666666, 0.5524999999999999]
SHARES = [1 / 3, 2 / 3, 11 / 12]


def study(time=2, **logs):
    """Return a study whose errors are so far from a baseline without any spread."""
    logs = {"base": np.zeros_like(X), **logs}
    rows = [
        (net, problem, scores[:, problem])
        for net, scores in logs.items()
        for problem in range(scores.shape[1])
    ]
    level = np.array([10.0**-problem for _, problem, _ in rows])[:, None]
    errors = level * np.exp([scores for *_, scores in rows])
    spread = np.exp(np.linspace(-0.5, 0.5, time))  # of geometric mean one
    return xr.Dataset(
        {"mean_nRMSE": (("experiment", "seed", "time"), errors[..., None] * spread)},
        {
            "experiment": [f"{number:032x}" for number in range(len(rows))],
            "seed": np.arange(errors.shape[1]),
            "time": np.arange(1, time + 1),
            "net": ("experiment", np.array([net for net, *_ in rows], dtype=object)),
            "scenario": ("experiment", np.array([f"p{p}" for _, p, _ in rows], dtype=object)),
        },
    )


def test_the_numbers_are_those_of_rliable():
    both = study(x=X, y=Y)
    means = interquartile_mean(both, baseline="base", num_resamples=20_000, confidence=LEVEL)
    np.testing.assert_allclose(np.log(means.ratio.sel(net=["x", "y"])), IQM, rtol=1e-7)
    for net, (low, high) in INTERVALS.items():
        found = np.log([means.low.sel(net=net), means.high.sel(net=net)])
        np.testing.assert_allclose(found, [low, high], atol=0.02)
    better = probability_of_improvement(both, "x", "y")
    np.testing.assert_allclose(better.probability, 1 - HIGHER_IS_BETTER, rtol=1e-12)
    gaps = optimality_gap(both, baseline="base").gap.sel(net=["x", "y"])
    np.testing.assert_allclose(np.log(gaps), GAPS, rtol=1e-9)
    shares = performance_profile(both, baseline="base", ratios=np.exp([-0.5, 0, 1])).share
    np.testing.assert_allclose(shares.sel(net="x"), SHARES, rtol=1e-12)


def test_the_baseline_is_as_good_as_itself():
    means = interquartile_mean(study(x=X), baseline="x")
    scaled = X - np.median(X, axis=0)
    assert means.ratio.sel(net="x") == pytest.approx(
        np.exp(np.sort(scaled.ravel())[6:18].mean()), rel=1e-12
    )
    assert means.low.sel(net="x") <= means.ratio.sel(net="x") <= means.high.sel(net="x")


def test_a_step_or_all_steps():
    both = study(time=3, x=X)
    whole = interquartile_mean(both, baseline="base").ratio
    for step in (1, 2, 3):  # the same factor on both sides
        xr.testing.assert_allclose(
            interquartile_mean(both, baseline="base", time=step).ratio, whole
        )


def test_diverged_runs_are_the_worst():
    few, many = X.copy(), X.copy()
    few[:2, 0] = np.nan
    many[:, :2] = np.inf
    both = study(x=X, few=few, many=many)
    means = interquartile_mean(both, baseline="base")
    assert means.num_diverged.to_series().to_dict() == {"base": 0, "x": 0, "few": 2, "many": 12}
    assert means.ratio.sel(net="x") < means.ratio.sel(net="few") < np.inf
    assert np.isinf(means.ratio.sel(net="many"))
    assert np.isinf(optimality_gap(both, baseline="base").gap.sel(net="few"))
    shares = performance_profile(both, baseline="base", ratios=[1e6]).share.isel(ratio=0)
    assert shares.sel(net="many") == 0.5
    assert probability_of_improvement(both, "x", "few").probability > 0.5


def test_problems_may_have_seeds_of_their_own():
    ragged = study(x=X)
    ragged["has_seed"] = (("experiment", "seed"), np.ones((8, 6), bool))
    ragged = ragged.set_coords("has_seed")
    ragged["has_seed"][4, 3:] = False
    ragged["mean_nRMSE"][4, 3:] = np.nan  # filled up, not diverged
    means = interquartile_mean(ragged, baseline="base")
    assert means.num_runs.values.tolist() == [24, 21]
    assert means.num_diverged.values.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda ds: interquartile_mean(ds, baseline="bas"), "did you mean 'base'"),
        (lambda ds: interquartile_mean(ds.isel(experiment=0), baseline="base"), "of a study"),
        (
            lambda ds: interquartile_mean(ds.isel(experiment=slice(0, 7)), baseline="base"),
            "x has no run of",
        ),
        (lambda ds: interquartile_mean(ds, baseline="base", time=9), "no time step 9"),
        (lambda ds: interquartile_mean(ds, baseline="base", by="nets"), "did you mean 'net'"),
        (lambda ds: interquartile_mean(ds, "no_such", baseline="base"), "no_such"),
        (lambda ds: performance_profile(ds, baseline="base", ratios=[0]), "positive"),
        (lambda ds: optimality_gap(ds, baseline="base", goal=0), "positive"),
        (lambda ds: probability_of_improvement(ds, "x", "z"), "net='z'"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, words):
    with pytest.raises(ApexrError, match=words):
        call(study(x=X))


def test_intervals_are_wider_than_the_plain_percentiles():
    means = interquartile_mean(study(x=X, y=Y), baseline="base", num_resamples=20_000)
    for net, (low, high) in INTERVALS.items():
        assert np.log(means.low.sel(net=net)) < low < high < np.log(means.high.sel(net=net))


def test_the_noise_of_the_baseline_counts():
    alone = interquartile_mean(study(x=X), baseline="base").sel(net="x")
    against = interquartile_mean(study(x=X, noisy=Y), baseline="noisy").sel(net="x")
    width = [np.log(one.high / one.low).item() for one in (alone, against)]
    assert width[1] > 1.1 * width[0]


@pytest.mark.filterwarnings("ignore::apexr.errors.ApexrWarning")
@pytest.mark.parametrize(("seeds", "problems"), [(2, 4), (3, 1), (4, 1)])
def test_too_few_seeds_have_no_interval(seeds, problems):
    few = study(x=X[:seeds, :problems], base=np.zeros((seeds, problems)))
    means = interquartile_mean(few, baseline="base")
    assert (means.low == 0).all()
    assert np.isinf(means.high).all()
    assert (means.ratio > 0).all()
    profile = performance_profile(few, baseline="base", ratios=[1.0])
    assert (profile.low == 0).all()
    assert (profile.high == 1).all()
    with pytest.warns(ApexrWarning, match="too few seeds for an interval of base, x"):
        optimality_gap(few, baseline="base")


def test_a_share_of_all_runs_is_not_certain():
    """Six of six: Clopper and Pearson's lower bound is 0.025 to the power of a sixth."""
    one = study(x=X[:, :1] - 9, base=np.zeros((6, 1)))
    profile = performance_profile(one, baseline="base", ratios=[1.0]).sel(net="x").isel(ratio=0)
    assert profile.share == profile.high == 1
    assert profile.low.item() == pytest.approx(0.025 ** (1 / 6), rel=1e-12)
    better = probability_of_improvement(one, "x", "base")
    assert better.low.item() == pytest.approx(0.025 ** (1 / 6), rel=1e-12)
