"""An error metric over the steps of the rollout."""

from collections.abc import Sequence
from typing import Any

import xarray as xr

from apexr.analysis._select import pick
from apexr.plots._bands import curves
from apexr.plots._horizons import marked


def metric(
    ds: xr.Dataset,
    variable: str = "mean_nRMSE",
    by: str | None = None,
    band: str = "range",
    logy: bool = False,
    horizon: bool = True,
    order: Sequence[str] | None = None,
) -> Any:
    """Return a metric over time steps, median and band over seeds, as a HoloViews overlay.

    Vertical lines mark how many steps trainings were unrolled over (the T of ``sup;T`` and
    ``div;T``, where any is longer than 1), and how long the trajectories to train with were.

    Parameters
    ----------
    ds
        A result or a study, in memory or lazy.
    variable
        Name or config string of a metric.
    by
        Coordinate that tells the curves of a study apart; by default all that differ.
    band
        ``"range"`` (minimum to maximum over seeds), ``"quartiles"`` or ``"none"`` around the
        median. Values that are not finite are gaps; the legend counts the seeds that have any.
    logy
        Whether the error axis is logarithmic.
    horizon
        Whether to mark the horizons of the training.
    order
        Names of the groups in the order of colours and legend, those that are not drawn among
        them: what has one name then has one colour in all plots. By default as they come.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    SpecError
        If the order lacks a group.
    """
    array = pick(ds, variable)
    if "test_sample" in array.dims:
        array = array.mean("test_sample", skipna=False, keep_attrs=True)
    drawn = curves(array, "time", by=by, band=band, logy=logy, corner="top_left", order=order)
    return marked(drawn, ds, array) if horizon else drawn
