"""Error against cost: what one gets for what one pays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._selection import label_names, label_rows, pick
from apexr.analysis.reductions._cost import pareto_front
from apexr.plots._bands import title_of
from apexr.plots._experiments import By, Panel, arrange, places_of
from apexr.plots._fields import check_choice
from apexr.plots._ladder import rung_elements, trajectory_seconds
from apexr.plots._panels import side_by_side
from apexr.plots._reduced import Runs, reduced, runs, short_label
from apexr.plots._style import EDGE, axis_label, holoviews, legend_title, marker, style

COSTS = (
    "num_parameters",
    "num_train_samples",
    "train_seconds",
    "train_flops",
    "inference_seconds",
    "compile_seconds",
)


def pareto(
    ds: xr.Dataset,
    variable: str = "mean_nRMSE",
    cost: str | None = None,
    by: By = None,
    step: int | None = None,
    up_to: int = 100,
    order: Sequence[str] | None = None,
    solvers: xr.Dataset | None = None,
) -> Any:
    """Return error against cost with the Pareto front, as HoloViews points.

    A point is the median over the seeds of a configuration, its bar minimum to maximum. The front
    joins those that no other one beats in both. Both axes are logarithmic. A diverged seed is
    worse than all others: its bar leaves the axes, and what has no finite median cannot be
    placed; the legend has it nevertheless.

    There is one front for each problem: scenarios, tasks and parameters of a scenario other than
    those of its training make panels, unless ``by`` names them.

    Parameters
    ----------
    ds
        A study, in memory or lazy.
    variable
        Name or config string of a metric.
    cost
        ``"num_parameters"`` (the default), ``"num_train_samples"``, ``"train_seconds"``,
        ``"train_flops"``, ``"inference_seconds"`` or ``"compile_seconds"``. With ``solvers`` the
        cost is the time of a trajectory.
    by
        Label that tells the points apart by color, or a list of labels, as in :func:`metric`; by
        default all that differ within a panel.
    step
        Time step of the metric; by default its geometric mean over time is taken.
    up_to
        Last step of the mean.
    order
        Names of the groups in the order of colors and legend, those that are not drawn among
        them: what has one name then has one color in all plots. By default as they come.
    solvers
        The result of :func:`apexr.solver_ladder` for the scenario: its rungs are drawn too, each
        solver with a front of its own. Emulators stand at the time of a trajectory that their
        recorded ``inference_seconds`` give, with the scoring.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    SpecError
        If the cost is none of its choices, the order lacks a name, the study makes too many
        panels, or the ladder is of another scenario.
    """
    if solvers is None:
        cost = "num_parameters" if cost is None else cost
        check_choice("cost", cost, COSTS)
    values = reduced(ds, variable, step, up_to)
    price = (
        pick(ds, str(cost)) if solvers is None else trajectory_seconds(ds, variable, solvers, cost)
    )
    paid = _per_experiment(price)
    arranged = arrange(values, by, per_problem=True)
    names = list(dict.fromkeys(name for panel in arranged for name in panel.groups))
    looks = places_of(names, order)
    hv = holoviews()
    dims = (
        hv.Dimension("cost", label=axis_label(price)),
        hv.Dimension("error", label=short_label(values)),
    )
    rungs = [] if solvers is None else rung_elements(solvers, variable, step, up_to, dims)
    titles = [title_of(values.isel(experiment=p.places), by, p) for p in arranged]
    drawn = [
        _overlay(values, paid, panel, looks, dims, rungs, title)
        for panel, title in zip(arranged, titles, strict=True)
    ]
    return side_by_side(drawn)


@dataclass(frozen=True)
class _Point:
    """A configuration: the name of its group, its cost, and its errors."""

    name: str
    cost: float
    runs: Runs


def _around(paid: np.ndarray) -> tuple[float, float]:
    """Return limits with room around the costs, so that a logarithmic axis has ticks to read."""
    known = paid[np.isfinite(paid) & (paid > 0)]
    return (known.min() / 2, known.max() * 2) if known.size else (0.1, 1.0)


def _per_experiment(price: xr.DataArray) -> np.ndarray:
    """Return the cost of each experiment; where it differs between seeds, its median."""
    extra = [dim for dim in price.dims if dim != "experiment"]
    return np.atleast_1d(price.compute().median(extra).values.astype(float))


def _overlay(
    values: xr.DataArray,
    paid: np.ndarray,
    panel: Panel,
    looks: dict[str, int],
    dims: Any,
    rungs: Sequence[Any],
    common: str,
) -> Any:
    """Return the points of one panel and their front, and what the ladder has."""
    points = _points_of(values, paid, panel)
    numbers = np.array([one.runs.quantiles for one in points]).ravel()
    known = numbers[np.isfinite(numbers) & (numbers > 0)]
    top = float(known.max() * max(known.max() / known.min(), 2.0) ** 0.1) if known.size else 1.0
    parts = [
        *_bars(points, top, dims),
        *_front(points, dims),
        *_scatters(points, looks, dims),
        *rungs,
    ]
    costs = np.concatenate([paid, *(np.asarray(one.dimension_values(0)) for one in rungs)])
    legend = legend_title("median, min–max over seeds")
    title = f"{common}\n{values.attrs['long_name']}".strip()
    both = {"logx": True, "logy": True, "xlim": _around(costs), "title": title}
    if np.isposinf(numbers).any():
        both["ylim"] = (None, top)
    return style(
        holoviews().Overlay(parts),
        "Overlay",
        both=both,
        matplotlib=legend["matplotlib"],
        bokeh={**legend["bokeh"], "legend_position": "right", "width": 950},
    )


def _points_of(values: xr.DataArray, paid: np.ndarray, panel: Panel) -> list[_Point]:
    """Return a point for each configuration: experiments that differ in seeds alone are one."""
    rows = label_rows(values, label_names(values))
    groups: dict[Any, list[int]] = {}
    for name, places in panel.groups.items():
        for place in places:
            groups.setdefault((name, *rows[place].values()), []).append(place)
    found = runs(values, groups)
    return [
        _Point(key[0], float(np.median(paid[places])), found[key]) for key, places in groups.items()
    ]


def _scatters(points: list[_Point], looks: dict[str, int], dims: Any) -> list[Any]:
    """Return one element for each name, so that the legend counts its seeds."""
    made = []
    for name in (name for name in looks if any(one.name == name for one in points)):
        own = [one for one in points if one.name == name]
        count = Runs(np.concatenate([one.runs.values for one in own])).count
        count = f"{len(own)} experiments, {count}" if len(own) > 1 else count
        spots = [(one.cost, _placed(one.runs.quantiles[1])) for one in own]
        label = f"{name} ({count})" if name else count
        scatter = holoviews().Scatter(spots, dims[0], dims[1], label=label)
        made.append(style(scatter, "Scatter", **marker(looks[name])))
    return made


def _placed(error: float) -> float:
    return error if np.isfinite(error) else np.nan


def _bars(points: list[_Point], top: float, dims: Any) -> list[Any]:
    """Return minimum to maximum of each point; up to the end of the axis where seeds diverged."""
    rows = [
        (one.cost, middle, middle - low, min(high, top) - middle)
        for one in points
        for low, middle, high in [one.runs.quantiles]
        if np.isfinite(middle)
    ]
    bars = holoviews().ErrorBars(rows, dims[0], [dims[1], "below", "above"])
    return [style(bars, "ErrorBars", both={"color": EDGE})]


def _front(points: list[_Point], dims: Any) -> list[Any]:
    """Return the front as a staircase: what error the cost so far can buy."""
    cost = np.array([one.cost for one in points])
    error = np.array([_placed(one.runs.quantiles[1]) for one in points])
    places = pareto_front(cost, error)
    curve = holoviews().Curve((cost[places], error[places]), *dims, label="Pareto front")
    steps = {"color": EDGE, "interpolation": "steps-post"}
    thin = {"matplotlib": {"linewidth": 1.2}, "bokeh": {"line_width": 1.5}}
    return [style(curve, "Curve", both=steps, **thin)]
