"""Scores of ensembles against an independent library, and what must hold of any such score."""

from functools import partial

import dask
import numpy as np
import pytest
import scoringrules
import xarray as xr

import apexr
from apexr.analysis import coverage, crps, energy_score, rank_histogram, spread_skill
from apexr.errors import ApexrError

RNG = np.random.default_rng(7)


def field(values, *dims):
    return xr.DataArray(values, dims=dims)


def drawn_like_the_truth(members, count=4_000):
    """Return members and truths from one distribution, whose centers differ from row to row."""
    center = RNG.normal(size=(1, count))
    values = center + RNG.normal(size=(members + 1, count))
    return field(values[1:], "seed", "x"), field(values[0], "x")


def test_scores_agree_with_an_independent_library():
    members, truth = RNG.normal(size=(5, 3, 2, 8)), RNG.normal(size=(3, 2, 8))
    prediction = field(members, "seed", "test_sample", "channel", "x")
    reference = field(truth, "test_sample", "channel", "x")
    for kind, estimator in (("fair", "fair"), ("plain", "nrg")):
        expected = scoringrules.crps_ensemble(truth, members, m_axis=0, estimator=estimator)
        np.testing.assert_allclose(crps(prediction, reference, kind=kind), expected, rtol=1e-12)
    flat = members.reshape(5, 3, -1), truth.reshape(3, -1)
    norms = scoringrules.es_ensemble(flat[1], flat[0], m_axis=0, v_axis=-1, estimator="fair")
    expected = norms / np.sqrt(16)  # of root mean squares, not of sums
    np.testing.assert_allclose(energy_score(prediction, reference), expected, rtol=1e-12)


def test_the_fair_score_does_not_depend_on_the_number_of_members():
    means = {}
    for count in (2, 4, 16):
        prediction, reference = drawn_like_the_truth(count, 40_000)
        means[count] = [
            crps(prediction, reference, kind=kind).mean().item() for kind in ("fair", "plain")
        ]
    fair = 2 / np.sqrt(np.pi) * (1 - 1 / 2)  # E|x - y| - E|x - x'|/2 of standard normal numbers
    for count, (score, plain) in means.items():
        assert abs(score - fair) < 0.01
        assert abs(plain - fair * (1 + 1 / count)) < 0.012


def test_members_drawn_like_the_truth_are_calibrated():
    prediction, reference = drawn_like_the_truth(9, 20_000)
    scores = spread_skill(prediction, reference)
    assert abs(scores.ratio - 1) < 0.03
    assert abs(scores.spread - 1) < 0.02
    counts = rank_histogram(prediction, reference)
    assert counts.sum() == 20_000
    assert (np.abs(counts / 2_000 - 1) < 0.12).all()
    for level in (0.2, 0.5, 0.8):
        assert abs(coverage(prediction, reference, level) - level) < 0.015


def test_overconfident_members_show():
    prediction, reference = drawn_like_the_truth(9)
    narrow = prediction.mean("seed") + 0.3 * (prediction - prediction.mean("seed"))
    assert spread_skill(narrow, reference).ratio < 0.5
    counts = rank_histogram(narrow, reference)
    assert counts[0] + counts[-1] > 3 * counts[1:-1].sum() / 4
    assert coverage(narrow, reference, 0.8) < 0.5


def test_ties_are_split_evenly():
    prediction = field(np.zeros((3, 40_000)), "seed", "x")
    counts = rank_histogram(prediction, field(np.zeros(40_000), "x"))
    assert (np.abs(counts / 10_000 - 1) < 0.05).all()


def test_a_member_that_diverged_is_the_worst():
    members = RNG.normal(size=(4, 2, 3))
    members[1, 0, 0] = np.nan
    members[2, 1, 1] = np.inf
    prediction, reference = (
        field(members, "seed", "test_sample", "x"),
        field(np.zeros((2, 3)), "test_sample", "x"),
    )
    score = crps(prediction, reference)
    assert np.isinf(score).sum() == 2
    assert np.isinf(energy_score(prediction, reference)).all()
    assert np.isinf(spread_skill(prediction, reference).spread)
    assert rank_histogram(prediction, reference).sum() == 4
    assert coverage(prediction, reference, 0.6) <= 4 / 6


def test_scores_are_lazy_and_the_same_for_every_chunking():
    members, truth = RNG.normal(size=(5, 4, 6)).round(1), RNG.normal(size=(4, 6)).round(1)
    prediction, reference = (
        field(members, "seed", "test_sample", "x"),
        field(truth, "test_sample", "x"),
    )

    def refuse(*_, **__):
        raise AssertionError("computed")

    for score in (
        crps,
        energy_score,
        spread_skill,
        rank_histogram,
        lambda p, r: coverage(p, r, 0.5),
    ):
        expected = score(prediction, reference)
        for chunks in ({"x": 2}, {"seed": 1, "test_sample": 3}):
            with dask.config.set(scheduler=refuse):
                lazy = score(prediction.chunk(chunks), reference.chunk({"test_sample": 2}))
            xr.testing.assert_allclose(lazy.compute(), expected, rtol=1e-12)


def test_seeds_of_a_result_are_members():
    result = apexr.testing.mock_experiment()
    score = crps(result.sample_rollout, result.sample_reference)
    assert score.dims == result.sample_reference.dims


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda p, r: crps(p.isel(seed=[0]), r), "at least 2 members, got 1"),
        (lambda p, r: crps(p, r, member="seeds"), "did you mean 'seed'"),
        (lambda p, r: crps(p, r, kind="unfair"), "one of fair, plain"),
        (lambda p, r: crps(p.values, r), "must be a DataArray"),
        (lambda p, r: crps(p, p), "must not have"),
        (lambda p, r: coverage(p, r, 0.95), "needs 39 members"),
        (lambda p, r: energy_score(p, r, dims=["y"]), "no dimension 'y'"),
    ],
)
def test_what_is_no_ensemble_is_refused(call, words):
    prediction, reference = drawn_like_the_truth(3, 5)
    with pytest.raises(ApexrError, match=words):
        call(prediction, reference)


@pytest.mark.parametrize(
    "score",
    [crps, energy_score, spread_skill, rank_histogram, partial(coverage, level=0.5)],
)
@pytest.mark.parametrize("labels", [[1, 2, 3], [2, 1, 0], None])
def test_labels_that_differ_are_refused_not_left_out(score, labels):
    rng = np.random.default_rng(0)
    truth = xr.DataArray(rng.normal(size=(3, 4)), dims=("time", "x"), coords={"time": [0, 1, 2]})
    members = truth + xr.DataArray(rng.normal(size=5), dims="seed")
    given = members.isel(time=[0, 1]) if labels is None else members.assign_coords(time=labels)
    with pytest.raises(ApexrError, match="differ in their labels along 'time'"):
        score(given, truth)
    score(members, truth)
    score(members, truth.drop_vars("time"))  # matched by their number


def test_an_error_that_squares_do_not_tell_is_nan_without_a_warning():
    truth = xr.DataArray(np.zeros(4), dims="time")
    members = xr.DataArray(np.array([[-1.0], [1.0]]) * np.ones(4), dims=("seed", "time"))
    found = spread_skill(members, truth)
    assert np.isnan(found["error"]).all()
    np.testing.assert_allclose(found["spread"], np.sqrt(2))
