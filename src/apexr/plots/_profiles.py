"""States of one dimension as curves over space."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr.plots._fields import frame, lost
from apexr.plots._style import axis, axis_label, holoviews, legend_title, look, style

BEYOND = 2.0
"""How far a curve is followed beyond the limit of the reference."""


def profile(state: xr.DataArray, label: str, limit: float, looks: dict[str, Any]) -> Any:
    """Return a state ``(x)`` in memory as a curve within ``-limit … limit``; NaN is a gap."""
    hv = holoviews()
    value = hv.Dimension("u", label=axis_label(state), range=(-limit, limit))
    columns = (state["x"].values, state.values)
    return style(hv.Curve(columns, [axis(state["x"])], [value], label=label), "Curve", **looks)


def profiles(field: xr.DataArray, steps: Sequence[int], limit: float, said: str = "") -> Any:
    """Return a field ``(time, x)`` at chosen times as curves in one picture."""
    curves = []
    for place, step in enumerate(steps):
        state = frame(field, step)
        curves.append(profile(state, f"{step}{lost(state)}", limit, look(place)))
    return overlaid(curves, f"{said}\n{field.attrs['title']}".strip(), limit, "time step")


def overlaid(curves: Sequence[Any], title: str, limit: float, legend: str = "") -> Any:
    """Return curves over space in one picture with limits that fit all of them."""
    tops = [np.nanmax(np.abs(curve.dimension_values("u")), initial=0) for curve in curves]
    reach = 1.05 * max(limit, min(max(tops), BEYOND * limit) if legend else 0.0)
    both = {"title": title, "ylim": (-reach, reach)}
    legends = legend_title(legend)
    return style(holoviews().Overlay(list(curves)), "Overlay", both=both, **legends)
