"""Training loss over update steps."""

from collections.abc import Sequence
from typing import Any

import xarray as xr

from apexr.analysis._select import pick
from apexr.plots._bands import curves


def loss(
    ds: xr.Dataset,
    by: str | None = None,
    band: str = "range",
    order: Sequence[str] | None = None,
) -> Any:
    """Return the training loss over update steps on a logarithmic axis, as a HoloViews overlay.

    Parameters
    ----------
    ds
        A result or a study, in memory or lazy.
    by
        Coordinate that tells the curves of a study apart; by default all that differ.
    band
        ``"range"`` (minimum to maximum over seeds), ``"quartiles"`` or ``"none"`` around the
        median. Values that are not finite are gaps; the legend counts the seeds that have any.
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
    losses = pick(ds, "train_loss")
    return curves(
        losses, "update_step", by=by, band=band, logy=True, corner="top_right", order=order
    )
