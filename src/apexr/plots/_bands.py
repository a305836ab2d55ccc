"""Curves with a band over seeds: the shape that losses and metrics share."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import xarray as xr

from apexr.analysis import band as quantile_band
from apexr.errors import MissingVariableError, SpecError, suggest
from apexr.plots._style import axis, fill, holoviews, legend_title, look, style
from apexr.schema import CONFIG_COORDS, presence_name

Band = Literal["range", "quartiles", "none"]
_LEVELS: dict[str, tuple[float, float, str]] = {
    "range": (0.0, 1.0, ", min–max"),
    "quartiles": (0.25, 0.75, ", quartiles"),
    "none": (0.0, 1.0, ""),
}
_TITLE = ("scenario", "net", "train")


@dataclass(frozen=True)
class Group:
    """Runs that are drawn as one curve: values of shape ``(run, step)`` and a name."""

    name: str
    runs: xr.DataArray
    num_diverged: int


def curves(
    array: xr.DataArray,
    dim: str,
    *,
    by: str | None,
    band: str,
    logy: bool,
    corner: str,
    order: Sequence[str] | None,
) -> Any:
    """Return the median over seeds along ``dim``, with a band, for each group of experiments.

    ``corner`` is where bokeh puts the legend; matplotlib looks for the best place itself.
    """
    if band not in _LEVELS:
        raise SpecError(f"band must be one of {get_args(Band)}, got {band!r}")
    hv = holoviews()
    array = array.compute()
    shown = groups(array, dim, by)
    places = places_of([group.name for group in shown], order)
    shown.sort(key=lambda group: places[group.name])
    low, high, words = _LEVELS[band]
    dims = (axis(array[dim]), axis(array))
    summaries = [quantile_band(group.runs, "run", low, high) for group in shown]
    areas = [
        _area(summary, dim, dims, places[group.name])
        for group, summary in zip(shown, summaries, strict=True)
        if words and group.runs.sizes["run"] > 1
    ]
    lines = [
        _line(group, summary, dim, dims, places[group.name])
        for group, summary in zip(shown, summaries, strict=True)
    ]
    several = any(group.runs.sizes["run"] > 1 for group in shown)
    legend = legend_title(f"median{words} over seeds" if several else "")
    legend["bokeh"]["legend_position"] = corner
    known = array.where(np.isfinite(array.values))
    logy = logy and bool((known > 0).any())  # where all has diverged there is no logarithm
    options = {"logy": logy, "title": _title(array, by)}
    if not logy and float(array.min()) >= 0:
        options["ylim"] = (0, None)
    return style(hv.Overlay([*areas, *lines]), "Overlay", both=options, **legend)


def _title(array: xr.DataArray, by: str | None) -> str:
    """Return what all the curves have in common."""
    config = [
        np.unique(array[n].values.astype(str)) for n in _TITLE if n in array.coords and n != by
    ]
    return "  ".join(str(values[0]) for values in config if len(values) == 1)


def groups(array: xr.DataArray, dim: str, by: str | None) -> list[Group]:
    """Return the runs of each group; by default, one group for each experiment."""
    if "experiment" not in array.dims:
        names = [str(array[by].item())] if by and _check_by(array, by) else [""]
        array = array.expand_dims("experiment")
    else:
        names = names_of_experiments(array, by)
    return [
        _group(name, array.isel(experiment=np.flatnonzero(np.array(names) == name)), dim)
        for name in dict.fromkeys(names)
    ]


def places_of(names: Sequence[str], order: Sequence[str] | None) -> dict[str, int]:
    """Return the place of each name, from which its colour follows.

    Raises
    ------
    SpecError
        If the order lacks any.
    """
    ordered = list(dict.fromkeys(names if order is None else map(str, np.asarray(order).flat)))
    lacking = [name for name in names if name not in ordered]
    if lacking:
        raise SpecError(
            f"order lacks {', '.join(map(repr, lacking))}; it has {', '.join(map(repr, ordered))}"
            + suggest(lacking[0], ordered)
        )
    return {name: place for place, name in enumerate(ordered) if name in names}


def names_of_experiments(array: xr.DataArray | xr.Dataset, by: str | None = None) -> list[str]:
    """Return what each experiment is called: its ``by``, or the coordinates that differ."""
    if by is not None:
        _check_by(array, by)
        return [str(value) for value in array[by].values]
    known = [array[name].values for name in CONFIG_COORDS[:-1] if name in array.coords]
    differing = [values for values in known if len(set(values)) > 1]
    number = array.sizes["experiment"]
    keywords = CONFIG_COORDS[-1]
    if keywords in array.coords and len(set(zip(*differing, strict=True))) < number:
        differing.append(
            np.array(_differing_keywords(array[keywords].values.tolist()), dtype=object)
        )
    rows = zip(*differing, strict=True) if differing else [("",)] * number
    return [", ".join(str(word) for word in row if word) for row in rows]


def _differing_keywords(texts: Sequence[str]) -> list[str]:
    """Return those scenario keywords of each experiment in which they differ."""
    given = [json.loads(text) for text in texts]
    names = sorted({name for keywords in given for name in keywords})
    telling = [name for name in names if len({json.dumps(k.get(name)) for k in given}) > 1]
    return [", ".join(f"{name}={k[name]}" for name in telling if name in k) for k in given]


def _check_by(array: xr.DataArray | xr.Dataset, by: str) -> bool:
    usable = [
        str(name) for name, coord in array.coords.items() if coord.dims in ((), ("experiment",))
    ]
    if by not in usable:
        raise MissingVariableError(
            f"no coordinate {by!r} to tell experiments apart; there is {', '.join(usable)}"
            + suggest(by, usable)
        )
    return True


def _group(name: str, array: xr.DataArray, dim: str) -> Group:
    """Return the runs of some experiments, without seeds and steps that only fill a study up.

    A run is counted as diverged if a value that it should have is NaN or infinite.
    """
    array = array if "seed" in array.dims else array.expand_dims("seed")
    stacked = array.transpose("experiment", "seed", dim)
    exists = np.ones(stacked.shape, dtype=bool)
    for along, axes in (("seed", (0, 1)), (dim, (0, 2))):
        mask = array.coords.get(presence_name(along))
        if mask is not None:
            flags = mask.values if mask.ndim == 2 else mask.values[None]
            exists &= np.expand_dims(flags, 3 - sum(axes))
    rows = exists.any(axis=2).ravel()
    steps = exists.any(axis=(0, 1))
    values = stacked.values.reshape(-1, stacked.sizes[dim])[rows][:, steps]
    runs = xr.DataArray(values, {dim: array[dim].values[steps]}, ("run", dim), array.name)
    return Group(name, runs, int((exists & ~np.isfinite(stacked.values)).any(axis=2).sum()))


def _area(summary: xr.Dataset, dim: str, dims: tuple[Any, Any], index: int) -> Any:
    """Return the band of one group."""
    x, y = dims
    columns = (summary[dim].values, summary["low"].values, summary["high"].values)
    area = holoviews().Area(columns, [x], [y, f"{y.name}_high"])
    return style(area, "Area", **fill(index))


def _line(group: Group, summary: xr.Dataset, dim: str, dims: tuple[Any, Any], index: int) -> Any:
    """Return the median of one group."""
    x, y = dims
    columns = (summary[dim].values, summary["median"].values)
    curve = holoviews().Curve(columns, [x], [y], label=_label(group))
    return style(curve, "Curve", **look(index))


def _label(group: Group) -> str:
    """Return the legend text: the group, how many seeds, and how many of them diverged."""
    count, lost = group.runs.sizes["run"], group.num_diverged
    seeds = f"{count} seed{'s' if count != 1 else ''}" + (f", {lost} diverged" if lost else "")
    return f"{group.name} ({seeds})" if group.name else seeds
