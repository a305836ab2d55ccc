"""Reductions of labelled results: lazy, and never silent about what diverged."""

import xarray as xr

from apexr.analysis._select import config_columns, pick, present
from apexr.errors import SpecError


def geometric_mean(
    ds: xr.Dataset, variable: str = "mean_nRMSE", up_to: int = 100, dim: str = "time"
) -> xr.DataArray:
    """Return the geometric mean over the time steps up to ``up_to``.

    NaN stays NaN, so a seed that diverged is seen; :func:`count_diverged` counts them. Steps that
    an experiment of a study does not have are not part of its mean.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    """
    array = pick(ds, variable)
    array = array.sel({dim: slice(None, up_to)})
    logs = xr.ufuncs.log(array)
    mask = array.coords.get(f"has_{dim}")
    mean = logs.mean(dim, skipna=False)
    if mask is not None:
        mean = logs.where(mask, 0).sum(dim, skipna=False) / mask.sum(dim)
    result: xr.DataArray = (
        xr.ufuncs.exp(mean).rename(f"gmean_{array.name}").assign_attrs(array.attrs)
    )
    return result


def relative(ds: xr.Dataset, variable: str = "mean_nRMSE", **baseline: str) -> xr.DataArray:
    """Return each experiment's values divided by those of its baseline.

    The baseline of an experiment is the one that has the coordinates ``baseline`` (by default
    ``train="one"``) and agrees in the other config coordinates.

    Examples
    --------
    ``relative(study, "mean_nRMSE", net="Conv;26;10;relu")``

    Raises
    ------
    SpecError
        If an experiment has no baseline or several.
    """
    array = pick(ds, variable)
    wanted = baseline or {"train": "one"}
    index = [_baseline(ds, row, wanted) for row in range(ds.sizes["experiment"])]
    names = [name for name, coord in array.coords.items() if "experiment" in coord.dims]
    divisor = array.isel(experiment=index).drop_vars(names)
    ratio = array / divisor
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
    lost = ~xr.ufuncs.isfinite(array)
    mask = present(array)
    if mask is not None:
        lost = lost & mask
    others = [d for d in array.dims if d not in (dim, "experiment")]
    count: xr.DataArray = lost.any(others).sum(dim)
    return count.rename("num_diverged")
