"""One trajectory next to others: of samples, channels, seeds or experiments."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import xarray as xr

from apexr.analysis._selection import missing
from apexr.errors import SpecError
from apexr.plots._experiments import MOST_PANELS, names_of_experiments
from apexr.plots._fields import (
    Data,
    Limit,
    caption,
    check_choice,
    chosen,
    fields,
    frame,
    limit_for,
    lost,
)
from apexr.plots._images import grid, image
from apexr.plots._spacetime import over_time, titled
from apexr.plots._views import planes

_IN_A_ROW, _MANY = 4, 9
_UNLIKE = 5.0
"""Ratio of the sizes of two channels above which they have colors of their own."""
FACETS = ("sample", "channel", "seed", "experiment")


def facets(
    data: Data,
    over: str = "sample",
    part: str = "prediction",
    labels: Sequence[Hashable] | None = None,
    time: int | None = None,
    seed: int | None = None,
    sample: int = 0,
    channel: Hashable = 0,
    columns: int | None = None,
) -> Any:
    """Return one panel for each sample, channel, seed or experiment, as a HoloViews layout.

    In one dimension a panel is an image over time and space, in two and three dimensions the
    state at one time (of three the middle z). Axes and limits of the colors are shared; channels
    that differ in unit, or by a factor of five in size, have their own.

    Parameters
    ----------
    data
        A result, a study with rollouts, or trajectories; in memory or lazy.
    over
        One of ``sample``, ``channel``, ``seed``, ``experiment``.
    part
        ``"reference"``, ``"prediction"`` or ``"error"``, of results.
    labels
        Which of them, by their labels; by default all.
    time
        Time step, in two and three dimensions; by default the last of each.
    seed, sample, channel
        The options that are the same in all panels, as in :func:`state`.
    columns
        Panels in a row; by default two to four.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    SpecError
        If an argument is none of its choices, or these are more panels than anybody looks at.
    """
    check_choice("over", over, FACETS)
    if columns is not None and columns < 1:
        raise SpecError(f"columns must be at least 1, got {columns}")
    if over not in data.dims:
        raise missing(over, [str(dim) for dim in data.dims])
    fixed = {"seed": seed, "sample": sample, "channel": channel}
    names = _names(data, over)
    chosen_labels = _labels(data, over, labels)
    if len(chosen_labels) > MOST_PANELS:
        raise SpecError(
            f"these are {len(chosen_labels)} panels, at most {MOST_PANELS} are drawn; choose some:"
            f" facets(data, {over!r}, labels=[{', '.join(map(repr, chosen_labels[:3]))}, …])"
        )
    found = [
        _read(names[str(label)], *_source(data, over, label, fixed), part, time)
        for label in chosen_labels
    ]
    said = "  ".join(text for text in (caption(data), part) if text)
    if over != "channel":
        return _grid(found, columns or _fitting(len(found)), said)
    own = _are_unlike(found)
    shown = found if own else [_without_name(facet) for facet in found]
    return _grid(shown, columns or _fitting(len(found)), said, own=own)


def _are_unlike(found: Sequence["_Facet"]) -> bool:
    """Tell whether channels have different units, or one would be lost in the colors of another."""
    limits = [facet.limit for facet in found]
    units = {facet.field.attrs.get("units") for facet in found}
    return len(units) > 1 or max(limits) > _UNLIKE * min(limits)


def _without_name(facet: "_Facet") -> "_Facet":
    """Return a panel whose bar is for all channels."""
    return replace(facet, field=facet.field.assign_attrs(long_name="value"))


def _fitting(count: int) -> int:
    """Return how many of so many panels stand in a row."""
    return count if count < _IN_A_ROW else 2 if count == _IN_A_ROW else 3 if count < _MANY else 4


@dataclass(frozen=True)
class _Facet:
    """The field of a panel, in memory, and the limit that its colors would have."""

    field: xr.DataArray
    limit: Limit


def _labels(data: Data, over: str, labels: Sequence[Hashable] | None) -> list[Hashable]:
    known = data[over].values.tolist()
    for label in labels or ():
        if label not in known:
            raise missing(f"{over} {label}", [str(entry) for entry in known])
    return known if labels is None else [known[known.index(label)] for label in labels]


def _names(data: Data, over: str) -> dict[str, str]:
    """Return the title of each panel by its label."""
    labels = [str(label) for label in data[over].values]
    if over != "experiment":
        return {label: f"{over} {label}" for label in labels}
    names = names_of_experiments(data)
    return {label: name or label for label, name in zip(labels, names, strict=True)}


def _source(
    data: Data, over: str, label: Hashable, fixed: dict[str, Any]
) -> tuple[Data, dict[str, Any]]:
    """Return what a panel is taken from, and the labels of its trajectory."""
    if over == "experiment":
        return data.isel(experiment=data[over].values.tolist().index(label)), fixed
    return data, {**fixed, over: label}


def _read(name: str, data: Data, labels: dict[str, Any], part: str, time: int | None) -> _Facet:
    """Return a panel: a whole trajectory in one dimension, otherwise a state."""
    (field,) = fields(data, (part,), **labels)
    steps = None
    if "y" in field.dims:
        steps = chosen(field, None if time is None else [time], 2)[-1:]
        field = field.sel(time=steps)
    read = titled(field)
    return _Facet(
        read.assign_attrs(title=f"{name}{lost(read)}"), limit_for(data, part, steps, **labels)
    )


def _grid(found: Sequence[_Facet], columns: int, said: str, *, own: bool = False) -> Any:
    """Return the panels in rows, each with the color bar at its end, or each panel with its own."""
    signs = {facet.limit.sign for facet in found}
    limits = [facet.limit for facet in found]
    sign = signs.pop() if len(signs) == 1 else 0
    limit = Limit(max(limits), sign, min(one.least for one in limits))
    made = []
    for place, facet in enumerate(found):
        last = place % columns == columns - 1 or place == len(found) - 1
        made.append(_panel(facet.field, facet.limit if own else limit, last or own))
    return grid([made[start : start + columns] for start in range(0, len(made), columns)], said)


def _panel(field: xr.DataArray, limit: Limit, colorbar: bool) -> Any:
    if "y" not in field.dims:
        return over_time(field, limit, colorbar)
    state = frame(field)
    name = f"{field.attrs['title']}\ntime step {state['time'].item()}"
    (plane, *_) = planes(state)
    title = f"{name}, {plane.attrs['place']}" if plane.attrs["place"] else name
    return image(plane, limit, title, colorbar=colorbar)
