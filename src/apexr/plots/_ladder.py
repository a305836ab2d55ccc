"""Solvers in the same picture as emulators: the rungs of a ladder as points and fronts."""

from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis import geometric_mean
from apexr.analysis._selection import missing, pick, with_worst
from apexr.analysis.reductions._cost import check_ladder, inference_seconds, pareto_front
from apexr.errors import SpecError
from apexr.plots._style import EDGE, MARKERS, as_text, holoviews, style
from apexr.schema import metric_identifiers


def trajectory_seconds(
    ds: xr.Dataset, variable: str, ladder: xr.Dataset, cost: str | None
) -> xr.DataArray:
    """Return the time of a trajectory of each experiment, as long as those of a ladder.

    Raises
    ------
    SpecError
        If another cost is asked for, or the ladder is of another scenario.
    """
    if cost not in (None, "inference_seconds"):
        raise SpecError(f"cost must be 'inference_seconds' where solvers are drawn, got {cost!r}")
    check_ladder(ds, ladder)
    seconds = inference_seconds(ds, pick(ds, variable), ladder)
    return seconds.assign_attrs(long_name="time of a trajectory", units="s")


def rung_elements(
    ladder: xr.Dataset, variable: str, step: int | None, up_to: int, dims: Any
) -> list[Any]:
    """Return the points of each solver and the staircase that none of its points beats.

    Raises
    ------
    MissingVariableError
        If the ladder lacks the metric or the step, listing what there is.
    """
    errors = pick(ladder, variable)
    if "time" not in errors.dims:
        raise missing(variable, metric_identifiers(ladder))
    steps = errors["time"].values
    if step is not None and step not in steps:
        raise missing(f"time step {step}", [f"{steps[0]} … {steps[-1]}"])
    at = with_worst(errors).sel(time=step) if step is not None else None
    values = geometric_mean(ladder, variable, up_to) if at is None else at
    seconds, error = 1 / ladder["throughput"].values, np.asarray(values.values, float)
    names = ladder["solver"].values
    made = []
    for place, name in enumerate(dict.fromkeys(names.tolist())):
        own = (names == name) & np.isfinite(error)
        made += _of_solver(str(name), place, seconds[own], error[own], dims)
    return made


def _of_solver(
    name: str, place: int, seconds: np.ndarray, error: np.ndarray, dims: Any
) -> list[Any]:
    hv = holoviews()
    shape = [*MARKERS][1 + place % (len(MARKERS) - 1)]
    points = hv.Scatter((seconds, error), *dims, label=f"solver {as_text(name)}")
    front = pareto_front(seconds, error)
    line = hv.Curve((seconds[front], error[front]), *dims)
    look = {"matplotlib": {"marker": shape}, "bokeh": {"marker": MARKERS[shape]}}
    thin = {
        "matplotlib": {"linewidth": 0.8, "linestyle": "dashed"},
        "bokeh": {"line_width": 1, "line_dash": "dashed"},
    }
    return [
        style(points, "Scatter", both={"color": EDGE}, **look),
        style(line, "Curve", both={"color": EDGE}, **thin),
    ]
