"""An error metric reduced to one number a run: what heat maps and cost plots show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis import geometric_mean
from apexr.analysis._selection import by_seed, entries, gather, missing, pick, with_worst
from apexr.analysis.statistics._intervals import quantiles, sort_rows
from apexr.errors import SpecError
from apexr.plots._fields import of_all_channels
from apexr.plots._style import bracketed
from apexr.schema import metric_identifiers

_DIMS = {"experiment", "seed", "test_sample", "time"}


@dataclass(frozen=True)
class Runs:
    """The numbers of all seeds of a configuration.

    Attributes
    ----------
    values
        One for each seed; infinite, the worst value, where it diverged.
    """

    values: np.ndarray

    @property
    def num_diverged(self) -> int:
        """How many have no finite number."""
        return int((~np.isfinite(self.values)).sum())

    @property
    def quantiles(self) -> tuple[float, float, float]:
        """Minimum, median and maximum, infinite where so many diverged; NaN where there is none."""
        low, middle, high = quantiles(*sort_rows(self.values), np.array([0.0, 0.5, 1.0]))
        return (float(low), float(middle), float(high))

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
    array = of_all_channels(pick(ds, variable))
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
        else with_worst(array.sel(time=step))
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
    return f"{values.attrs['short_name']}{bracketed(values)}"


def runs(values: xr.DataArray, groups: Mapping[Any, Sequence[int]]) -> dict[Any, Runs]:
    """Return the seeds of each group of experiments, without what only fills the study up.

    Raises
    ------
    SpecError
        If experiments of a group have the same seeds.
    """
    entered = gather(entries(values), groups, "labels")
    there = entered["there"].astype(bool).values
    numbers = entered["value"].values
    return {name: Runs(numbers[row][there[row]]) for row, name in enumerate(groups)}
