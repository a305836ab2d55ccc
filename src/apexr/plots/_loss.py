"""Training loss over update steps."""

from typing import Any

import xarray as xr

from apexr.analysis._select import pick
from apexr.plots._bands import curves


def loss(ds: xr.Dataset, by: str | None = None, band: str = "range") -> Any:
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

    Raises
    ------
    MissingVariableError
        Listing what there is.
    """
    return curves(
        pick(ds, "train_loss"), "update_step", by=by, band=band, logy=True, corner="top_right"
    )
