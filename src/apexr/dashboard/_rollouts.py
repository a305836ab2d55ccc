"""Rollouts of several experiments at one time; a state is read when it is shown."""

import contextlib
from collections.abc import Hashable, Mapping, Sequence
from numbers import Integral
from typing import Any

import xarray as xr

from apexr import plots
from apexr.plots._fields import Data, held
from apexr.plots._style import holoviews
from apexr.plots._views import aspect

PLACES = ("seed", "sample", "channel")
"""The choices about a rollout, besides the time."""
WIDTH, HEIGHT = 266, 240
_AROUND = (86, 60)
"""Pixels to the left of a plane and above it."""


def has_rollout(ds: xr.Dataset) -> bool:
    """Tell whether an experiment holds what the views of rollouts show."""
    return {"sample_rollout", "sample_reference", "initial_state"} <= {*map(str, ds.data_vars)}


def labels(parts: Mapping[str, Data], dim: str) -> list[Hashable]:
    """Return all labels of the experiments along a dimension; of the time from 0 on."""
    start: list[Hashable] = [0] if dim == "time" else []
    found = (_held(ds)[dim].values.tolist() for ds in parts.values() if dim in ds.dims)
    every = list(dict.fromkeys([*start, *(label for values in found for label in values)]))
    return sorted(every) if dim == "time" else every  # type: ignore[type-var]


def _held(data: Data) -> Data:
    return held(data) if isinstance(data, xr.Dataset) else data


class Follower:
    """The state that all rollouts of a page follow: a stream that its sliders move.

    Parameters
    ----------
    at
        Where the sliders are.
    width, height
        Of a view, in pixels.
    """

    def __init__(
        self, at: Mapping[str, Hashable], width: int = WIDTH, height: int = HEIGHT
    ) -> None:
        self.at = dict(at)
        self.size = {"width": width, "height": height}
        names = holoviews().streams.Stream.define("Place", **dict.fromkeys(at))
        self.stream = names(**at)

    def move(self, at: Mapping[str, Hashable], document: Any = None) -> None:
        """Show another place of all rollouts; the document that they are in learns it at once."""
        if {**self.at, **at} != self.at:
            self.at |= at
            with contextlib.nullcontext() if document is None else document.models.freeze():
                self.stream.event(**self.at)

    def row(self, data: Data) -> list[Any]:
        """Return reference, prediction and error of an experiment, or the one of trajectories."""
        size = shaped(data, **self.size)
        return [self._follow(view, size) for view in plots.explore(data)]

    def _follow(self, view: Any, size: Mapping[str, int]) -> Any:
        hv = holoviews()
        view.cache_size = 1
        dims = [(str(dim.name), list(dim.values)) for dim in view.kdims]

        def show(**at: Hashable) -> Any:
            shown = view[tuple(nearest(at.get(name), values) for name, values in dims)]
            return shown.opts(*small(**size))

        return hv.DynamicMap(show, streams=[self.stream])


def shaped(data: Data, width: int, height: int) -> dict[str, int]:
    """Return the size of a picture within this one, in which a plane has the shape of its domain.

    Titles, labels and colors around it keep their room.
    """
    if "y" not in data.dims:
        return {"width": width, "height": height}
    ratio = aspect(_held(data)["y"] * _held(data)["x"])
    beside, above = _AROUND
    inner = min(width - beside, (height - above) * ratio)
    return {"width": round(inner + beside), "height": round(inner / ratio + above)}


def nearest(label: Any, values: Sequence[Any]) -> Any:
    """Return the label itself where there is one, the last step before it, or the first label."""
    if label in values:
        return label
    before = [
        value
        for value in values
        if isinstance(value, Integral) and isinstance(label, Integral) and value < label
    ]
    return max(before, default=values[0])


def small(width: int, height: int, **more: Any) -> list[Any]:
    """Return the options that make pictures as small as a page needs them."""
    fonts = {"title": 9, "labels": 9, "ticks": 8}
    looks = {"width": width, "height": height, "fontsize": fonts, "toolbar": None, **more}
    options = holoviews().Options
    return [
        options("Overlay", fontscale=1.0, backend="bokeh", **looks),
        options("Image", backend="bokeh", **looks),
    ]
