"""Reductions of labelled results: lazy, and never silent about what diverged."""

import xarray as xr

from apexr.analysis._entries import with_worst, worst_of
from apexr.analysis._select import config_columns, pick, present, require_dim
from apexr.errors import SpecError


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
    logs = xr.ufuncs.log(array.where(~lost))
    mask = array.coords.get(f"has_{dim}")
    mean = logs.mean(dim, skipna=False)
    if mask is not None:
        mean = logs.where(mask, 0).sum(dim, skipna=False) / mask.sum(dim)
    value = xr.ufuncs.exp(mean).where(~lost.any(dim), array.dtype.type(worst_of(array)))
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
    one = ~(xr.ufuncs.isinf(array) & xr.ufuncs.isinf(divisor))
    ratio = array.where(one, 1) / divisor.where(one, 1)
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
        raise SpecError(f"{len(matches)} experiments have {wanted} beside {here}; expected one")
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
