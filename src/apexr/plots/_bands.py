"""Curves with a band over seeds: the shape that losses and metrics share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import xarray as xr

from apexr.analysis import band as quantile_band
from apexr.analysis._selection import Better, entries, gather, orientation
from apexr.errors import SpecError
from apexr.plots._experiments import By, Panel, arrange, as_names, places_of
from apexr.plots._panels import side_by_side
from apexr.plots._style import axis, fill, holoviews, legend_title, look, style

Band = Literal["range", "quartiles", "none"]
Finish = Callable[[Any, list[int]], Any]
_LEVELS: dict[str, tuple[float, float, str]] = {
    "range": (0.0, 1.0, ", min–max"),
    "quartiles": (0.25, 0.75, ", quartiles"),
    "none": (0.0, 1.0, ""),
}
_TITLE = ("scenario", "net", "train")
NOTHING = "no curve: no median is finite, from the first step on"


@dataclass(frozen=True)
class Summary:
    """Median and band of one group over the steps that it has.

    Attributes
    ----------
    name
        The group's name in the legend.
    steps
        The steps.
    low, median, high
        One number for each step, infinite where so many seeds diverged.
    left
        How many seeds are finite at each step.
    num_seeds, num_diverged
        How many seeds there are, and how many are not finite at some step.
    """

    name: str
    steps: np.ndarray
    low: np.ndarray
    median: np.ndarray
    high: np.ndarray
    left: np.ndarray
    num_seeds: int
    num_diverged: int

    @property
    def end(self) -> int:
        """How many steps the curve has: it ends where the median is not finite."""
        return end_of(self.median)

    @property
    def label(self) -> str:
        """The legend text: the group, its seeds, how many diverged, and where the curve ends."""
        seeds = f"{self.num_seeds} seed{'s' if self.num_seeds != 1 else ''}"
        if self.num_diverged:
            seeds += f", {self.num_diverged} diverged"
        if 0 < self.end < len(self.steps):
            last = self.steps[self.end - 1]
            when = f"step {last}" if np.issubdtype(self.steps.dtype, np.integer) else f"{last:.3g}"
            seeds += f", {self.left[self.end]} left after {when}"
        return f"{self.name} ({seeds})" if self.name else seeds


def curves(
    array: xr.DataArray,
    dim: str,
    *,
    by: By,
    band: str,
    logy: bool,
    corner: str,
    order: Sequence[str] | None,
    finish: Finish = lambda drawn, _: drawn,
) -> Any:
    """Return the median over seeds along ``dim``, with a band, for each group of experiments.

    Labels that differ between experiments of one group, besides their seeds, make panels.

    Parameters
    ----------
    array
        Values along ``dim``, perhaps along ``seed`` and ``experiment``.
    dim
        The steps.
    by, band, logy, order
        As in :func:`apexr.plots.metric`.
    corner
        Where bokeh puts the legend; matplotlib looks for the best place itself.
    finish
        Takes an overlay and the places of its experiments, and returns what is drawn.
    """
    if band not in _LEVELS:
        raise SpecError(f"band must be one of {get_args(Band)}, got {band!r}")
    array = array.compute()
    array = array if "experiment" in array.dims else array.expand_dims("experiment")
    arranged = arrange(array, by)
    names = list(dict.fromkeys(name for panel in arranged for name in panel.groups))
    places = places_of(names, order)
    options: dict[str, Any] = {"band": band, "logy": logy, "corner": corner, "by": by}
    drawn = [
        finish(_overlay(array, dim, panel, places, **options), panel.places) for panel in arranged
    ]
    return side_by_side(drawn)


def end_of(statistic: np.ndarray) -> int:
    """Return how many entries come before the first that is not finite."""
    lost = ~np.isfinite(statistic)
    return int(np.argmax(lost)) if lost.any() else len(statistic)


def cut(statistic: np.ndarray) -> np.ndarray:
    """Return a statistic with NaN from the first entry on that is not finite."""
    return np.where(np.arange(len(statistic)) < end_of(statistic), statistic, np.nan)


def _overlay(
    array: xr.DataArray,
    dim: str,
    panel: Panel,
    places: dict[str, int],
    *,
    band: str,
    logy: bool,
    corner: str,
    by: By,
) -> Any:
    """Return the curves of one panel."""
    low, high, words = _LEVELS[band]
    shown = sorted(_summaries(array, dim, panel, (low, high)), key=lambda one: places[one.name])
    dims = (axis(array[dim]), axis(array))
    several = any(one.num_seeds > 1 for one in shown)
    numbers = np.concatenate([one.__dict__[n] for one in shown for n in ("low", "median", "high")])
    known = numbers[np.isfinite(numbers)]
    logy = logy and bool((known > 0).any())  # where all has diverged there is no logarithm
    limits = _limits(shown, logy) if words and several and known.size else (None, None)
    areas = [
        _area(one, limits, dims, places[one.name]) for one in shown if words and one.num_seeds > 1
    ]
    lines = [part for one in shown for part in _line(one, dims, places[one.name])]
    legend = legend_title(f"median{words} over seeds" if several else "")
    legend["bokeh"]["legend_position"] = corner
    part = array.isel(experiment=panel.places)
    title = title_of(part, by, panel)
    options: dict[str, Any] = {"logy": logy, "title": title}
    if not any(one.end for one in shown):
        options |= {"title": "\n".join(filter(None, [title, NOTHING])), "yticks": [(0.0, "")]}
    bottom, top = limits
    if bottom is None and not logy and known.size and known.min() >= 0:
        bottom = 0
    if (bottom, top) != (None, None):
        options["ylim"] = (bottom, top)
    return style(holoviews().Overlay([*areas, *lines]), "Overlay", both=options, **legend)


def _summaries(
    array: xr.DataArray, dim: str, panel: Panel, levels: tuple[float, float]
) -> list[Summary]:
    entered = gather(entries(array), panel.groups, "labels")
    way = orientation(array, None)
    return [
        _summary(name, entered.isel(experiment=place), dim, levels, way)
        for place, name in enumerate(panel.groups)
    ]


def _summary(
    name: str, entered: xr.Dataset, dim: str, levels: tuple[float, float], way: Better
) -> Summary:
    """Return the summary of one group, without seeds and steps that only fill a study up."""
    there = entered["there"].astype(bool)
    chosen = {"seed": there.any(dim).values, dim: there.any("seed").values}
    entered = entered.isel(chosen)
    lost = entered["lost"].astype(bool)
    found = quantile_band(entered["value"], "seed", *levels, better=way)
    return Summary(
        name=name,
        steps=entered[dim].values,
        low=found["low"].values,
        median=found["median"].values,
        high=found["high"].values,
        left=found["count"].values,
        num_seeds=entered.sizes["seed"],
        num_diverged=int(lost.any(dim).sum()),
    )


def title_of(array: xr.DataArray, by: By, panel: Panel) -> str:
    """Return what all groups of a panel have in common."""
    named = [name for name in _TITLE if name in array.coords and name not in as_names(by)]
    config = [np.unique(np.atleast_1d(array[name].values).astype(str)) for name in named]
    common = [str(values[0]) for values in config if len(values) == 1]
    return "  ".join(dict.fromkeys([*common, *panel.labels]))


def _limits(shown: Sequence[Summary], logy: bool) -> tuple[float | None, float | None]:
    """Return the ends of the axis where a band leaves it, because seeds diverged."""
    ends: list[float | None] = []
    for name, sign in (("low", -1), ("high", 1)):
        leaves = any((sign * one.__dict__[name] == np.inf).any() for one in shown)
        ends.append(_end(shown, sign, logy) if leaves else None)
    return ends[0], ends[1]


def _end(shown: Sequence[Summary], sign: int, logy: bool) -> float:
    numbers = np.concatenate([one.__dict__[n] for one in shown for n in ("low", "median", "high")])
    known = numbers[np.isfinite(numbers) & ((numbers > 0) | (not logy))]
    low, high = float(known.min()), float(known.max())
    if logy:
        return high * max(high / low, 2.0) ** 0.1
    return (high if sign > 0 else low) + sign * 0.1 * max(high - low, 1e-3 * abs(high))


def _area(
    one: Summary, limits: tuple[float | None, float | None], dims: tuple[Any, Any], index: int
) -> Any:
    """Return the band of one group; up to the end of the axis where seeds diverged."""
    x, y = dims
    empty = np.isinf(one.low) & (one.low == one.high)
    low = np.where(np.isneginf(one.low), np.nan if limits[0] is None else limits[0], one.low)
    high = np.where(np.isposinf(one.high), np.nan if limits[1] is None else limits[1], one.high)
    columns = (one.steps, *(np.where(empty, np.nan, side) for side in (low, high)))
    area = holoviews().Area(columns, [x], [y, f"{y.name}_high"])
    return style(area, "Area", **fill(index))


def _line(one: Summary, dims: tuple[Any, Any], index: int) -> list[Any]:
    """Return the median of one group, and a cross where it ends before its last step."""
    x, y = dims
    hv = holoviews()
    curve = style(
        hv.Curve((one.steps, cut(one.median)), [x], [y], label=one.label), "Curve", **look(index)
    )
    alone = len(one.steps) == 1 and one.end == 1  # a curve of one point draws nothing
    if alone:
        point = hv.Scatter((one.steps, one.median), [x], [y])
        return [curve, style(point, "Scatter", both=look(index)["both"])]
    if not 0 < one.end < len(one.steps):
        return [curve]
    last = one.end - 1
    cross = hv.Scatter(([one.steps[last]], [one.median[last]]), [x], [y])
    color = look(index)["both"]
    looks: dict[str, dict[str, Any]] = {"matplotlib": {"marker": "X"}, "bokeh": {"marker": "x"}}
    return [curve, style(cross, "Scatter", both=color, **looks)]
