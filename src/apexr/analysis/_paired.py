"""Differences and ratios over pairs of equal seeds, with intervals and rank tests."""

from typing import Any, Literal, get_args

import numpy as np
import xarray as xr

from apexr.analysis._bootstrap import EVERYTHING, Method, Statistic, bootstrap, estimate, level_of
from apexr.analysis._entries import Better, Diverged, choose
from apexr.analysis._exact import sign_test, signed_rank_test
from apexr.analysis._pairs import Sides, two_sides
from apexr.analysis._quantiles import sort_rows
from apexr.errors import SpecError

Interval = Literal["t", "order", "percentile", "basic", "bca"]
_PARTS = ("estimate", "low", "high", "p_sign", "p_wilcoxon")
_SIGN = {"lower": -1, "higher": 1}


def paired_difference(
    data: xr.Dataset | xr.DataArray,
    variable: str = "mean_nRMSE",
    *,
    other: xr.Dataset | xr.DataArray | None = None,
    statistic: Statistic = "mean",
    interval: Interval | None = None,
    confidence: float = 0.95,
    diverged: Diverged = "worst",
    better: Better | None = None,
    num_resamples: int = 9999,
    random_seed: int = 0,
    **select: Any,
) -> xr.Dataset:
    """Return the difference A - B over pairs of equal seeds, its interval and p values.

    ``difference = statistic over seeds of (A_seed - B_seed)``. Nothing is computed where the data
    are lazy, and the answer does not depend on the chunks.

    Parameters
    ----------
    data
        A study, a result (then with ``other``), or one variable of either.
    variable
        Name or config string of the variable; without meaning where ``data`` is an array.
    other
        The result B, where ``data`` is the result A.
    statistic
        ``"mean"``, ``"median"`` or the level of a quantile.
    interval
        ``"t"``: Student's interval of the mean (the default for it). ``"order"``: the interval of
        the median between two of the differences, exact for every distribution (the default for
        the median); without bounds where the pairs are too few, below 6 at 95 %.
        ``"percentile"``, ``"basic"``, ``"bca"``: bootstrap (the default for quantiles is
        ``"percentile"``), too narrow for few pairs.
    confidence
        Level of the interval.
    diverged
        ``"worst"``: a diverged seed is worse than every other by infinitely much, and two that
        diverged are equal. Medians and rank tests stay meaningful; a mean becomes infinite and
        its interval has no bounds. ``"drop"``: pairs with a diverged seed are left out, which
        flatters whoever diverged. ``"raise"``: an error when it is computed.
    better
        Which values are good; by default high correlations, low everything else.
    num_resamples, random_seed
        The bootstrap's resamples, and the seed from which they are drawn.
    **select
        Which experiments: a label with two values, A and B, and any others with one, such as
        ``net=("FNO;12;8;4;gelu", "Conv;26;10;relu"), train="one"``. Labels are coordinates along
        ``experiment`` and keywords of the scenario. Experiments are compared if they agree in the
        remaining config coordinates; several such pairs lie along ``comparison``.

    Returns
    -------
    xarray.Dataset
        ``difference``, ``low``, ``high``; ``p_sign`` and ``p_wilcoxon``, exact two-sided p values
        of the sign test and of Wilcoxon's signed-rank test; ``num_pairs`` that count, in
        ``num_a_better`` of which A is better and ``num_equal`` neither; ``num_a``, ``num_b``,
        ``num_diverged_a``, ``num_diverged_b``, and ``num_only_a``, ``num_only_b``: the seeds
        without a partner, which no pair holds. Different time steps are not independent.

    Raises
    ------
    SpecError
        If an argument cannot be meant or no two experiments match.
    MissingVariableError
        If there is no such variable or label, listing what there is.
    DivergenceError
        If a seed diverged and ``diverged="raise"``.
    """
    sides = two_sides(data, variable, other, diverged, better, select)
    kind = _interval_of(statistic, interval)
    options = _options(statistic, kind, confidence, num_resamples, random_seed)
    differences = _elementwise(_subtract, sides)
    summary = _summarise(differences, options, sides)
    units = sides.a.attrs.get("units", "1")
    return _labelled(summary, "difference", sides, options, units, "difference A - B")


def paired_ratio(
    data: xr.Dataset | xr.DataArray,
    variable: str = "mean_nRMSE",
    *,
    other: xr.Dataset | xr.DataArray | None = None,
    statistic: Statistic = "mean",
    interval: Interval | None = None,
    confidence: float = 0.95,
    diverged: Diverged = "worst",
    better: Better | None = None,
    num_resamples: int = 9999,
    random_seed: int = 0,
    **select: Any,
) -> xr.Dataset:
    """Return the ratio A / B over pairs of equal seeds, its interval and p values.

    ``ratio = exp(statistic over seeds of log(A_seed / B_seed))``, with ``statistic="mean"`` the
    geometric mean of the ratios. Errors span decades, so that this says more than a difference
    where seeds differ much. A value of 0 is infinitely smaller than every other.

    Parameters and what comes back are those of :func:`paired_difference`; ``ratio`` takes the
    place of ``difference``, and the p values are of the logarithms.

    Raises
    ------
    SpecError
        If an argument cannot be meant, no two experiments match or, when it is computed, a value
        is negative.
    MissingVariableError
        If there is no such variable or label, listing what there is.
    DivergenceError
        If a seed diverged and ``diverged="raise"``.
    """
    sides = two_sides(data, variable, other, diverged, better, select)
    kind = _interval_of(statistic, interval)
    options = _options(statistic, kind, confidence, num_resamples, random_seed)
    summary = _summarise(_elementwise(_log_ratio, sides), options, sides)
    for name in ("estimate", "low", "high"):
        summary[name] = xr.ufuncs.exp(summary[name])
    return _labelled(summary, "ratio", sides, options, "1", "ratio A / B")


# --- arguments -------------------------------------------------------------------------------


def _interval_of(statistic: Statistic, interval: Interval | None) -> Interval:
    level = level_of(statistic)
    if interval is None:
        return "t" if level is None else "order" if level == 0.5 else "percentile"
    choose("interval", interval, Interval)
    if (interval == "t") > (level is None) or (interval == "order") > (level == 0.5):
        fitting = "the mean" if interval == "t" else "the median"
        raise SpecError(f"interval {interval!r} is one of {fitting}, not of {statistic!r}")
    return interval


def _options(
    statistic: Statistic, interval: Interval, confidence: float, num_resamples: int, seed: int
) -> dict[str, Any]:
    check_confidence(confidence)
    check_resampling(num_resamples, seed)
    return {
        "level": level_of(statistic),
        "interval": interval,
        "confidence": confidence,
        "num_resamples": num_resamples,
        "random_seed": seed,
    }


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


# --- values ----------------------------------------------------------------------------------


def _elementwise(function: Any, sides: Sides) -> xr.DataArray:
    result: Any = xr.apply_ufunc(
        function,
        sides.a["value"],
        sides.b["value"],
        dask="parallelized",
        output_dtypes=[np.float64],
    )
    return result


def _subtract(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.where(a == b, 0.0, a - b)


def _log_ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if (a < 0).any() or (b < 0).any():
        raise SpecError("a ratio needs values that are not negative; use paired_difference")
    with np.errstate(divide="ignore"):
        return _subtract(np.log(a), np.log(b))


def _summarise(differences: xr.DataArray, options: dict[str, Any], sides: Sides) -> xr.Dataset:
    table: Any = xr.apply_ufunc(
        _core,
        differences,
        kwargs=options,
        input_core_dims=[["seed"]],
        output_core_dims=[["part"]],
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": {"part": len(_PARTS)}},
    )
    parts = {name: table.isel(part=i) for i, name in enumerate(_PARTS)}
    better = differences * _SIGN[sides.better] > 0
    numbers = {
        "num_pairs": (differences.notnull(), "pairs of seeds that count"),
        "num_a_better": (better, "pairs in which A is better"),
        "num_equal": (differences == 0, "pairs that are equal"),
    }
    summed = {
        name: flags.sum("seed").assign_attrs(long_name=label)
        for name, (flags, label) in numbers.items()
    }
    return xr.Dataset({**parts, **summed})


def _core(
    differences: np.ndarray,
    *,
    level: float | None,
    interval: Interval,
    confidence: float,
    num_resamples: int,
    random_seed: int,
) -> np.ndarray:
    rows = differences.reshape(-1, differences.shape[-1])
    ordered, count = sort_rows(rows)
    if interval in get_args(Method):
        bounds = bootstrap(
            ordered,
            count,
            level,
            confidence=confidence,
            method=interval,  # type: ignore[arg-type]
            num_resamples=num_resamples,
            random_seed=random_seed,
        )
    else:
        bounds = (_student if interval == "t" else order_bounds)(ordered, count, confidence)
    bounds = np.where(count[:, None] > 0, bounds, np.nan)
    found = estimate(ordered, count, level)[:, None]
    tests = np.stack([sign_test(rows), signed_rank_test(rows)], axis=-1)
    result = np.concatenate([found, bounds, tests], axis=-1)
    return result.reshape(*differences.shape[:-1], -1)


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


def order_bounds(ordered: np.ndarray, count: np.ndarray, confidence: float) -> np.ndarray:
    """Return the bounds of the median's exact interval: two of the values, or none.

    The k-th smallest and the k-th largest value, k the greatest with
    ``2 P(B < k) <= 1 - confidence``, B binomial with probability one half.
    """
    from scipy.special import bdtr

    bounds = np.tile(EVERYTHING, (len(ordered), 1))
    for number in (int(n) for n in np.unique(count) if n):
        tails = 2 * bdtr(np.arange(number // 2), number, 0.5)
        k = int((tails <= 1 - confidence).sum())
        if k:
            chosen = count == number
            bounds[chosen] = ordered[chosen][:, [k - 1, number - k]]
    return bounds


def _labelled(
    summary: xr.Dataset,
    name: str,
    sides: Sides,
    options: dict[str, Any],
    units: str,
    long_name: str,
) -> xr.Dataset:
    result = summary.rename(estimate=name).assign(sides.counts)
    for part, label in (
        (name, long_name),
        ("low", f"lower bound of the {name}"),
        ("high", f"upper bound of the {name}"),
    ):
        result[part].attrs.update(long_name=label, units=units)
    statistic = {None: "mean", 0.5: "median"}.get(options["level"], f"quantile {options['level']}")
    said = {"statistic": statistic, "interval": options["interval"]}
    return result.assign_attrs({**sides.attrs, **said, "confidence": options["confidence"]})
