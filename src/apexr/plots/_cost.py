"""Error against cost: what one gets for what one pays."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._select import pick
from apexr.plots._bands import names_of_experiments, places_of
from apexr.plots._fields import check_choice
from apexr.plots._reduced import Runs, reduced, runs, short_label
from apexr.plots._style import EDGE, axis_label, holoviews, legend_title, marker, style

COSTS = ("num_parameters", "train_seconds", "inference_seconds", "compile_seconds")


def pareto(
    ds: xr.Dataset,
    variable: str = "mean_nRMSE",
    cost: str = "num_parameters",
    by: str | None = None,
    step: int | None = None,
    up_to: int = 100,
    order: Sequence[str] | None = None,
) -> Any:
    """Return error against cost with the Pareto front, as a HoloViews overlay.

    A point is the median over the seeds of an experiment, its bar minimum to maximum. The front
    joins the experiments that no other one beats in both. Both axes are logarithmic. An
    experiment without a single finite seed cannot be placed; the legend has it nevertheless.

    Parameters
    ----------
    ds
        A study, in memory or lazy.
    variable
        Name or config string of a metric.
    cost
        ``"num_parameters"``, ``"train_seconds"``, ``"inference_seconds"`` or
        ``"compile_seconds"``.
    by
        Coordinate that tells the points apart; by default all that differ.
    step
        Time step of the metric; by default its geometric mean over time is taken.
    up_to
        Last step of the mean.
    order
        Names of the groups in the order of colours and legend, those that are not drawn among
        them: what has one name then has one colour in all plots. By default as they come.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    SpecError
        If the cost is none of its choices, or the order lacks a name.
    """
    check_choice("cost", cost, COSTS)
    values = reduced(ds, variable, step, up_to)
    price = pick(ds, cost)
    paid = _per_experiment(price)
    names = names_of_experiments(values, by)
    looks = places_of(names, order)
    found = [runs(values, [place]) for place in range(values.sizes["experiment"])]
    hv = holoviews()
    dims = (
        hv.Dimension("cost", label=axis_label(price)),
        hv.Dimension("error", label=short_label(values)),
    )
    parts = [
        *_bars(paid, found, dims),
        *_front(paid, found, dims),
        *_points(paid, found, names, looks, dims),
    ]
    legend = legend_title("median, min–max over seeds")
    both = {
        "logx": True,
        "logy": True,
        "xlim": _around(paid),
        "title": str(values.attrs["long_name"]),
    }
    return style(
        hv.Overlay(parts),
        "Overlay",
        both=both,
        matplotlib=legend["matplotlib"],
        bokeh={**legend["bokeh"], "legend_position": "right", "width": 950},
    )


def pareto_front(cost: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return the places of what nothing else beats in cost and error, in order of cost.

    Entries that are not finite are beaten by everything.
    """
    best, front = np.inf, []
    for place in np.lexsort((error, cost)):
        if np.isfinite(cost[place]) and error[place] < best:
            best = error[place]
            front.append(int(place))
    return np.array(front, dtype=int)


def _around(paid: np.ndarray) -> tuple[float, float]:
    """Return limits with room around the costs, so that a logarithmic axis has ticks to read."""
    known = paid[np.isfinite(paid) & (paid > 0)]
    return (known.min() / 2, known.max() * 2) if known.size else (0.1, 1.0)


def _per_experiment(price: xr.DataArray) -> np.ndarray:
    """Return the cost of each experiment; where it differs between seeds, its median."""
    extra = [dim for dim in price.dims if dim != "experiment"]
    return np.atleast_1d(price.compute().median(extra).values.astype(float))


def _points(
    paid: np.ndarray, found: list[Runs], names: list[str], looks: dict[str, int], dims: Any
) -> list[Any]:
    """Return one element for each name, so that the legend counts its seeds."""
    hv = holoviews()
    made = []
    for name, look in looks.items():
        places = [place for place, other in enumerate(names) if other == name]
        own = Runs(np.concatenate([found[place].values for place in places]))
        spots = [(paid[place], found[place].quantiles[1]) for place in places]
        label = f"{name} ({own.count})" if name else own.count
        scatter = hv.Scatter(spots, dims[0], dims[1], label=label)
        made.append(style(scatter, "Scatter", **marker(look)))
    return made


def _bars(paid: np.ndarray, found: list[Runs], dims: Any) -> list[Any]:
    rows = [
        (price, middle, middle - low, high - middle)
        for price, (low, middle, high) in zip(paid, (one.quantiles for one in found), strict=True)
        if np.isfinite(middle)
    ]
    bars = holoviews().ErrorBars(rows, dims[0], [dims[1], "below", "above"])
    return [style(bars, "ErrorBars", both={"color": EDGE})]


def _front(paid: np.ndarray, found: list[Runs], dims: Any) -> list[Any]:
    """Return the front as a staircase: what error the cost so far can buy."""
    error = np.array([one.quantiles[1] for one in found])
    places = pareto_front(paid, error)
    curve = holoviews().Curve((paid[places], error[places]), *dims, label="Pareto front")
    steps = {"color": EDGE, "interpolation": "steps-post"}
    thin = {"matplotlib": {"linewidth": 1.2}, "bokeh": {"line_width": 1.5}}
    return [style(curve, "Curve", both=steps, **thin)]
