"""``ds.apexr``: the functions of apexr on a result, as methods.

Every method is the function of the same name with the result as its first argument; the function
is documented, and loaded when the method is first used.
"""

import functools
import importlib
from collections.abc import Callable
from typing import Any

import xarray as xr

__all__ = ["ApexrAccessor", "ApexrPlots"]


class FunctionOf:
    """A method that is a public function with the result as its first argument.

    Parameters
    ----------
    module, name
        Where the function lies, and what it is called.
    """

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name

    def __get__(self, holder: Any, owner: type) -> Callable[..., Any]:
        function = getattr(importlib.import_module(self.module), self.name)
        if holder is None:
            return function
        method = functools.update_wrapper(functools.partial(function, holder.ds), function)
        del method.__wrapped__  # its signature is that of the partial
        return method


class ApexrPlots:
    """``ds.apexr.plot``: pictures of a result; see :mod:`apexr.plots`."""

    def __init__(self, ds: xr.Dataset) -> None:
        self.ds = ds

    loss = FunctionOf("apexr.plots", "loss")
    metric = FunctionOf("apexr.plots", "metric")
    spacetime = FunctionOf("apexr.plots", "spacetime")
    state = FunctionOf("apexr.plots", "state")
    compare = FunctionOf("apexr.plots", "compare")
    facets = FunctionOf("apexr.plots", "facets")
    spectra = FunctionOf("apexr.plots", "spectra")
    error_spectrum = FunctionOf("apexr.plots", "error_spectrum")
    heatmap = FunctionOf("apexr.plots", "heatmap")
    pareto = FunctionOf("apexr.plots", "pareto")
    sizes = FunctionOf("apexr.plots", "sizes")
    overview = FunctionOf("apexr.plots", "overview")
    explore = FunctionOf("apexr.plots", "explore")
    animate = FunctionOf("apexr.plots", "animate")


@xr.register_dataset_accessor("apexr")  # type: ignore[no-untyped-call]
class ApexrAccessor:
    """``ds.apexr``: tables, statistics, plots and checks of a result."""

    def __init__(self, ds: xr.Dataset) -> None:
        self.ds = ds

    @property
    def plot(self) -> ApexrPlots:
        """The plots of this result."""
        return ApexrPlots(self.ds)

    to_long = FunctionOf("apexr.analysis", "to_long")
    to_wide = FunctionOf("apexr.analysis", "to_wide")
    to_well = FunctionOf("apexr.analysis", "to_well")
    melt_loss = FunctionOf("apexr.analysis", "melt_loss")
    melt_metrics = FunctionOf("apexr.analysis", "melt_metrics")
    melt_sample_rollouts = FunctionOf("apexr.analysis", "melt_sample_rollouts")
    correlation_time = FunctionOf("apexr.analysis", "correlation_time")
    valid_prediction_time = FunctionOf("apexr.analysis", "valid_prediction_time")
    stability_horizon = FunctionOf("apexr.analysis", "stability_horizon")
    spectra = FunctionOf("apexr.analysis", "spectra")
    bootstrap_band = FunctionOf("apexr.analysis", "bootstrap_band")
    finite_fraction = FunctionOf("apexr.analysis", "finite_fraction")
    count_diverged = FunctionOf("apexr.analysis", "count_diverged")
    geometric_mean = FunctionOf("apexr.analysis", "geometric_mean")
    paired_difference = FunctionOf("apexr.analysis", "paired_difference")
    paired_ratio = FunctionOf("apexr.analysis", "paired_ratio")
    probability_better = FunctionOf("apexr.analysis", "probability_better")
    summarise_comparison = FunctionOf("apexr.analysis", "summarise_comparison")
    table = FunctionOf("apexr.analysis", "table")
    rank_table = FunctionOf("apexr.analysis", "rank_table")
    validate = FunctionOf("apexr.schema", "validate")
