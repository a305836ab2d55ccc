"""An error metric over the steps of the rollout."""

from collections.abc import Sequence
from typing import Any

import xarray as xr

from apexr.analysis._selection import pick
from apexr.plots._bands import curves
from apexr.plots._experiments import By
from apexr.plots._fields import in_physical_time, of_all_channels
from apexr.plots._horizons import marked


def metric(
    ds: xr.Dataset,
    variable: str = "mean_nRMSE",
    by: By = None,
    band: str = "range",
    logy: bool = False,
    horizon: bool = True,
    order: Sequence[str] | None = None,
    physical: bool = False,
) -> Any:
    """Return a metric over time steps, median and band over seeds, as HoloViews curves.

    Vertical lines mark how many steps trainings were unrolled over (the T of ``sup;T`` and
    ``div;T``, where any is longer than 1), and how long the trajectories to train with were.

    Parameters
    ----------
    ds
        A result or a study, in memory or lazy.
    variable
        Name or config string of a metric.
    by
        Label that tells the curves of a study apart, or a list of labels: config coordinates, other
        coordinates along ``experiment``, keywords of the scenario such as ``advection_gamma``. By
        default all that differ. Labels that differ within a curve besides its seeds (equations,
        trainings, …) make panels, never more seeds.
    band
        ``"range"`` (minimum to maximum over seeds), ``"quartiles"`` or ``"none"`` around the
        median. A diverged seed is worse than all others: the band then reaches the end of the
        axis, and a curve ends, with a cross, where so many seeds diverged that the median is
        not finite. The legend counts the seeds that diverged, and those left where a curve ends.
    logy
        Whether the error axis is logarithmic.
    horizon
        Whether to mark the horizons of the training.
    order
        Names of the groups in the order of colors and legend, those that are not drawn among
        them: what has one name then has one color in all plots. By default as they come.
    physical
        Whether the time axis has the unit of the equation instead of numbers of steps.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    SpecError
        If the metric is per channel and none is chosen, the order lacks a group, the study makes
        too many panels, or the physical time is asked for and not known.
    """
    array = of_all_channels(pick(ds, variable))
    if "test_sample" in array.dims:
        array = array.mean("test_sample", skipna=False, keep_attrs=True)

    def with_horizons(drawn: Any, places: list[int]) -> Any:
        part = ds.isel(experiment=places) if "experiment" in ds.dims else ds
        return marked(drawn, part, array, over) if horizon else drawn

    over = in_physical_time(array) if physical else array
    return curves(
        over,
        "time",
        by=by,
        band=band,
        logy=logy,
        corner="top_left",
        order=order,
        finish=with_horizons,
    )
