"""Bands over seeds: quantiles of the values, or how well a statistic of them is known."""

from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._selection import Better, Diverged, counts, entries
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
    quantiles,
    sort_rows,
)
from apexr.errors import SpecError, warn

_PARTS = ("estimate", "low", "high", "smallest", "largest")


def band(
    array: xr.DataArray,
    dim: str = "seed",
    low: float = 0.0,
    high: float = 1.0,
    diverged: Diverged = "worst",
    better: Better | None = None,
) -> xr.Dataset:
    """Return quantiles ``low``, ``median`` and ``high`` along ``dim``, and how many are finite.

    Parameters
    ----------
    array
        Values, in memory or lazy; entries that only fill a study up do not count.
    dim
        Dimension to reduce; it must not be empty.
    low, high
        Quantiles of the band; 0 and 1 are minimum and maximum.
    diverged
        ``"worst"``: a diverged value is worse than all others, so that a quantile may be
        infinite. ``"drop"``: the quantiles are those of the finite values, which flatters whoever
        diverged. ``"raise"``: an error when it is computed.
    better
        Which values are good; by default high correlations, low everything else.

    Returns
    -------
    xarray.Dataset
        NaN where there is no value; ``count`` tells how many are finite, ``num_diverged`` how
        many are NaN or infinite.

    Raises
    ------
    SpecError
        If an argument is invalid.
    """
    if not 0 <= low <= high <= 1:
        raise SpecError(f"low and high must be quantiles, 0 <= low <= high <= 1, got {low}, {high}")
    entered = entries(array, diverged=diverged, better=better, dim=dim)
    parts = quantile_rows(entered["value"], dim, (low, 0.5, high))
    named = dict(zip(("low", "median", "high"), parts, strict=True))
    return xr.Dataset({**named, **counts(entered, dim)}, attrs=array.attrs)


def bootstrap_band(
    data: xr.Dataset | xr.DataArray,
    variable: str = "mean_nRMSE",
    *,
    statistic: Statistic = "median",
    confidence: float = 0.95,
    method: Interval | None = None,
    num_resamples: int = 9999,
    random_seed: int = 0,
    diverged: Diverged = "worst",
    better: Better | None = None,
    dim: str = "seed",
) -> xr.Dataset:
    """Return a statistic over seeds and its confidence interval.

    By default that of the median between two of the values, which is exact for every distribution.
    Where the values are too few for an interval to cover what it says, there is a warning, its
    bounds are infinite, and ``smallest`` and ``largest`` tell the range of the values, which is no
    interval of confidence. Nothing is computed where the data are lazy. The answer depends on
    ``random_seed`` alone, not on chunks nor on the order of the seeds.

    Parameters
    ----------
    data
        A result, a study, or one variable of it.
    variable
        Name or config string of the variable; without meaning where ``data`` is an array.
    statistic
        ``"mean"``, ``"median"`` or the level of a quantile.
    confidence
        Level of the interval.
    method
        ``"order"``: between two of the values (the default for the median and for quantiles), from
        6 values on for the median at 95 %. ``"t"``: Student's interval of the mean (its default).
        Bootstrap: ``"percentile"``, ``"basic"`` (the percentiles mirrored at the estimate) or
        ``"bca"`` (corrected for bias and acceleration). Errors may have a long tail, as lognormal
        ones; then Student's interval covers 95 % from 500 values on, those of a mean by bootstrap
        from 1000, those of a median by bootstrap from 20, mirrored ones from 2000.
    num_resamples, random_seed
        How many resamples are drawn, and the seed from which.
    diverged
        ``"worst"``: a diverged seed counts as worse than all others; the mean is infinite then.
        ``"drop"``: it is left out. ``"raise"``: an error when it is computed.
    better
        Which values are good; by default high correlations, low everything else.
    dim
        Dimension to reduce.

    Returns
    -------
    xarray.Dataset
        ``estimate``, ``low``, ``high``, ``smallest``, ``largest``; ``count``, the values that are
        finite, and ``num_diverged``. The attributes ``confidence`` and ``interval`` say what the
        bounds are, ``interval_from`` from how many values on there are any. A bound is infinite,
        too, where diverged seeds leave nothing to tell.

    Raises
    ------
    SpecError
        If an argument is invalid.
    MissingVariableError
        Listing what there is.
    DivergenceError
        If a seed diverged and ``diverged="raise"``.

    References
    ----------
    Efron and Tibshirani (1993), "An Introduction to the Bootstrap", chapters 13 and 14.
    """
    level = level_of(statistic)
    check_confidence(confidence)
    check_resampling(num_resamples, random_seed)
    kind = interval_of(statistic, method, "method")
    entered = entries(data, variable, diverged, better, dim)
    least = fewest(level, kind, confidence)
    number = entered.sizes[dim]
    if number < least:
        warn(
            f"{number} values are too few for a {100 * confidence:g} % interval of the"
            f" {name_of(level)} ({kind}, from {least:g} on): low and high are infinite; smallest"
            " and largest are the range of the values"
            + ("; the median has an interval from fewer" if level is None else "")
        )
    options: dict[str, Any] = {"num_resamples": num_resamples, "random_seed": random_seed}
    options |= {"level": level, "confidence": confidence, "interval": kind}
    parts = _rows(_interval_core, entered["value"], dim, len(_PARTS), **options)
    named = dict(zip(_PARTS, parts, strict=True))
    said = {
        "statistic": str(statistic),
        "confidence": confidence,
        "interval": kind,
        "interval_from": least,
    }
    return xr.Dataset({**named, **counts(entered, dim)}, attrs={**entered.attrs, **said})


def quantile_rows(values: xr.DataArray, dim: str, levels: tuple[float, ...]) -> list[xr.DataArray]:
    """Return the quantiles along ``dim`` of what counts (see :func:`entries`), one array each."""
    return _rows(_quantile_core, values, dim, len(levels), levels=levels)


def _rows(
    core: Any, values: xr.DataArray, dim: str, size: int, **options: Any
) -> list[xr.DataArray]:
    """Return what ``core`` makes of the rows along ``dim``, as ``size`` arrays."""
    table: Any = xr.apply_ufunc(
        core,
        values,
        kwargs=options,
        input_core_dims=[[dim]],
        output_core_dims=[["part"]],
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": {"part": size}},
    )
    return [table.isel(part=i) for i in range(size)]


def _quantile_core(values: np.ndarray, levels: tuple[float, ...]) -> np.ndarray:
    return quantiles(*sort_rows(values), np.asarray(levels))


def _interval_core(values: np.ndarray, level: float | None, **options: Any) -> np.ndarray:
    ordered, count = sort_rows(values.reshape(-1, values.shape[-1]))
    bounds = bounds_of(ordered, count, level=level, **options)
    bounds = np.where(count[:, None] > 0, bounds, np.nan)
    found = estimate(ordered, count, level)[:, None]
    ends = quantiles(ordered, count, np.array([0.0, 1.0]))
    result = np.concatenate([found, bounds, ends], axis=-1)
    return result.reshape(*values.shape[:-1], len(_PARTS))
