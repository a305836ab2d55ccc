"""Statistics of long rollouts and of the solver."""

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis import band as quantile_band
from apexr.errors import MissingVariableError, SpecError
from apexr.plots._fields import caption, of_channel
from apexr.plots._panels import shaped
from apexr.plots._style import (
    EDGE,
    PALETTE,
    arranged,
    axis,
    axis_label,
    fill,
    holoviews,
    legend_title,
    style,
)

_PANELS = (
    ("histogram", "bin_center", "histogram_w1", "W1 of u"),
    ("slope_histogram", "slope_bin_center", "slope_histogram_w1", "W1 of the slopes"),
    ("spectrum", "wavenumber", "variance_error", "error of the variance"),
    ("autocorrelation", "lag", "autocorrelation_time_error", "error of the time"),
)
"""The quantity drawn, its axis, and the distance that stands above it."""


def climate(ds: xr.Dataset, channel: Hashable = 0) -> Any:
    """Return histograms, spectrum and autocorrelation of long rollouts, as a HoloViews layout.

    Curves are medians over seeds with a band from minimum to maximum; that of the solver is
    dashed. Above each panel stands a distance, median over seeds, and in brackets its noise
    floor: the distance of the solver to itself.

    Parameters
    ----------
    ds
        The result of :func:`apexr.climate` for one experiment; of a study, choose one first:
        ``ds.sel(experiment=…)``.
    channel
        Name or number of the channel.

    Raises
    ------
    MissingVariableError
        If the Dataset is no such result.
    SpecError
        If it holds several experiments, or there is no such channel.
    """
    lacking = [name for name, *_ in _PANELS if name not in ds or f"reference_{name}" not in ds]
    if lacking:
        raise MissingVariableError(
            f"the Dataset has no {', '.join(lacking)}; draw what apexr.climate returns"
        )
    if "experiment" in ds.dims:
        if ds.sizes["experiment"] > 1:
            raise SpecError(
                f"the Dataset holds {ds.sizes['experiment']} experiments; choose one with"
                " ds.isel(experiment=0) or ds.sel(experiment=ID)"
            )
        ds = ds.isel(experiment=0)
    ds = ds.compute()
    drawn = [_panel(ds, channel, *told) for told in _PANELS]
    return arranged(drawn, 2, vspace=0.55, title=caption(ds))


def _panel(ds: xr.Dataset, channel: Hashable, name: str, over: str, far: str, words: str) -> Any:
    hv = holoviews()
    own = of_channel(ds[name], channel)
    true = of_channel(ds[f"reference_{name}"], channel)
    place = ds[over] if over in ds.coords else of_channel(ds[over], channel)
    spectral = name == "spectrum"
    logy = name != "autocorrelation"
    keep = slice(1, None) if spectral else slice(None)
    x, y = axis(place), hv.Dimension(name, label=axis_label(own))
    found = quantile_band(own, "seed")
    at = place.values[keep]
    low, middle, high = (
        _shown(found[part].values[keep], logy) for part in ("low", "median", "high")
    )
    seeds = own.sizes["seed"]
    area = hv.Area((at, low, high), [x], [y, f"{name}_high"])
    curve = hv.Curve((at, middle), [x], [y], label=f"emulator ({seeds} seeds)")
    curve = curve if seeds > 1 else curve.relabel("emulator")
    behind = hv.Curve((at, _shown(true.values[keep], logy)), [x], [y], label="solver")
    parts = [
        *([style(area, "Area", **fill(0))] if seeds > 1 else []),
        style(curve, "Curve", both={"color": PALETTE[0]}),
        style(
            behind,
            "Curve",
            both={"color": EDGE},
            matplotlib={"linestyle": "dashed"},
            bokeh={"line_dash": "dashed"},
        ),
    ]
    both: dict[str, Any] = {"logy": logy, "title": _title(ds, channel, far, words)}
    if logy:
        both["ylim"] = _limits(true.values[keep], middle)
    if spectral:
        both["logx"] = True
    drawn = style(hv.Overlay(parts), "Overlay", both=both, **legend_title(""))
    return shaped(drawn)


def _title(ds: xr.Dataset, channel: Hashable, far: str, words: str) -> str:
    distance = float(of_channel(ds[far], channel).median("seed", skipna=False))
    floor = float(of_channel(ds[f"{far}_noise"], channel))
    return f"{words} {distance:.2g} ({floor:.2g})"


def _shown(values: np.ndarray, log: bool) -> np.ndarray:
    """Return what the axis can show, NaN for the rest."""
    sound = np.isfinite(values) & ((values > 0) | (not log))
    return np.where(sound, values, np.nan)


def _limits(true: np.ndarray, own: np.ndarray) -> tuple[float, float]:
    """Return the ends of a logarithmic axis: where the solver has something to show."""
    known = true[np.isfinite(true) & (true > 0)]
    if not known.size:
        return (1e-6, 1.0)
    top = max(float(known.max()), float(np.nanmax(np.append(own, known.max()))))
    return max(float(known.min()) / 2, 1e-9 * top), 2 * top
