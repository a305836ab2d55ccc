"""One picture of a whole result."""

from typing import Any

import xarray as xr

from apexr.analysis._selection import missing
from apexr.plots._fields import caption
from apexr.plots._loss import loss
from apexr.plots._metric import metric
from apexr.plots._panels import shaped
from apexr.plots._spacetime import spacetime
from apexr.plots._style import arranged
from apexr.schema import metric_identifiers


def overview(ds: xr.Dataset) -> Any:
    """Return the loss, the error over time and one trajectory, as a HoloViews layout.

    The error (the first metric of the result) is drawn on both scales, the horizons of the
    training on one; the trajectory stands next to its reference and its error.

    Parameters
    ----------
    ds
        The result of one experiment, in memory or lazy.

    Raises
    ------
    MissingVariableError
        Listing what there is, if a part is missing.
    """
    name = _first_metric(ds)
    last = int(ds["time"].values[-1])
    fields = list(spacetime(ds, times=[0, max(last // 2, 1), last]))
    curves = [loss(ds), metric(ds, name, horizon=False), metric(ds, name, logy=True)]
    untitled = [shaped(curve, both={"title": ""}) for curve in curves]
    return arranged([*untitled, *fields], columns=3, title=caption(ds))


def _first_metric(ds: xr.Dataset) -> str:
    """Return the name of the first metric of all channels."""
    names = metric_identifiers(ds)
    whole = [name for name in names if "channel" not in ds[name].dims]
    if not whole:
        raise missing("a metric of all channels", names)
    return whole[0]
