"""Exact tests and quantiles against SciPy, ties and infinities included."""

import itertools

import numpy as np
import pytest
import scipy.stats as ss

from apexr.analysis.statistics._comparison import _newcombe
from apexr.analysis.statistics._intervals import quantiles, sort_rows
from apexr.analysis.statistics._rank_tests import (
    doubled_ranks,
    rank_sum_test,
    sign_test,
    signed_rank_test,
)
from apexr.analysis.statistics._verdict import holm


def differences(n, ties):
    rows = np.random.default_rng(n).normal(0.3, 1, (20, n))
    return np.round(rows, 0) + 0.5 if ties else rows


@pytest.mark.parametrize(
    ("n", "ties"), [(2, False), (5, False), (10, False), (13, False), (2, True), (5, True)]
)
def test_signed_ranks(n, ties):
    rows, method = differences(n, ties), ss.PermutationMethod() if ties else "exact"
    expected = [ss.wilcoxon(row, method=method).pvalue for row in rows]
    np.testing.assert_allclose(signed_rank_test(rows), expected, rtol=1e-9)


@pytest.mark.parametrize("n", [2, 5, 10, 13])
@pytest.mark.parametrize("ties", [False, True])
def test_signed_ranks_count_every_choice_of_signs(n, ties):
    rows = differences(n, ties)
    ranks = ss.rankdata(np.abs(rows), axis=1)
    sums = np.array(list(itertools.product((-1, 1), repeat=n))) @ ranks.T
    found = np.abs((np.sign(rows) * ranks).sum(axis=1))
    np.testing.assert_allclose(signed_rank_test(rows), (np.abs(sums) >= found).mean(axis=0))


@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 3), (5, 5), (10, 8), (20, 20)])
def test_rank_sums(m, n):
    rng = np.random.default_rng(m)
    a, b = rng.normal(0, 1, (20, m)), rng.normal(0.5, 1, (20, n))
    expected = ss.mannwhitneyu(a, b, axis=1, method="exact").pvalue
    width = max(m, n)
    pad = [np.pad(x, ((0, 0), (0, width - x.shape[1])), constant_values=np.nan) for x in (a, b)]
    np.testing.assert_allclose(rank_sum_test(*pad), expected, rtol=1e-9)


def test_rank_sums_with_ties_count_every_division():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 4, (10, 5)).astype(float), rng.integers(1, 5, (10, 6)).astype(float)
    b = np.where(b == 4, np.inf, b)
    for one, other in zip(a, b, strict=True):
        far = np.where(np.isinf(other), 99, other)
        exact = ss.mannwhitneyu(one, far, method=ss.PermutationMethod(n_resamples=np.inf))
        padded = np.append(one, np.nan)
        np.testing.assert_allclose(rank_sum_test(padded[None], other[None]), exact.pvalue)


@pytest.mark.parametrize("n", [60, 80])
def test_many_values_are_taken_as_normal(n):
    rng = np.random.default_rng(n)
    a, b = rng.normal(0, 1, (3, n)), rng.normal(0.2, 1, (3, n))
    signed = ss.wilcoxon(a - b, axis=1, method="asymptotic").pvalue
    np.testing.assert_allclose(signed_rank_test(a - b), signed)
    summed = ss.mannwhitneyu(a, b, axis=1, method="asymptotic").pvalue
    np.testing.assert_allclose(rank_sum_test(a, b), summed)


def test_signs():
    rows = np.random.default_rng(0).normal(0.5, 1, (30, 11))
    rows[:, 3] = np.nan
    rows[:10, 4] = 0
    for row, p in zip(rows, sign_test(rows), strict=True):
        kept = row[~np.isnan(row) & (row != 0)]
        np.testing.assert_allclose(p, ss.binomtest(int((kept > 0).sum()), len(kept)).pvalue)


def test_nothing_to_test():
    equal, none = np.zeros((1, 4)), np.full((1, 4), np.nan)
    for test in (sign_test, signed_rank_test, lambda d: rank_sum_test(d, d)):
        assert test(equal) == 1
        assert np.isnan(test(none))


def test_ranks_of_ties():
    values = np.random.default_rng(0).integers(0, 5, (20, 9)).astype(float)
    values[:, 2] = np.inf
    np.testing.assert_array_equal(doubled_ranks(values) / 2, ss.rankdata(values, axis=1))


def test_quantiles_of_what_is_there():
    values = np.random.default_rng(0).normal(size=(50, 9))
    values[::3, 4] = np.nan
    values[::7, :2] = np.nan
    levels = np.array([0, 0.1, 0.25, 0.5, 0.8, 1])
    found = quantiles(*sort_rows(values), levels)
    np.testing.assert_allclose(found, np.nanquantile(values, levels, axis=1).T, rtol=1e-12)
    assert ss.iqr(values[1]) == pytest.approx(
        found[1, 4] * 0 + np.diff(quantiles(*sort_rows(values[1:2]), np.array([0.25, 0.75]))).item()
    )


def test_quantiles_next_to_infinity_are_infinite():
    rows = np.array([[1.0, 2, np.inf, np.inf], [-np.inf, 0, 1, np.nan]])
    found = quantiles(*sort_rows(rows), np.array([0, 1 / 3, 0.5, 1]))
    np.testing.assert_array_equal(found[0], [1, 2, np.inf, np.inf])
    assert found[1, 0] == -np.inf
    assert found[1, 2:].tolist() == [0, 1]


def test_holm():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1, 1]


def test_newcombe_is_where_the_score_is_z():
    m, n = np.array([10.0, 5.0]), np.array([8.0, 5.0])
    found = np.array([0.7, 1.0])
    low, high = _newcombe(found, m, n, 0.95)
    extra = ((m + n) / 2 - 1) * ((1 - low) / (2 - low) + low / (1 + low))
    variance = low * (1 - low) * (1 + extra) / (m * n)
    np.testing.assert_allclose(found - low, ss.norm.ppf(0.975) * np.sqrt(variance), rtol=1e-6)
    assert (high >= found).all()
    assert high[1] == 1


def test_newcombe_covers():
    """About 95 % of the intervals hold the true probability, also where it is near one."""
    rng = np.random.default_rng(0)
    for shift in (0.0, 1.0, 2.0):
        a, b = rng.normal(0, 1, (2000, 10)), rng.normal(shift, 1, (2000, 10))
        found = (a[:, :, None] < b[:, None, :]).mean((1, 2))
        sizes = np.full(2000, 10.0)
        low, high = _newcombe(found, sizes, sizes, 0.95)
        truth = ss.norm.cdf(shift / np.sqrt(2))
        assert ((low <= truth) & (truth <= high)).mean() > 0.93
