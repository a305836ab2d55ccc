"""How errors fall with a size: runs, and the laws fitted to them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis import scaling_fit
from apexr.analysis.statistics._intervals import quantiles, sort_rows
from apexr.analysis.statistics._scaling import Curve, read_curves, value_of
from apexr.errors import SpecError
from apexr.plots._style import (
    EDGE,
    as_text,
    axis_label,
    holoviews,
    legend_title,
    look,
    marker,
    style,
)
from apexr.schema import VARIABLES

_POINTS = 100


def scaling(
    ds: xr.Dataset,
    x: str = "num_train_samples",
    variable: str = "mean_nRMSE",
    form: str = "power",
    by: str | Sequence[str] | None = None,
    time: int | None = None,
) -> Any:
    """Return errors over a size with the fitted law of each curve, as a HoloViews overlay.

    A point is the median over the seeds of a size, its bar minimum to maximum; a diverged seed is
    worse than all others. The legend has the exponent with its 95 % interval, or says that the
    seeds do not tell it. Both axes are logarithmic.

    Parameters
    ----------
    ds
        A study whose experiments differ in the size.
    x, variable, by, time
        As in :func:`apexr.analysis.scaling_fit`.
    form
        ``"power"`` or ``"power_floor"``.

    Raises
    ------
    SpecError, MissingVariableError
        As for :func:`apexr.analysis.scaling_fit`.
    """
    if form not in ("power", "power_floor"):
        raise SpecError(
            f"form must be 'power' or 'power_floor' for a plot over one size, got {form!r}"
        )
    fit = scaling_fit(ds, x=x, variable=variable, form=form, by=by, time=time)
    curves = read_curves(ds, x, variable, form, by, time)  # type: ignore[arg-type]  # checked
    hv = holoviews()
    size = ds[x] if x in ds.variables else None
    label = VARIABLES[x].long_name if x in VARIABLES else x
    dims = (
        hv.Dimension(x, label=label if size is None else axis_label(size)),
        hv.Dimension("error", label=_error_label(ds, variable)),
    )
    parts: list[Any] = []
    apart = _apart(fit)
    for place, curve in enumerate(curves):
        own = fit.isel(curve=place)
        name = ", ".join(as_text(str(own[key].item())) for key in apart)
        parts += _drawn(curve, own, f"{name}: {_told(own)}" if name else _told(own), place, dims)
    both = {"logx": True, "logy": True, "title": _common(fit, apart)}
    legend = legend_title("median, min–max over seeds")
    legend["bokeh"]["legend_position"] = "bottom_left"
    return style(hv.Overlay(parts), "Overlay", both=both, **legend)


def _error_label(ds: xr.Dataset, variable: str) -> str:
    from apexr.analysis._selection import pick

    return axis_label(pick(ds, variable))


def _labels(fit: xr.Dataset) -> list[str]:
    return [str(name) for name, one in fit.coords.items() if one.dtype.kind in "OTU"]


def _apart(fit: xr.Dataset) -> list[str]:
    """Return the labels in which curves differ."""
    return [name for name in _labels(fit) if len(set(fit[name].values.tolist())) > 1]


def _common(fit: xr.Dataset, apart: Sequence[str]) -> str:
    named = [name for name in ("scenario", "net", "train") if name in _labels(fit)]
    return "  ".join(str(fit[name].values[0]) for name in named if name not in apart)


def _told(own: xr.Dataset) -> str:
    """Return what the legend says of a law."""
    lost = int(own["num_diverged"])
    diverged = f", {lost} of {int(own['num_runs'])} diverged" if lost else ""
    if np.isnan(own["alpha"]):
        return f"no law{diverged}"
    low, high = float(own["alpha_low"]), float(own["alpha_high"])
    interval = f"[{low:.2g}, {high:.2g}]" if np.isfinite(low + high) else "no interval"
    unknown = "" if bool(own["identified"]) else ", unidentified"
    return f"exponent {float(own['alpha']):.2g} {interval}{unknown}{diverged}"


def _drawn(curve: Curve, own: xr.Dataset, label: str, place: int, dims: Any) -> list[Any]:
    """Return points, bars and law of one curve."""
    hv = holoviews()
    rows = []
    for group in curve.groups:
        ends = quantiles(*sort_rows(np.exp(curve.logs[group])), np.array([0.0, 0.5, 1.0]))
        low, middle, high = (float(end) for end in ends)
        rows.append((float(curve.sizes[0, group[0]]), low, middle, high))
    table = np.array(rows)
    known = table[np.isfinite(table[:, 2])]
    top = np.where(np.isfinite(known[:, 3]), known[:, 3], 3 * known[:, 2])
    bars = hv.ErrorBars(
        (known[:, 0], known[:, 2], known[:, 2] - known[:, 1], top - known[:, 2]),
        dims[0],
        [dims[1], "below", "above"],
    )
    points = hv.Scatter((known[:, 0], known[:, 2]), *dims)
    drawn = [
        style(bars, "ErrorBars", both={"color": EDGE}),
        style(points, "Scatter", **marker(place)),
    ]
    if np.isnan(own["alpha"]):
        return [*drawn, style(hv.Curve([], *dims, label=label), "Curve", **look(place))]
    at = np.geomspace(table[:, 0].min(), table[:, 0].max(), _POINTS)
    law = value_of(
        {name: float(own[name]) for name in ("A", "alpha", "E") if name in own}, at[None]
    )
    return [*drawn, style(hv.Curve((at, law), *dims, label=label), "Curve", **look(place))]
