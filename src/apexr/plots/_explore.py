"""Rollouts to look through with sliders; a state is read when it is shown."""

from collections.abc import Hashable, Sequence
from functools import partial
from typing import Any

import xarray as xr

from apexr.errors import SpecError
from apexr.plots._fields import PARTS, Data, Limit, fields, frame, limit_of, lost
from apexr.plots._images import image
from apexr.plots._profiles import overlaid, profile
from apexr.plots._style import arranged, axis_label, holoviews, look
from apexr.plots._views import planes

_SLIDERS = ("seed", "sample", "channel", "time")


def explore(
    data: Data,
    parts: Sequence[str] = PARTS,
    view: str = "slices",
    limit: float | None = None,
) -> Any:
    """Return states with sliders for seed, sample, channel and time, linked, side by side.

    A layout of HoloViews ``DynamicMap``: only what a slider asks for is read. In three dimensions
    the plane through the middle of z is shown, or the volume from aside. Colors have the same
    limits for all times of a trajectory.

    Parameters
    ----------
    data
        The result of one experiment, or trajectories; in memory or lazy.
    parts
        Some of ``"reference"``, ``"prediction"`` and ``"error"``, of a result.
    view
        ``"slices"`` or ``"volume"``, in three dimensions.
    limit
        The largest magnitude shown; by default that of the reference, for which its trajectory
        is read once.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    SpecError
        If an argument is none of its choices.
    """
    shown = fields(data, parts)
    names = [name for name in _SLIDERS if name == "time" or data.sizes.get(name, 1) > 1]
    reader = _Reader(data, tuple(field.attrs.get("part", "") for field in shown), view, limit)
    dims = [_slider(name, shown[0] if name == "time" else data) for name in names]
    hv = holoviews()
    maps = [
        hv.DynamicMap(partial(reader.panel, place, names), kdims=dims)
        for place in range(len(shown))
    ]
    return arranged(maps, len(maps))


def _slider(name: str, data: Data) -> Any:
    labels = data[name].values.tolist()
    return holoviews().Dimension(name, label=axis_label(data[name]), values=labels)


class _Reader:
    """Reads the states of a trajectory, and remembers which one is open and its limit."""

    def __init__(self, data: Data, parts: tuple[str, ...], view: str, limit: float | None) -> None:
        self._data, self._parts, self._view, self._limit = data, parts, view, limit
        self._open: tuple[dict[str, Hashable], list[xr.DataArray], Limit] | None = None

    def panel(self, place: int, names: Sequence[str], *values: Any) -> Any:
        """Return one panel at the labels that the sliders have."""
        if len(names) != len(values):
            raise SpecError(f"expected a label for each of {', '.join(names)}, got {values}")
        labels = dict(zip(names, values, strict=True))
        step = labels.pop("time")
        shown, limit = self._trajectory(labels)
        state = frame(shown[place], int(step))
        title = f"{shown[place].attrs['title']}{lost(state)}\ntime step {step}"
        if "y" not in state.dims:
            return overlaid([profile(state, "", limit, look(0))], title, limit)
        return image(planes(state, self._view)[0], limit, title)

    def _trajectory(self, labels: dict[str, Hashable]) -> tuple[list[xr.DataArray], Limit]:
        if self._open is None or self._open[0] != labels:
            shown = fields(self._data, self._parts, **labels)  # type: ignore[arg-type]
            limit = limit_of(shown) if self._limit is None else Limit(self._limit)
            self._open = (labels, shown, limit)
        return self._open[1], self._open[2]
