"""Bootstrap intervals of a mean, median or quantile: the same on every machine and chunking.

The resampling is drawn once from the seed for each number of values. It is applied to values in
order, so that the k-th smallest value of a resample is found by its index alone.
"""

import functools
from collections.abc import Iterator
from typing import Literal

import numpy as np

from apexr.analysis._quantiles import between, quantiles
from apexr.errors import SpecError

Method = Literal["percentile", "basic", "bca"]
Statistic = Literal["mean", "median"] | float

_ROWS_AT_ONCE = 64
_ROUNDING = 1e-12
EVERYTHING = (-np.inf, np.inf)


def level_of(statistic: Statistic) -> float | None:
    """Return the quantile's level, or None for the mean.

    Raises
    ------
    SpecError
        If the statistic is neither a name nor a level.
    """
    named = {"mean": None, "median": 0.5}
    if isinstance(statistic, str) and statistic in named:
        return named[statistic]
    if isinstance(statistic, float | int) and 0 <= statistic <= 1:
        return float(statistic)
    raise SpecError(
        f"statistic must be 'mean', 'median' or a quantile between 0 and 1, got {statistic!r}"
    )


def estimate(ordered: np.ndarray, count: np.ndarray, level: float | None) -> np.ndarray:
    """Return the statistic of each ordered row, of its first ``count`` entries."""
    if level is not None:
        return quantiles(ordered, count, np.array([level]))[..., 0]
    exists = np.arange(ordered.shape[-1]) < count[..., None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(exists, ordered, 0).sum(axis=-1) / count


def bootstrap(
    ordered: np.ndarray,
    count: np.ndarray,
    level: float | None,
    *,
    confidence: float,
    method: Method,
    num_resamples: int,
    random_seed: int,
) -> np.ndarray:
    """Return the bounds of each ordered row's bootstrap interval, along a new last axis.

    Where they cannot be told, because there are fewer than two values or infinite ones leave
    nothing to resample, they are infinite.
    """
    bounds = np.empty((*count.shape, 2))
    bounds[...] = EVERYTHING
    for number in (int(n) for n in np.unique(count) if n > 1):
        draws = _draws(number, num_resamples, random_seed)
        for chosen in _blocks(np.flatnonzero(count == number)):
            rows = ordered[chosen, :number]
            bounds[chosen] = _interval(rows, level, draws, (1 - confidence) / 2, method)
    return np.where(np.isnan(bounds), EVERYTHING, bounds)


def _blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    yield from (rows[i : i + _ROWS_AT_ONCE] for i in range(0, len(rows), _ROWS_AT_ONCE))


@functools.lru_cache(maxsize=8)
def _draws(number: int, num_resamples: int, random_seed: int) -> np.ndarray:
    """Return the indices of each resample, in order: of shape ``(num_resamples, number)``."""
    rng = np.random.default_rng([random_seed, number])
    return np.sort(rng.integers(0, number, (num_resamples, number)), axis=1)


def _interval(
    rows: np.ndarray, level: float | None, draws: np.ndarray, tail: float, method: Method
) -> np.ndarray:
    resampled = np.sort(_resample(rows, level, draws), axis=-1)
    full = np.full(len(rows), rows.shape[-1])
    found = estimate(rows, full, level)
    tails = np.tile([tail, 1 - tail], (len(rows), 1))
    if method == "bca":
        tails = _accelerated(rows, level, resampled, found, tails)
    bounds = quantiles(resampled, np.full(len(rows), len(draws)), np.nan_to_num(tails))
    if method == "basic":
        with np.errstate(invalid="ignore"):
            bounds = 2 * found[:, None] - bounds[:, ::-1]
    bounds = np.where(np.isnan(tails), np.nan, bounds)
    constant = (rows[:, 0] == rows[:, -1])[:, None]
    return np.where(constant, rows[:, :1], bounds)


def _resample(rows: np.ndarray, level: float | None, draws: np.ndarray) -> np.ndarray:
    """Return the statistic of every resample of every row: shape ``(rows, resamples)``."""
    number = rows.shape[-1]
    if level is None:
        return _weighted_means(rows, draws)
    place = (number - 1) * level
    below = int(place)
    above = min(below + 1, number - 1)
    return between(rows[:, draws[:, below]], rows[:, draws[:, above]], np.array(place - below))


def _weighted_means(rows: np.ndarray, draws: np.ndarray) -> np.ndarray:
    weights = np.stack([(draws == i).sum(axis=1) for i in range(rows.shape[-1])]).astype(float)
    infinite = np.isinf(rows)
    means = np.where(infinite, 0, rows) @ weights / rows.shape[-1]
    up, down = (np.where(rows == end, 1.0, 0.0) @ weights > 0 for end in (np.inf, -np.inf))
    ends = np.where(up & down, np.nan, np.where(up, np.inf, -np.inf))
    return np.where(up | down, ends, means)


def _accelerated(
    rows: np.ndarray,
    level: float | None,
    resampled: np.ndarray,
    found: np.ndarray,
    tails: np.ndarray,
) -> np.ndarray:
    """Return the tails corrected for bias and for the change of the spread with the value.

    Efron and Tibshirani (1993), "An Introduction to the Bootstrap", equations 14.9 to 14.15.
    """
    from scipy.special import ndtr, ndtri

    number = rows.shape[-1]
    others = np.array([[j for j in range(number) if j != i] for i in range(number)])
    left_out = estimate(rows[:, others], np.full(rows.shape, number - 1), level)
    with np.errstate(invalid="ignore", divide="ignore"):
        pull = left_out.mean(axis=-1, keepdims=True) - left_out
        acceleration = ((pull**3).sum(-1) / (6 * (pull**2).sum(-1) ** 1.5))[:, None]
        equal = np.isclose(resampled, found[:, None], rtol=_ROUNDING, atol=0)
        smaller = (resampled < found[:, None]) & ~equal
        bias = ndtri((smaller + equal / 2).mean(axis=-1))[:, None]
        shifted = bias + ndtri(tails)
        return ndtr(bias + shifted / (1 - acceleration * shifted))
