"""Confidence intervals of a mean, a median or a quantile, and from how many values on they hold.

An interval that says 95 % and covers far less misleads, so every method has a number of values from
which on it is given; ``docs/interval_coverage.py`` simulates how often each covers. Below that
number the bounds are infinite, which is the interval that always covers.
"""

import math
from typing import Literal, get_args

import numpy as np

from apexr.analysis._bootstrap import EVERYTHING, Method, Statistic, bootstrap, estimate, level_of
from apexr.analysis._entries import choose
from apexr.errors import SpecError

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
            method=_resampling(interval),
            num_resamples=num_resamples,
            random_seed=random_seed,
        )
    return np.where(enough[:, None], bounds, EVERYTHING)


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


def _resampling(interval: Interval) -> Method:
    for method in get_args(Method):
        if method == interval:
            return method  # type: ignore[no-any-return]
    raise SpecError(f"{interval!r} does not resample")


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
