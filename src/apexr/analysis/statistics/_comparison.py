"""By how much A differs from B, and how probable it is that A beats B, over the same seeds."""

from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._selection import Better, Diverged
from apexr.analysis.statistics._intervals import (
    Interval,
    Statistic,
    bounds_of,
    check_confidence,
    check_resampling,
    estimate,
    fewest,
    interval_of,
    level_of,
    name_of,
    share_bounds,
    sort_rows,
)
from apexr.analysis.statistics._rank_tests import (
    rank_sum_test,
    sign_test,
    signed_rank_test,
    signed_ranks,
)
from apexr.analysis.statistics._sides import Sides, two_sides
from apexr.errors import SpecError

_PARTS = ("estimate", "low", "high", "p_sign", "p_wilcoxon", "signed_ranks", "spread")
_SIGN = {"lower": -1, "higher": 1}


def paired_difference(
    data: xr.Dataset | xr.DataArray,
    variable: str = "mean_nRMSE",
    *,
    other: xr.Dataset | xr.DataArray | None = None,
    statistic: Statistic = "median",
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
        ``"order"``: between two of the differences, exact for every distribution (the default for
        the median and for quantiles). ``"t"``: Student's interval of the mean (the default for
        it). ``"percentile"``, ``"basic"``, ``"bca"``: bootstrap. Where the pairs are too few for
        the interval to cover what it says, its bounds are infinite: below 6 for the median at
        95 %, below 500 for means of differences, below 20 for a median by bootstrap.
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
        of the sign test and of Wilcoxon's signed-rank test; ``signed_ranks``, the sum of the ranks
        of positive differences without that of negative ones; ``spread``, the standard deviation of
        the differences (of their logarithms, for ratios); ``num_pairs`` that count, in
        ``num_a_better`` of which A is better and ``num_equal`` neither; ``num_a``, ``num_b``,
        ``num_diverged_a``, ``num_diverged_b``, and ``num_only_a``, ``num_only_b``: the seeds
        without a partner, which no pair holds. Different time steps are not independent.

    Raises
    ------
    SpecError
        If an argument is invalid or no two experiments match.
    MissingVariableError
        If there is no such variable or label, listing what there is.
    DivergenceError
        If a seed diverged and ``diverged="raise"``.
    """
    sides = two_sides(data, variable, other, diverged, better, select)
    options = _options(statistic, interval, confidence, num_resamples, random_seed)
    differences = _elementwise(_subtract, sides)
    summary = _summarize(differences, options, sides)
    units = sides.a.attrs.get("units", "1")
    return _labeled(summary, "difference", sides, options, units, "difference A - B")


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
    place of ``difference``, and the p values are of the logarithms. These are nearly normal where
    errors are lognormal, so that Student's interval is given for two pairs and more.

    Raises
    ------
    SpecError
        If an argument is invalid, no two experiments match or, when it is computed, a value
        is negative.
    MissingVariableError
        If there is no such variable or label, listing what there is.
    DivergenceError
        If a seed diverged and ``diverged="raise"``.
    """
    sides = two_sides(data, variable, other, diverged, better, select)
    options = _options(statistic, interval, confidence, num_resamples, random_seed, of_logs=True)
    summary = _summarize(_elementwise(_log_ratio, sides), options, sides)
    for name in ("estimate", "low", "high"):
        summary[name] = xr.ufuncs.exp(summary[name])
    return _labeled(summary, "ratio", sides, options, "1", "ratio A / B")


# --- arguments -------------------------------------------------------------------------------


def _options(
    statistic: Statistic,
    interval: Interval | None,
    confidence: float,
    num_resamples: int,
    seed: int,
    *,
    of_logs: bool = False,
) -> dict[str, Any]:
    check_confidence(confidence)
    check_resampling(num_resamples, seed)
    return {
        "level": level_of(statistic),
        "interval": interval_of(statistic, interval, "interval"),
        "confidence": confidence,
        "num_resamples": num_resamples,
        "random_seed": seed,
        "of_logs": of_logs,
    }


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


def _summarize(differences: xr.DataArray, options: dict[str, Any], sides: Sides) -> xr.Dataset:
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


def _core(differences: np.ndarray, **options: Any) -> np.ndarray:
    rows = differences.reshape(-1, differences.shape[-1])
    ordered, count = sort_rows(rows)
    bounds = bounds_of(ordered, count, **options)
    bounds = np.where(count[:, None] > 0, bounds, np.nan)
    found = estimate(ordered, count, options["level"])
    tests = [sign_test(rows), signed_rank_test(rows), signed_ranks(rows), _spread(rows)]
    return np.stack([found, *bounds.T, *tests], axis=-1).reshape(*differences.shape[:-1], -1)


def _spread(rows: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each row; NaN for one value, infinite for infinite ones."""
    exists = ~np.isnan(rows)
    count = exists.sum(-1)
    finite = ~np.isinf(rows).any(-1)
    values = np.where(exists & finite[:, None], rows, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = values.sum(-1) / count
        squares = np.where(exists, (values - mean[:, None]) ** 2, 0).sum(-1)
        spread = np.sqrt(squares / (count - 1))
    return np.where(count > 1, np.where(finite, spread, np.inf), np.nan)


def _labeled(
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
    given = (options[name] for name in ("level", "interval", "confidence"))
    least = fewest(*given, of_logs=options["of_logs"])
    said = {
        "statistic": name_of(options["level"]),
        "interval": options["interval"],
        "interval_from": least,
        "confidence": options["confidence"],
    }
    return result.assign_attrs({**sides.attrs, **said})


_PROBABILITY_PARTS = ("probability", "low", "high", "p_value", "count_a", "count_b")
_HALVINGS = 60


def probability_better(
    data: xr.Dataset | xr.DataArray,
    variable: str = "mean_nRMSE",
    *,
    other: xr.Dataset | xr.DataArray | None = None,
    paired: bool = False,
    confidence: float = 0.95,
    diverged: Diverged = "worst",
    better: Better | None = None,
    **select: Any,
) -> xr.Dataset:
    """Return the probability that A beats B, ``P(A better) + P(equal) / 2``, with an interval.

    One half says that neither does. Nothing is computed where the data are lazy.

    Parameters
    ----------
    data, variable, other, select
        The two sides, as in :func:`paired_difference`.
    paired
        False: a seed of A against any seed of B (the common-language effect size, U / (m n)).
        True: seeds against the same seed; those without a partner do not count.
    confidence
        Level of the interval. Unpaired, it is Newcombe's, and holds one half wherever the exact
        test does not exclude it, as with three seeds a side; paired, it is the exact one of
        Clopper and Pearson. Both stay honest at probabilities of 0 and 1.
    diverged
        ``"worst"``: a diverged seed loses against all that are finite, and two that diverged are
        equal. ``"drop"``: it is left out, which flatters whoever diverged. ``"raise"``: an error
        when it is computed.
    better
        Which values are good; by default high correlations, low everything else.

    Returns
    -------
    xarray.Dataset
        ``probability``, ``low``, ``high``; ``p_value``, exact and two-sided, of the Mann-Whitney
        test (of the sign test where paired); ``count_a``, ``count_b``: the values that count; and
        the counts of :func:`paired_difference`.

    Raises
    ------
    SpecError
        If an argument is invalid or no two experiments match.
    MissingVariableError
        If there is no such variable or label, listing what there is.
    DivergenceError
        If a seed diverged and ``diverged="raise"``.

    References
    ----------
    Newcombe (2006), "Confidence intervals for an effect size measure based on the Mann-Whitney
    statistic", part 2, Statistics in Medicine 25, 559-573, method 5.
    Clopper and Pearson (1934), Biometrika 26, 404-413.
    """
    check_confidence(confidence)
    sides = two_sides(data, variable, other, diverged, better, select)
    sign = 1.0 if sides.better == "lower" else -1.0
    table: Any = xr.apply_ufunc(
        _paired_core if paired else _unpaired_core,
        sign * sides.a["value"],
        sign * sides.b["value"],
        kwargs={"confidence": confidence},
        input_core_dims=[["seed"], ["seed"]],
        output_core_dims=[["part"]],
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": {"part": len(_PROBABILITY_PARTS)}},
    )
    parts = {name: table.isel(part=i) for i, name in enumerate(_PROBABILITY_PARTS)}
    result = xr.Dataset({**parts, **sides.counts})
    result["probability"].attrs.update(long_name="probability that A beats B", units="1")
    said = {"paired": int(paired), "confidence": confidence}
    return result.assign_attrs({**sides.attrs, **said})


def _unpaired_core(a: np.ndarray, b: np.ndarray, confidence: float) -> np.ndarray:
    a, b = np.broadcast_arrays(a, b)
    m, n = (~np.isnan(a)).sum(-1), (~np.isnan(b)).sum(-1)
    left, right = a[..., :, None], b[..., None, :]
    won = (left < right).sum((-2, -1)) + (left == right).sum((-2, -1)) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        found = won / (m * n)
    low, high = _newcombe(found, m, n, confidence)
    p = rank_sum_test(a, b)
    undecided = p > 1 - confidence
    low, high = (
        np.where(undecided, np.fmin(low, 0.5), low),
        np.where(undecided, np.fmax(high, 0.5), high),
    )
    return np.stack([found, low, high, p, m, n], axis=-1)


def _newcombe(
    found: np.ndarray, m: np.ndarray, n: np.ndarray, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities that lie just so many of their own standard errors off."""
    from scipy.special import ndtri

    z = ndtri((1 + confidence) / 2)

    def variance(theta: np.ndarray) -> np.ndarray:
        extra = ((m + n) / 2 - 1) * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return theta * (1 - theta) * (1 + extra) / np.maximum(m * n, 1)

    def bound(end: float) -> np.ndarray:
        inner, outer = found, np.full(found.shape, end)
        for _ in range(_HALVINGS):
            middle = (inner + outer) / 2
            near = (middle - found) ** 2 <= z**2 * variance(middle)
            inner, outer = np.where(near, middle, inner), np.where(near, outer, middle)
        return np.where(np.isnan(found), np.nan, inner)

    return bound(0.0), bound(1.0)


def _paired_core(a: np.ndarray, b: np.ndarray, confidence: float) -> np.ndarray:
    a, b = np.broadcast_arrays(a, b)
    n = (~np.isnan(a) & ~np.isnan(b)).sum(-1)
    won = (a < b).sum(-1) + (a == b).sum(-1) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        found = won / n
    bounds = [np.where(n > 0, bound, np.nan) for bound in share_bounds(won, n, confidence)]
    return np.stack([found, *bounds, sign_test(_subtract(a, b)), n, n], axis=-1)
