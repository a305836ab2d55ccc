"""Methods over many problems and seeds: profiles and intervals."""

from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis import interquartile_mean as _interquartile_mean
from apexr.analysis import performance_profile as _performance_profile
from apexr.plots._panels import shaped
from apexr.plots._sizes import PAGE_ROW, ROW
from apexr.plots._style import PALETTE, as_text, fill, holoviews, legend_title, look, style

_MOST_BANDS = 4
"""Methods of which intervals are drawn as bands."""


def performance_profile(
    ds: xr.Dataset,
    baseline: str,
    variable: str = "mean_nRMSE",
    by: str = "net",
    time: int | None = None,
) -> Any:
    """Return the share of runs below each error ratio, for each method, as a HoloViews overlay.

    A method whose curve lies above another's everywhere is better in every quantile; a curve that
    does not reach 1 has runs that are worse than all ratios shown, or diverged. Bands are
    pointwise 95 % intervals of the stratified bootstrap; of more than four methods they would cover
    each other, and are left out.

    Parameters
    ----------
    ds
        A study in which every method has run on every problem.
    baseline, variable, by, time
        As in :func:`apexr.analysis.performance_profile`.

    Raises
    ------
    SpecError, MissingVariableError
        As for :func:`apexr.analysis.performance_profile`.
    """
    told = _performance_profile(ds, variable, baseline=baseline, by=by, time=time)
    hv = holoviews()
    x = hv.Dimension("ratio", label=f"error over that of {as_text(baseline)}")
    y = hv.Dimension("share", label="share of runs below", range=(0, 1))
    names = told[by].values.tolist()
    banded = len(names) <= _MOST_BANDS
    areas, curves = [], []
    for place, name in enumerate(names):
        one = told.isel({by: place})
        at = one["ratio"].values
        if banded:
            area = hv.Area((at, one["low"].values, one["high"].values), [x], [y, "share_high"])
            areas.append(style(area, "Area", **fill(place)))
        curve = hv.Curve((at, one["share"].values), [x], [y], label=_labeled(str(name), one))
        curves.append(style(curve, "Curve", **look(place)))
    both = {"logx": True, "ylim": (-0.02, 1.02), "title": _title(ds, told)}
    legend = legend_title(f"share of runs{', 95 % interval' if banded else ''}")
    legend["bokeh"]["legend_position"] = "top_left"
    return style(hv.Overlay([*areas, *curves]), "Overlay", both=both, **legend)


def interquartile_mean(
    ds: xr.Dataset,
    baseline: str,
    variable: str = "mean_nRMSE",
    by: str = "net",
    time: int | None = None,
) -> Any:
    """Return the interquartile mean of each method relative to a baseline, a row for each.

    Bars are 95 % intervals of the stratified bootstrap; 1 is as good as the baseline's median
    run, less is better. A method of whose runs a quarter diverged has no finite mean; its row
    says how many.

    Parameters
    ----------
    ds, baseline, variable, by, time
        As in :func:`performance_profile`.

    Raises
    ------
    SpecError, MissingVariableError
        As for :func:`apexr.analysis.interquartile_mean`.
    """
    told = _interquartile_mean(ds, variable, baseline=baseline, by=by, time=time)
    told = told.sortby("ratio", ascending=False)
    hv = holoviews()
    names = told[by].values.tolist()
    rows = np.arange(len(names))
    x = hv.Dimension("ratio", label=f"interquartile mean of error over that of {as_text(baseline)}")
    y = hv.Dimension("row", label=" ")
    values = {name: told[name].values for name in ("ratio", "low", "high")}
    known = np.concatenate(list(values.values()))
    known = known[np.isfinite(known) & (known > 0)]
    ends = (known.min() / 1.2, known.max() * 1.2) if known.size else (0.5, 2.0)
    high = np.where(np.isfinite(values["high"]), values["high"], ends[1])
    spans = np.stack([values["low"], high, np.full(len(rows), np.nan)], axis=1).ravel()
    heights = np.repeat(rows.astype(float), 3)
    bars = hv.Curve((spans, heights), x, y)
    dots = hv.Scatter((np.where(np.isfinite(values["ratio"]), values["ratio"], np.nan), rows), x, y)
    line = hv.Curve(([1.0, 1.0], [-0.6, len(rows) - 0.4]), x, y)
    parts = [
        style(line, "Curve", both={"color": "#bdbdbd"}, matplotlib={"linewidth": 1.0}),
        style(bars, "Curve", both={"color": PALETTE[0]}),
        style(dots, "Scatter", both={"color": PALETTE[0]}),
    ]
    labels = [_labeled(str(name), told.isel({by: place})) for place, name in enumerate(names)]
    both = {
        "logx": True,
        "xlim": ends,
        "yticks": list(enumerate(labels)),
        "ylim": (-0.6, len(rows) - 0.4),
        "title": _title(ds, told),
    }
    size = {"height": 140 + PAGE_ROW * len(rows), "width": 620}
    drawn = style(hv.Overlay(parts), "Overlay.rows", both=both)
    return shaped(drawn, bokeh=size, aspect=4.2 / (0.5 + ROW * len(rows)))


def _labeled(name: str, one: xr.Dataset) -> str:
    runs, lost = int(one["num_runs"]), int(one["num_diverged"])
    return f"{as_text(name)} ({runs} runs{f', {lost} diverged' if lost else ''})"


def _title(ds: xr.Dataset, told: xr.Dataset) -> str:
    """Return over what all is taken together."""
    counts = [
        f"{len(set(ds[name].values.tolist()))} {words}"
        for name, words in (("scenario", "scenarios"), ("train", "trainings"))
        if name in ds.coords and len(set(np.atleast_1d(ds[name].values).tolist())) > 1
    ]
    what = str(told.attrs["variable"])
    return f"{what} over {' and '.join(counts)}" if counts else what
