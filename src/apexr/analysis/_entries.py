"""What counts in a statistic over seeds: entries that are there, and those that diverged."""

from typing import Any, Literal, get_args

import numpy as np
import xarray as xr

from apexr.analysis._select import by_seed, in_one_chunk, present, require_dim, values_of
from apexr.errors import DivergenceError, SpecError

Diverged = Literal["worst", "drop", "raise"]
"""How a diverged entry counts: as worse than all others, not at all, or as an error."""

Better = Literal["lower", "higher"]
"""Which values of a variable are the good ones."""


def entries(
    data: xr.Dataset | xr.DataArray,
    variable: str = "mean_nRMSE",
    diverged: Diverged = "worst",
    better: Better | None = None,
    dim: str = "seed",
) -> xr.Dataset:
    """Return what a statistic along ``dim`` works on; nothing is computed where ``data`` is lazy.

    Returns
    -------
    xarray.Dataset
        ``value``, double precision: NaN where there is no entry and where it is dropped, infinite
        where it counts as the worst; ``there``: whether the entry exists (and does not only fill
        a study up); ``lost``: whether it exists and diverged. The attributes are the variable's.
    """
    choose("diverged", diverged, Diverged)
    array = values_of(data, variable)
    array = _along(array, dim)
    mask = present(array)
    finite = xr.ufuncs.isfinite(array)
    there = xr.ones_like(finite) if mask is None else mask & xr.ones_like(finite)
    lost = there & ~finite
    worst = worst_of(array, better)
    counted = array.astype(np.float64).where(finite, worst if diverged == "worst" else np.nan)
    if diverged == "raise":
        counted = _refuse(counted, lost)
    parts = {"value": counted.where(there), "there": there, "lost": lost}
    ds = xr.Dataset({name: part.drop_attrs(deep=False) for name, part in parts.items()})
    ds = ds.drop_vars([name for name in ds.coords if _fills(str(name))])
    return ds.map(in_one_chunk, dim=dim).assign_attrs({**array.attrs, "variable": str(array.name)})


def counts(entered: xr.Dataset, dim: str = "seed") -> dict[str, xr.DataArray]:
    """Return how many values along ``dim`` are finite, and how many diverged."""
    finite = entered["there"] & ~entered["lost"]
    count = finite.sum(dim).assign_attrs(long_name="finite values")
    lost = entered["lost"].sum(dim).assign_attrs(long_name="values that diverged")
    return {"count": count, "num_diverged": lost}


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


def with_worst(array: xr.DataArray, better: Better | None = None) -> xr.DataArray:
    """Return the array with what diverged as the worst value, so that no reduction skips it.

    Errors and losses that are NaN or infinite become ``inf``, correlations ``-inf``. Entries that
    only fill a study up stay as they are. Nothing is computed where the array is lazy.
    """
    lost = ~xr.ufuncs.isfinite(array)
    mask = present(array)
    if mask is not None:
        lost = lost & mask
    result: xr.DataArray = array.where(~lost, array.dtype.type(worst_of(array, better)))
    return result


def is_score(array: xr.DataArray) -> bool:
    """Return whether an array holds losses or errors, in which NaN means diverged."""
    name = str(array.name)
    named = name in ("train_loss", "valid_loss") or name.startswith(("mean_", "gmean_"))
    return array.dtype.kind == "f" and (named or "config" in array.attrs)


def worst_of(array: xr.DataArray, better: Better | None = None) -> float:
    """Return the value that is worse than all others: ``inf``, or ``-inf`` for correlations."""
    return np.inf if orientation(array, better) == "lower" else -np.inf


def orientation(array: xr.DataArray, better: Better | None) -> Better:
    """Return which values are the good ones: high correlations and horizons, else low ones."""
    if better is not None:
        choose("better", better, Better)
        return better
    if array.attrs.get("better") in get_args(Better):
        return "higher" if array.attrs["better"] == "higher" else "lower"
    name = f"{array.attrs.get('config', '')} {array.attrs.get('variable', array.name)}"
    return "higher" if "correlation" in name else "lower"


def choose(name: str, value: object, options: Any) -> None:
    """Raise a SpecError if ``value`` is not one of the options of a Literal type."""
    if value not in get_args(options):
        raise SpecError(f"{name} must be one of {', '.join(get_args(options))}, got {value!r}")


def _along(array: xr.DataArray, dim: str) -> xr.DataArray:
    if dim == "seed" and "seed" in array.coords:
        array = by_seed(array)
    require_dim(array, dim)
    return array


def _fills(name: str) -> bool:
    return name.startswith("has_")


def _refuse(values: xr.DataArray, lost: xr.DataArray) -> xr.DataArray:
    """Return the values; raises when they are computed and one diverged."""

    def check(numbers: np.ndarray, flags: np.ndarray) -> np.ndarray:
        if flags.any():
            raise DivergenceError(
                f"{int(flags.sum())} of {flags.size} values diverged; pass diverged='worst' to"
                " count them as worse than all others, or diverged='drop' to leave them out"
            )
        return numbers

    checked: Any = xr.apply_ufunc(
        check, values, lost, dask="parallelized", output_dtypes=[np.float64]
    )
    return checked
