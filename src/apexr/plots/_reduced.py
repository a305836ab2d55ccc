"""An error metric reduced to one number a run: what heat maps and cost plots show."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from apexr.analysis import geometric_mean
from apexr.analysis._select import by_seed, missing, pick
from apexr.errors import SpecError
from apexr.schema import metric_identifiers, presence_name

_DIMS = {"experiment", "seed", "test_sample", "time"}


@dataclass(frozen=True)
class Runs:
    """The numbers of all runs of some experiments.

    Attributes
    ----------
    values
        One for each run; NaN or infinite where it diverged.
    """

    values: np.ndarray

    @property
    def num_diverged(self) -> int:
        """How many have no finite number."""
        return int((~np.isfinite(self.values)).sum())

    @property
    def quantiles(self) -> tuple[float, float, float]:
        """Minimum, median and maximum of the finite ones, NaN where there is none."""
        sound = self.values[np.isfinite(self.values)]
        if not sound.size:
            return (np.nan, np.nan, np.nan)
        return (float(sound.min()), float(np.median(sound)), float(sound.max()))

    @property
    def count(self) -> str:
        """How many there are and how many diverged, in words."""
        seeds = f"{self.values.size} seed{'s' if self.values.size != 1 else ''}"
        return seeds + (f", {self.num_diverged} diverged" if self.num_diverged else "")


def reduced(ds: xr.Dataset, variable: str, step: int | None, up_to: int) -> xr.DataArray:
    """Return a metric ``(experiment, seed)`` in memory, at a step or its mean over time.

    Parameters
    ----------
    ds
        A study or a result.
    variable
        Name or config string of a metric.
    step
        Time step; by default the geometric mean over the steps up to ``up_to`` is taken.
    up_to
        Last step of the mean.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    """
    array = pick(ds, variable)
    if "time" not in array.dims or not {*array.dims} <= _DIMS:
        raise missing(variable, metric_identifiers(ds))
    if step is None and up_to < 1:
        raise SpecError(f"up_to must be at least 1, got {up_to}")
    if step is not None and step not in array["time"].values:
        raise missing(f"time step {step}", _ends(array["time"].values))
    if "test_sample" in array.dims:
        array = array.mean("test_sample", skipna=False, keep_attrs=True)
    value = (
        geometric_mean(array.to_dataset(name=str(array.name)), str(array.name), up_to)
        if step is None
        else array.sel(time=step)
    )
    name = str(array.attrs.get("long_name", array.name))
    last = min(up_to, int(array["time"].values[-1]))
    said = (
        f"{name} at step {step}" if step is not None else f"{name}, geometric mean to step {last}"
    )
    value = by_seed(value).assign_attrs(long_name=said, short_name=name)
    value = value if "experiment" in value.dims else value.expand_dims("experiment")
    return value.transpose("experiment", "seed").compute()


def _ends(times: np.ndarray) -> list[str]:
    return [str(times[0]), "…", str(times[-1])]


def short_label(values: xr.DataArray) -> str:
    """Return the name of the metric with its unit."""
    unit = values.attrs.get("units", "1")
    return f"{values.attrs['short_name']} [{'–' if unit == '1' else unit}]"


def runs(values: xr.DataArray, chosen: list[int]) -> Runs:
    """Return the runs of some experiments, without what only fills the study up."""
    part = values.isel(experiment=chosen)
    mask = part.coords.get(presence_name("seed"))
    flat = part.values.ravel()
    if mask is None:
        return Runs(flat)
    return Runs(flat[np.broadcast_to(mask.values, part.shape).ravel()])
