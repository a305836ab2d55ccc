"""How well a mean, a median or a quantile is known: confidence intervals, and their fewest values.

All of it works on rows of numbers in order, infinite or missing (NaN, last) in places. A bootstrap
is drawn once from its seed for each number of values, and is applied to values in order, so that
the k-th smallest value of a resample is found by its index alone: the answer is the same on every
machine and for every chunking.
"""

import functools
import math
from collections.abc import Iterator
from typing import Literal

import numpy as np

from apexr.analysis._selection import choose
from apexr.errors import SpecError


def sort_rows(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows in order, what is missing (NaN) last, and how many entries each has."""
    return np.sort(values, axis=-1), (~np.isnan(values)).sum(axis=-1)


def quantiles(ordered: np.ndarray, count: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return linear quantiles of the first ``count`` entries of ordered rows, along the last axis.

    Between a finite and an infinite entry the quantile is infinite. Rows without entries get NaN.

    Parameters
    ----------
    ordered
        Shape ``(..., n)``.
    count
        Shape ``(...)``.
    levels
        Between 0 and 1, of a shape ``(..., levels)`` that broadcasts against the rows.
    """
    last = np.maximum(count - 1, 0)[..., None]
    if not ordered.shape[-1]:
        return np.full(np.broadcast_shapes(last.shape, np.shape(levels)), np.nan)
    place = last * np.asarray(levels, dtype=np.float64)
    below = np.floor(place).astype(np.intp)
    left = np.take_along_axis(ordered, below, axis=-1)
    right = np.take_along_axis(ordered, np.minimum(below + 1, last), axis=-1)
    return np.where(count[..., None] > 0, between(left, right, place - below), np.nan)


def between(left: np.ndarray, right: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return ``left + (right - left) weight``, also where both are infinite or the weight is 0."""
    with np.errstate(invalid="ignore"):
        mixed = left + (right - left) * weight
    return np.where((weight == 0) | (left == right), left, mixed)


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


Interval = Literal["order", "t", "percentile", "basic", "bca"]

_STUDENT_FROM, _MEAN_FROM, _QUANTILE_FROM, _BASIC_FROM = 500, 1000, 20, 2000
"""Values from which on a 95 % interval covers at least 92 % of normal and lognormal draws.

Student's of the mean, for lognormal draws have a long tail; resampled ones of the mean and of the
median; mirrored ones of either.
"""


def interval_of(statistic: Statistic, interval: Interval | None, name: str) -> Interval:
    """Return the interval of a statistic: by default Student's of means, exact ones of quantiles.

    Raises
    ------
    SpecError
        If it is none, or none of this statistic; ``name`` is what the argument is called.
    """
    level = level_of(statistic)
    if interval is None:
        return "t" if level is None else "order"
    choose(name, interval, Interval)
    if (interval == "t" and level is not None) or (interval == "order" and level is None):
        fitting = "the mean" if interval == "t" else "the median and of quantiles"
        raise SpecError(f"{name} {interval!r} is one of {fitting}, not of {statistic!r}")
    return interval


def fewest(
    level: float | None, interval: Interval, confidence: float, *, of_logs: bool = False
) -> float:
    """Return from how many values on an interval is given.

    Parameters
    ----------
    level
        Level of the quantile, None for the mean.
    interval, confidence
        The method, and its level.
    of_logs
        Whether the values are logarithms, which are nearly normal where errors are lognormal:
        Student's interval holds for two.
    """
    if interval == "t":
        return 2 if of_logs else _STUDENT_FROM
    if level is None:
        return _BASIC_FROM if interval == "basic" else _MEAN_FROM
    tail = min(level, 1 - level)
    if tail == 0:
        return math.inf
    if interval == "order":
        return math.ceil(math.log((1 - confidence) / 2) / math.log(1 - tail) - 1e-9)
    return math.ceil((_BASIC_FROM if interval == "basic" else _QUANTILE_FROM) / (2 * tail))


def bounds_of(
    ordered: np.ndarray,
    count: np.ndarray,
    *,
    level: float | None,
    interval: Interval,
    confidence: float,
    num_resamples: int,
    random_seed: int,
    of_logs: bool = False,
) -> np.ndarray:
    """Return the bounds of each ordered row's interval, along a new last axis.

    They are infinite where there are too few values, or infinite ones leave nothing to tell.
    """
    enough = count >= fewest(level, interval, confidence, of_logs=of_logs)
    if interval == "t":
        bounds = _student(ordered, count, confidence)
    elif interval == "order":
        bounds = _between_values(ordered, count, 0.5 if level is None else level, confidence)
    else:
        bounds = bootstrap(
            ordered,
            np.where(enough, count, 0),
            level,
            confidence=confidence,
            method=interval,
            num_resamples=num_resamples,
            random_seed=random_seed,
        )
    return np.where(enough[:, None], bounds, EVERYTHING)


def share_bounds(won: np.ndarray, number: np.ndarray, confidence: float) -> list[np.ndarray]:
    """Return the exact interval of a share, ``won`` of ``number`` independent cases.

    References
    ----------
    Clopper and Pearson (1934), Biometrika 26, 404-413.
    """
    from scipy.special import betaincinv

    tail, lost = (1 - confidence) / 2, number - won
    low = np.where(won > 0, betaincinv(np.where(won > 0, won, 1), lost + 1, tail), 0.0)
    high = np.where(lost > 0, betaincinv(won + 1, np.where(lost > 0, lost, 1), 1 - tail), 1.0)
    return [low, high]


def check_confidence(confidence: float) -> None:
    """Raise a SpecError if a confidence level is not between 0 and 1."""
    if isinstance(confidence, bool) or not 0 < confidence < 1:
        raise SpecError(f"confidence must be between 0 and 1, such as 0.95, got {confidence!r}")


def check_resampling(num_resamples: int, random_seed: int) -> None:
    """Raise a SpecError if these cannot be a number of resamples and a seed."""
    for name, value, least in (
        ("num_resamples", num_resamples, 1),
        ("random_seed", random_seed, 0),
    ):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise SpecError(f"{name} must be a whole number from {least}, got {value!r}")


def name_of(level: float | None) -> str:
    """Return what a statistic is called."""
    return {None: "mean", 0.5: "median"}.get(level, f"quantile {level}")


def _student(ordered: np.ndarray, count: np.ndarray, confidence: float) -> np.ndarray:
    """Return the bounds of Student's interval of the mean of each row."""
    from scipy.special import stdtrit

    exists = np.arange(ordered.shape[-1]) < count[:, None]
    mean = estimate(ordered, count, None)
    free = np.maximum(count - 1, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = np.where(exists, (ordered - mean[:, None]) ** 2, 0).sum(-1)
        half = stdtrit(free, (1 + confidence) / 2) * np.sqrt(squares / free / count)
        bounds = np.stack([mean - half, mean + half], axis=-1)
    known = (count > 1) & np.isfinite(mean)
    return np.where(known[:, None], bounds, EVERYTHING)


def _between_values(
    ordered: np.ndarray, count: np.ndarray, level: float, confidence: float
) -> np.ndarray:
    """Return the bounds of a quantile's exact interval, two of the values, or none.

    The k-th smallest value, k the greatest with ``P(B < k) <= (1 - confidence) / 2``, and the l-th,
    l the least with ``P(B >= l) <= (1 - confidence) / 2``; B is binomial with the level. So many
    values lie below the quantile, whatever their distribution.
    """
    from scipy.special import bdtr

    tail = (1 - confidence) / 2 + 1e-12
    bounds = np.tile(EVERYTHING, (len(ordered), 1))
    for number in (int(n) for n in np.unique(count) if n):
        below = bdtr(np.arange(number), number, level)  # P(B <= 0), P(B <= 1), …
        k = int((below <= tail).sum())
        left = int((1 - below <= tail).sum())
        chosen = count == number
        if k and left:
            bounds[chosen] = ordered[chosen][:, [k - 1, number - left]]
    return bounds
