"""Exact p values of rank tests, ties included: what chance alone would do, counted out."""

import functools

import numpy as np

_COUNTED_OUT = 50


def sign_test(differences: np.ndarray) -> np.ndarray:
    """Return two-sided p values of as many differences above as below zero, along the last axis.

    Differences of zero say nothing; NaN is no difference. Without a difference other than zero
    the p value is 1, without any it is NaN.
    """
    from scipy.special import bdtr

    above, below = (differences > 0).sum(-1), (differences < 0).sum(-1)
    number = above + below
    chance = np.minimum(1, 2 * bdtr(np.minimum(above, below), np.maximum(number, 1), 0.5))
    p = np.where(number > 0, chance, 1.0)
    return np.where(np.isnan(differences).all(-1), np.nan, p)


def signed_rank_test(differences: np.ndarray) -> np.ndarray:
    """Return two-sided p values of Wilcoxon's signed-rank test along the last axis.

    As in :func:`sign_test`, differences of zero say nothing. Every assignment of signs is counted
    for up to 50 differences; beyond, the sum of ranks is taken as normal.

    References
    ----------
    Wilcoxon (1945), "Individual comparisons by ranking methods", Biometrics Bulletin 1, 80-83.
    """
    flat = differences.reshape(-1, differences.shape[-1])
    return np.array([_signed_rank(row) for row in flat]).reshape(differences.shape[:-1])


def signed_ranks(differences: np.ndarray) -> np.ndarray:
    """Return the ranks of positive differences without those of negative ones, summed.

    Above zero, the signed-rank test speaks for positive differences. Differences of zero have none.
    """
    told = np.where(differences == 0, np.nan, differences)
    ranks = doubled_ranks(np.abs(told)) / 2
    return np.nansum(np.sign(told) * ranks, axis=-1)


def rank_sum_test(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return two-sided p values of the Mann-Whitney test along the last axis; NaN is no value.

    Every division of the values between both samples is counted for up to 50 values; beyond, the
    sum of ranks is taken as normal.

    References
    ----------
    Mann and Whitney (1947), "On a test of whether one of two random variables is stochastically
    larger than the other", Annals of Mathematical Statistics 18, 50-60.
    """
    rows = zip(a.reshape(-1, a.shape[-1]), b.reshape(-1, b.shape[-1]), strict=True)
    return np.array([_rank_sum(*pair) for pair in rows]).reshape(a.shape[:-1])


def _signed_rank(row: np.ndarray) -> float:
    row = row[~np.isnan(row)]
    if not len(row):
        return float("nan")
    row = row[row != 0]
    if not len(row):
        return 1.0
    ranks = doubled_ranks(np.abs(row))
    if len(row) > _COUNTED_OUT:
        from scipy.stats import wilcoxon

        return float(wilcoxon(np.sign(row) * ranks, method="asymptotic").pvalue)
    return _two_sided(_sums_of_signs(tuple(ranks)), int(ranks[row > 0].sum()))


def _rank_sum(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    if not len(a) or not len(b):
        return float("nan")
    ranks = doubled_ranks(np.concatenate([a, b]))
    if len(ranks) > _COUNTED_OUT:
        from scipy.stats import mannwhitneyu

        chosen = ranks[: len(a)], ranks[len(a) :]
        return float(mannwhitneyu(*chosen, method="asymptotic").pvalue)
    return _two_sided(_sums_of_draws(tuple(sorted(ranks)), len(a)), int(ranks[: len(a)].sum()))


def doubled_ranks(values: np.ndarray) -> np.ndarray:
    """Return twice the ranks along the last axis, whole numbers: ties share the mean rank."""
    left, right = values[..., :, None], values[..., None, :]
    return 1 + 2 * (right < left).sum(-1) + (right == left).sum(-1)


@functools.lru_cache(maxsize=1024)
def _sums_of_signs(ranks: tuple[int, ...]) -> np.ndarray:
    """Return in which fraction of all sign patterns the positive ranks have each sum."""
    ways = np.zeros(sum(ranks) + 1)
    ways[0] = 1
    for rank in ranks:
        ways[rank:] = ways[rank:] + ways[:-rank]
    return ways / ways.sum()


@functools.lru_cache(maxsize=1024)
def _sums_of_draws(ranks: tuple[int, ...], number: int) -> np.ndarray:
    """Return in which fraction of all draws of ``number`` ranks these have each sum."""
    ways = np.zeros((number + 1, sum(ranks) + 1))
    ways[0, 0] = 1
    for rank in ranks:
        ways[1:, rank:] = ways[1:, rank:] + ways[:-1, :-rank]
    return ways[-1] / ways[-1].sum()


def _two_sided(chances: np.ndarray, found: int) -> float:
    return float(min(1.0, 2 * min(chances[: found + 1].sum(), chances[found:].sum())))
