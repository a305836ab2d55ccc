"""One trajectory beside others: of samples, channels, seeds or experiments."""

from collections.abc import Hashable, Sequence
from typing import Any

import xarray as xr

from apexr.analysis._select import missing
from apexr.errors import SpecError
from apexr.plots._bands import names_of_experiments
from apexr.plots._fields import Data, check_choice, chosen, fields, limit_of, lost
from apexr.plots._images import grid
from apexr.plots._spacetime import over_time, titled
from apexr.plots._state import panels

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
    columns: int = 4,
) -> Any:
    """Return one panel for each sample, channel, seed or experiment, as a HoloViews layout.

    In one dimension a panel is an image over time and space, in two and three dimensions the
    state at one time (of three the middle z). Axes and limits of the colours are shared.

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
        Time step, in two and three dimensions; by default the last.
    seed, sample, channel
        What is the same in all panels, as in :func:`state`.
    columns
        Panels in a row.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    SpecError
        If an argument is none of its choices.
    """
    check_choice("over", over, FACETS)
    if columns < 1:
        raise SpecError(f"columns must be at least 1, got {columns}")
    if over not in data.dims:
        raise missing(over, [str(dim) for dim in data.dims])
    fixed = {"seed": seed, "sample": sample, "channel": channel}
    found = [_field(data, over, label, part, fixed) for label in _labels(data, over, labels)]
    names = _names(data, over)
    shown = [(names[str(label)], field) for label, field in found]
    return _grid(shown, time, columns)


def _labels(data: Data, over: str, labels: Sequence[Hashable] | None) -> list[Hashable]:
    known = data[over].values.tolist()
    for label in labels or ():
        if label not in known:
            raise missing(f"{over} {label}", [str(entry) for entry in known])
    return known if labels is None else list(labels)


def _field(
    data: Data, over: str, label: Hashable, part: str, fixed: dict[str, Any]
) -> tuple[Hashable, xr.DataArray]:
    """Return the field of one panel."""
    if over == "experiment":
        one = data.isel(experiment=data[over].values.tolist().index(label))
        return label, fields(one, (part,), **fixed)[0]
    return label, fields(data, (part,), **{**fixed, over: label})[0]


def _names(data: Data, over: str) -> dict[str, str]:
    """Return the title of each panel by its label."""
    labels = [str(label) for label in data[over].values]
    if over != "experiment":
        return {label: f"{over} {label}" for label in labels}
    names = names_of_experiments(data)
    return {label: name or label for label, name in zip(labels, names, strict=True)}


def _grid(shown: Sequence[tuple[str, xr.DataArray]], time: int | None, columns: int) -> Any:
    """Return the panels in rows, each with the colour bar at its end."""
    flat = "y" not in shown[0][1].dims
    step = chosen(shown[0][1], None if time is None else [time], 2)[-1]
    read = [(name, titled(field if flat else field.sel(time=[step]))) for name, field in shown]
    limit = max(limit_of([field]) for _, field in read)
    made = []
    for place, (name, field) in enumerate(read):
        last = place % columns == columns - 1 or place == len(read) - 1
        named = field.assign_attrs(title=f"{name}{lost(field)}")
        made.append(
            over_time(named, limit, last) if flat else panels(named, step, "slices", limit, last)[0]
        )
    rows = [made[start : start + columns] for start in range(0, len(made), columns)]
    return grid(rows)
