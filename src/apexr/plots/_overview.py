"""One picture of a whole result."""

from typing import Any

import xarray as xr

from apexr.plots._loss import loss
from apexr.plots._metric import metric
from apexr.plots._spacetime import spacetime
from apexr.plots._style import arranged, holoviews, style
from apexr.schema import metric_identifiers

_WIDTH, _HEIGHT = 4, 3


def overview(ds: xr.Dataset) -> Any:
    """Return the loss, the error over time and one trajectory, as a HoloViews layout.

    The error (the first metric of the result) is drawn on both scales; the trajectory stands
    beside its reference and its error.

    Parameters
    ----------
    ds
        The result of one experiment, in memory or lazy.

    Raises
    ------
    MissingVariableError
        Listing what there is, if a part is missing.
    """
    name = metric_identifiers(ds)[0]
    last = int(ds["time"].values[-1])
    fields = list(spacetime(ds, times=[0, max(last // 2, 1), last]))
    curves = [loss(ds), metric(ds, name), metric(ds, name, logy=True)]
    return arranged([*map(_shaped, curves), *fields], columns=3)


def _shaped(curve: Any) -> Any:
    """Return a panel of a given shape, its other looks unchanged."""
    looks = holoviews().Store.lookup_options("matplotlib", curve, "plot").kwargs
    hooks = [*looks.get("hooks", ()), _keep_shape]
    return style(
        curve, "Overlay", matplotlib={"aspect": _WIDTH / _HEIGHT, "hooks": hooks, "title": ""}
    )


def _keep_shape(plot: Any, _: Any) -> None:
    """Give a panel its shape whatever its scale; HoloViews alone flattens logarithmic ones."""
    axes = plot.handles["axis"]
    axes.set_aspect("auto")
    axes.set_box_aspect(_HEIGHT / _WIDTH)
