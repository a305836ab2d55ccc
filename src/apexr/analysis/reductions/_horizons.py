"""How long a rollout is worth something: times at which it is lost, from its errors."""

from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._selection import pick, present
from apexr.errors import MissingVariableError, SpecError
from apexr.schema import presence_name


def correlation_time(
    ds: xr.Dataset, threshold: float = 0.9, variable: str = "correlation"
) -> xr.DataArray:
    """Return the first time step at which the correlation falls below ``threshold``.

    One number for each seed and test sample. A correlation that is NaN, because the rollout
    diverged, has fallen. Where it never falls, the value is the last step of the rollout, a lower
    bound, and the boolean coordinate ``censored`` is true there. Entries that only fill a study
    up are NaN. Nothing is computed where ``ds`` is lazy.

    Parameters
    ----------
    ds
        A result or a study.
    threshold
        Between -1 and 1.
    variable
        Name or config string of a correlation: ``"correlation"`` or ``"pearson_correlation"`` per
        trajectory, ``"mean_correlation"`` of the mean over test samples.

    Raises
    ------
    MissingVariableError
        If the result does not hold the correlation.
    SpecError
        If the threshold is invalid.
    """
    _check("threshold", threshold, -1, 1)
    array = _scores(ds, variable)
    return _first_lost(array, ~(array >= threshold), "correlation time", "correlation_time")


def valid_prediction_time(
    ds: xr.Dataset, bound: float = 0.4, variable: str | None = None
) -> xr.DataArray:
    """Return the first time step at which the error exceeds ``bound``.

    One number for each seed and test sample; a NaN exceeds every bound. A rollout that never
    exceeds it is ``censored``, as in :func:`correlation_time`.

    Parameters
    ----------
    ds
        A result or a study.
    bound
        Largest error of a valid prediction.
    variable
        Name or config string of an error that grows as the prediction gets worse. By default the
        relative error of all channels in one norm, ``joint_nRMSE``; where the result lacks it,
        ``nRMSE``, which sums over channels, divided by their number, which a study whose
        experiments differ in their grids has as ``num_channels``.

    Raises
    ------
    MissingVariableError
        If the result does not hold the error.
    SpecError
        If the bound is invalid.

    References
    ----------
    Pathak et al. (2018), "Model-free prediction of large spatiotemporally chaotic systems from
    data: a reservoir computing approach", Phys. Rev. Lett. 120, 024102: valid while the relative
    error is below 0.4.
    """
    _check("bound", bound, 0, np.inf)
    array = _relative_error(ds) if variable is None else _scores(ds, variable)
    name = "valid_prediction_time"
    return _first_lost(array, ~(array <= bound), "valid prediction time", name)


def stability_horizon(
    ds: xr.Dataset, bound: float = 10.0, variable: str | None = None
) -> xr.DataArray:
    """Return the number of time steps that a rollout stays finite and its error below ``bound``.

    The last step before the error first exceeds the bound or is not finite; 0 if the first step
    is lost already. A rollout that never breaks down is ``censored``, its value the last step of
    the rollout; see :func:`correlation_time`.

    Parameters
    ----------
    ds
        A result or a study.
    bound
        An error that only an unstable rollout has; ``inf`` asks for finite errors alone.
    variable
        Name or config string of an error; by default as in :func:`valid_prediction_time`.

    Raises
    ------
    MissingVariableError
        If the result does not hold the error.
    SpecError
        If the bound is invalid.
    """
    _check("bound", bound, 0, np.inf, closed=True)
    array = _relative_error(ds) if variable is None else _scores(ds, variable)
    lost = ~((array <= bound) & xr.ufuncs.isfinite(array))
    first = _first_lost(array, lost, "stability horizon", "stability_horizon")
    before = array["time"].astype(float).shift(time=1, fill_value=0)
    earlier = before.where(array["time"] == first, -np.inf).max("time")
    stable = first.where(first["censored"] | first.isnull(), earlier)
    return stable.rename(first.name).assign_attrs(first.attrs)


def _relative_error(ds: xr.Dataset) -> xr.DataArray:
    """Return the relative error per trajectory: of all channels in one norm, or their mean.

    Experiments of a study may hold one or the other, and differ in their channels.
    """
    joint = ds.get("joint_nRMSE")
    if joint is not None and "nRMSE" not in ds:
        return _scores(ds, "joint_nRMSE")
    summed = _scores(ds, "nRMSE")
    count: Any = ds.coords.get("num_channels", ds.sizes.get("channel", 1))
    if (mask := ds.coords.get(presence_name("channel"))) is not None:
        count = mask.sum("channel")
    count = count.reset_coords(drop=True) if isinstance(count, xr.DataArray) else count
    mean: xr.DataArray = (summed / count).assign_attrs(summed.attrs).rename(summed.name)
    if joint is None:
        return mean
    return _scores(ds, "joint_nRMSE").fillna(mean)


def _scores(ds: xr.Dataset, variable: str) -> xr.DataArray:
    """Return the metric, with advice where it was not asked for."""
    try:
        array = pick(ds, variable)
    except MissingVariableError as error:
        asked = variable if variable.startswith("mean_") else f"mean_{variable}"
        raise MissingVariableError(
            f"{error}; run or evaluate with {asked} in report_metrics"
        ) from None
    if "time" not in array.dims:
        raise MissingVariableError(f"{array.name!r} has no time steps; name a metric")
    return array


def _check(name: str, value: float, low: float, high: float, closed: bool = False) -> None:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not (low < value < high or (closed and value == high)):
        raise SpecError(f"{name} must be a number between {low} and {high}, got {value!r}")


def _first_lost(array: xr.DataArray, lost: xr.DataArray, label: str, name: str) -> xr.DataArray:
    """Return the first step that is lost; the last one, ``censored``, where none is."""
    mask = present(array)
    there = xr.ones_like(lost) if mask is None else mask & xr.ones_like(lost)
    steps = array["time"].astype(float)
    first = steps.where(lost & there, np.inf).min("time")
    last = steps.where(there, -np.inf).max("time")
    exists = last > 0
    censored = (first == np.inf) & exists
    value = first.where(~censored, last).where(exists)
    metric = str(array.attrs.get("config", array.name))
    attrs = {"long_name": label, "units": "1", "metric": metric, "better": "higher"}
    result: xr.DataArray = value.drop_vars("time", errors="ignore").rename(name)
    return result.assign_attrs(attrs).assign_coords(censored=_plain(censored))


def _plain(flags: xr.DataArray) -> xr.DataArray:
    """Return flags without the coordinates of what they tell about."""
    attrs = {"long_name": "never within the rollout", "description": "The value is a lower bound."}
    bare: xr.DataArray = flags.drop_vars([n for n in flags.coords if n not in flags.dims])
    return bare.assign_attrs(attrs)
