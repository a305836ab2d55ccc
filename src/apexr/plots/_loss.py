"""Losses over update steps."""

from collections.abc import Sequence
from typing import Any

import xarray as xr

from apexr.analysis._selection import pick
from apexr.plots._bands import curves
from apexr.plots._experiments import By


def loss(
    ds: xr.Dataset,
    by: By = None,
    band: str = "range",
    order: Sequence[str] | None = None,
    variable: str = "train_loss",
) -> Any:
    """Return a loss over update steps on a logarithmic axis, as HoloViews curves.

    Parameters
    ----------
    ds
        A result or a study, in memory or lazy.
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
    order
        Names of the groups in the order of colors and legend, those that are not drawn among
        them: what has one name then has one color in all plots. By default as they come.
    variable
        ``"train_loss"``, or ``"valid_loss"`` and ``"valid_score"`` where there was validation.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    SpecError
        If the order lacks a group, or the study makes too many panels.
    """
    losses = pick(ds, variable)
    return curves(
        losses, "update_step", by=by, band=band, logy=True, corner="top_right", order=order
    )
