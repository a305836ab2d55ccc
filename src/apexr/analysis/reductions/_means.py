"""Means, ratios and counts of labeled results: lazy, and never silent about divergence."""

from collections.abc import Hashable, Sequence

import numpy as np
import xarray as xr

from apexr.analysis._selection import (
    config_columns,
    entries,
    pick,
    present,
    require_dim,
    with_worst,
    worst_of,
)
from apexr.errors import MissingVariableError, SpecError
from apexr.schema import TRAIN_SOLVER


def mean_of_logs(
    value: xr.DataArray, there: xr.DataArray, over: Sequence[Hashable]
) -> xr.DataArray:
    """Return the logarithm of the geometric mean of the values that are there; NaN without any.

    A value of 0 makes it ``-inf``, an infinite one ``inf``, a NaN that is there NaN.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = xr.ufuncs.log(value)
    number = there.sum(over)
    divisor = number.where(number > 0).astype(logs.dtype)  # a mean of float32 is one, too
    mean: xr.DataArray = logs.where(there, 0).sum(over, skipna=False) / divisor
    return mean


def ratio_of(value: xr.DataArray, divisor: xr.DataArray) -> xr.DataArray:
    """Return a ratio of errors in which two that diverged, both infinite, are equal."""
    apart = ~(xr.ufuncs.isinf(value) & xr.ufuncs.isinf(divisor))
    ratio: xr.DataArray = value.where(apart, 1) / divisor.where(apart, 1)
    return ratio


def geometric_mean(
    ds: xr.Dataset, variable: str = "mean_nRMSE", up_to: int = 100, dim: str = "time"
) -> xr.DataArray:
    """Return the geometric mean over the time steps up to ``up_to``.

    A seed that diverged up to then has the worst value, infinity (``-inf`` for correlations), so
    that a median over seeds counts it; :func:`count_diverged` tells how many did. Steps that an
    experiment of a study does not have are not part of its mean, and an experiment or seed
    without any has NaN.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    """
    chosen = pick(ds, variable)
    require_dim(chosen, dim)
    array = with_worst(chosen.sel({dim: slice(None, up_to)}))
    lost = xr.ufuncs.isinf(array)
    mask = array.coords.get(f"has_{dim}", xr.ones_like(array[dim], dtype=bool))
    value = xr.ufuncs.exp(mean_of_logs(array.where(~lost), mask, [dim]))
    value = value.where(~lost.any(dim), array.dtype.type(worst_of(array)))
    result: xr.DataArray = value.rename(f"gmean_{array.name}").assign_attrs(array.attrs)
    return result


def relative(ds: xr.Dataset, variable: str = "mean_nRMSE", **baseline: str) -> xr.DataArray:
    """Return each experiment's values divided by those of its baseline.

    The baseline of an experiment is the one that has the coordinates ``baseline`` (by default
    ``train="one"``) and agrees in the other config coordinates. Diverged values are infinite, as
    in :func:`paired_ratio`: their ratio to a finite one is infinite, that of a finite value to
    them is 0, and two that diverged are equal.

    Examples
    --------
    ``relative(study, "mean_nRMSE", net="Conv;26;10;relu")``

    Raises
    ------
    SpecError
        If an experiment has no baseline or several.
    """
    array = with_worst(pick(ds, variable))
    wanted = baseline or {"train": "one"}
    if "experiment" not in array.dims:
        raise SpecError("relative compares the experiments of a study, got one result")
    index = [_baseline(ds, row, wanted) for row in range(ds.sizes["experiment"])]
    names = [name for name, coord in array.coords.items() if "experiment" in coord.dims]
    divisor = array.isel(experiment=index).drop_vars(names)
    ratio = ratio_of(array, divisor)
    return ratio.rename(f"{array.name}_rel").assign_attrs({**array.attrs, "units": "1"})


def _baseline(ds: xr.Dataset, row: int, wanted: dict[str, str]) -> int:
    fixed = [name for name in config_columns(ds) if name not in wanted]
    here = {name: ds[name].values[row] for name in fixed}
    matches = [
        other
        for other in range(ds.sizes["experiment"])
        if all(ds[name].values[other] == value for name, value in {**here, **wanted}.items())
    ]
    if len(matches) != 1:
        raise SpecError(f"{len(matches)} experiments have {wanted} with {here}; expected one")
    return matches[0]


def count_diverged(ds: xr.Dataset, variable: str, dim: str = "seed") -> xr.DataArray:
    """Return how many entries along ``dim`` hold a NaN or an infinity anywhere in time.

    Entries that only fill a study up are not counted.
    """
    array = pick(ds, variable)
    require_dim(array, dim)
    lost = ~xr.ufuncs.isfinite(array)
    mask = present(array)
    if mask is not None:
        lost = lost & mask
    others = [d for d in array.dims if d not in (dim, "experiment")]
    count: xr.DataArray = lost.any(others).sum(dim)
    return count.rename("num_diverged")


def superiority(ds: xr.Dataset, variable: str = "mean_nRMSE") -> xr.DataArray:
    """Return the error of emulators over that of the solver that made their training data.

    Both are judged by the solver of the test data, from the same test states. With the mean over
    the test samples, ``ξ[t] = err(emulator, t) / err(train solver, t)``. Below 1 the emulator is
    better than its training data. A seed that diverged has infinity, or NaN where the solver of its
    training data diverged, too. Nothing is computed where ``ds`` is lazy.

    Parameters
    ----------
    ds
        A result or a study of scenarios with ``train_solver`` or ``test_solver``. Experiments of a
        study without them have NaN.
    variable
        Name or config string of a metric; errors of each test sample, such as ``nRMSE``, give a
        ratio of each.

    Returns
    -------
    xarray.DataArray
        With the dimensions of the metric.

    Raises
    ------
    MissingVariableError
        If there is no such metric, or no other solver made the training data.
    SpecError
        If the metric is none that is small where a prediction is good.

    References
    ----------
    Koehler and Thuerey (2025), "Neural Emulator Superiority: When Machine Learning for PDEs
    Surpasses its Training Data", arXiv:2510.23111.

    Examples
    --------
    >>> ds = apexr.run("diff_burgers", train_solver="fd;1.0;1", test_solver="fd;1.0;100")
    >>> apexr.analysis.superiority(ds).median("seed").sel(time=[1, 10])
    """
    emulators = pick(ds, variable)
    name = f"{TRAIN_SOLVER}{emulators.name}"
    if name not in ds:
        raise MissingVariableError(
            f"no {name!r} here: the solver of the test data made the training data too; run the"
            " experiment with another train_solver, such as train_solver='fd;1.0;1'"
        )
    if worst_of(emulators) < 0:
        raise SpecError(f"{emulators.name} is no error: a ratio of it tells nothing; take another")
    ratio: xr.DataArray = with_worst(emulators) / with_worst(ds[name])
    label = f"{emulators.attrs.get('long_name', emulators.name)} over that of the training data"
    return ratio.rename("superiority").assign_attrs(
        long_name=label, units="1", of=str(emulators.name)
    )


def finite_fraction(
    data: xr.Dataset | xr.DataArray, variable: str = "mean_nRMSE", dim: str = "seed"
) -> xr.DataArray:
    """Return which fraction of the seeds still has a finite value, at every time step.

    Entries that only fill a study up are no part of it; where there are none at all it is NaN.
    Nothing is computed where ``data`` is lazy.

    Parameters
    ----------
    data
        A result, a study, or one variable of it.
    variable
        Name or config string of the variable; without meaning where ``data`` is an array.
    dim
        Dimension to reduce.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    """
    entered = entries(data, variable, dim=dim)
    there = entered["there"].sum(dim)
    fraction = 1 - entered["lost"].sum(dim) / there.where(there > 0)
    named: xr.DataArray = fraction.rename("finite_fraction")
    return named.assign_attrs(
        long_name=f"finite over {dim}", units="1", of=entered.attrs["variable"]
    )
