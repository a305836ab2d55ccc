"""Lines that tell how far a training saw, in plots over the time steps of a rollout."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from apexr.analysis import split_train
from apexr.analysis._selection import keyword_rows, read_object
from apexr.plots._style import EDGE, axis, holoviews, style

_PARAMETER = "train_temporal_horizon"


def marked(
    drawn: Any, ds: xr.Dataset, array: xr.DataArray, over: xr.DataArray | None = None
) -> Any:
    """Return curves over time with the horizons of their trainings, as far as these are known.

    Parameters
    ----------
    drawn
        An overlay of curves over the time steps.
    ds
        The result or study.
    array
        The curves, with their coordinate ``time`` in steps.
    over
        The same with the times of the axis, where these are no steps.
    """
    over = array if over is None else over
    places = dict(zip(array["time"].values.tolist(), over["time"].values.tolist(), strict=True))
    last = int(array["time"].values[-1])
    low, high = span(drawn)
    lines = [
        _line({step: places.get(step, step) for step in steps}, label, dash, (low, high), over)
        for steps, label, dash in (
            (_unrolled(ds, last), "unrolled in training", "dotted"),
            (_trained(ds, last), "trajectories of training", "dashdot"),
        )
        if steps
    ]
    return drawn.clone([*drawn, *lines]) if lines and np.isfinite(high) else drawn


def _unrolled(ds: xr.Dataset, last: int) -> list[int]:
    """Return the different numbers of unrolled steps, none where all are single steps."""
    if "train" not in ds.coords:
        return []
    texts = np.unique(np.atleast_1d(ds["train"].values).astype(str))
    lengths = split_train(pd.DataFrame({"train": texts}))["rollout"]
    return _within(lengths, last) if max(lengths) > 1 else []


def _trained(ds: xr.Dataset, last: int) -> list[int]:
    """Return the lengths of the trajectories that were trained with."""
    known = read_object(str(ds.attrs.get("specification", "{}"))).get("parameters")
    if not isinstance(known, dict):  # of a study: what all experiments share
        known = read_object(str(ds.attrs.get("common_parameters", "{}")))
    default = known.get(_PARAMETER)
    found = [row.get(_PARAMETER, default) for row in keyword_rows(ds)]
    return _within([length for length in found if type(length) is int], last)


def _within(steps: Iterable[int], last: int) -> list[int]:
    return sorted({int(step) for step in steps if step <= last})


def span(drawn: Any) -> tuple[float, float]:
    """Return the lowest and the highest value of curves, NaN where none is finite."""
    ranges = [element.range(1) for element in drawn]
    lows, highs = [[float(r[end]) for r in ranges if np.isfinite(r[end])] for end in (0, 1)]
    return (min(lows), max(highs)) if lows else (np.nan, np.nan)


def _line(
    steps: Mapping[int, float],
    label: str,
    dash: str,
    span: tuple[float, float],
    array: xr.DataArray,
) -> Any:
    """Return one vertical line for each step, as one curve with gaps and one legend entry."""
    x = np.array([[step, step, np.nan] for step in steps.values()]).ravel()
    y = np.tile([*span, np.nan], len(steps))
    words = f"{label}: {', '.join(map(str, steps))} step{'s' if [*steps] != [1] else ''}"
    curve = holoviews().Curve((x, y), axis(array["time"]), axis(array), label=words)
    return style(
        curve,
        "Curve",
        both={"color": EDGE},
        matplotlib={"linestyle": dash, "linewidth": 1.5},
        bokeh={"line_dash": dash, "line_width": 1.5},
    )
