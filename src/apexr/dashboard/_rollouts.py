"""Rollouts of several experiments at one time; a state is read when it is shown."""

import contextlib
import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from numbers import Integral
from typing import Any

import xarray as xr

from apexr import plots
from apexr._report._parts import Call
from apexr.dashboard._drawing import Drawing, title_of
from apexr.dashboard._elements import panel, told
from apexr.dashboard._figure import Downloads, Figure
from apexr.errors import ApexrError
from apexr.plots._fields import Data, held
from apexr.plots._style import holoviews
from apexr.plots._views import aspect

PLACES = ("seed", "sample", "channel")
"""The choices about a rollout, besides the time."""
MOST = 2
"""Experiments whose rollouts are shown below each other."""
WIDTH, HEIGHT = 252, 240
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


@dataclasses.dataclass(frozen=True)
class Rolled:
    """An experiment whose rollouts are shown.

    Attributes
    ----------
    side
        Of which selection it is, where there are two.
    id
        Its id.
    data
        Its result.
    """

    side: str
    id: str
    data: xr.Dataset


class Rollouts:
    """The rollouts of some experiments below each other.

    Parameters
    ----------
    downloads
        Takes the files of figures.
    """

    def __init__(self, downloads: Downloads) -> None:
        self._downloads = downloads
        self._drawings: list[tuple[Figure, Rolled]] = []
        self._path: Any = None
        self.follower: Follower | None = None
        self.figures: list[Figure] = []
        self.layout = panel().Column(margin=0, sizing_mode="stretch_width")

    def draw(
        self, rolled: Sequence[Rolled], number: int, at: Mapping[str, Hashable], path: Any
    ) -> None:
        """Show experiments at a place.

        Parameters
        ----------
        rolled
            The experiments.
        number
            How many are chosen.
        at
            Where the sliders are.
        path
            The study.
        """
        pn = panel()
        self.follower = Follower(at)
        self._path, self._drawings, self.figures = path, [], []
        for one in rolled:
            row = pn.FlexBox(margin=0)
            figure = Figure(f"rollout_{one.id[:12]}", self._downloads, pane=row)
            title = f"{one.side}: {title_of(one.data)}" if one.side else title_of(one.data)
            try:
                views = self.follower.row(one.data)
                row.objects = [pn.pane.HoloViews(view, backend="bokeh", margin=0) for view in views]
                figure.tell(title, self._drawing(one, at))
                self._drawings.append((figure, one))
            except ApexrError as error:
                figure.tell(title, None)
                figure.complain(str(error))
            self.figures.append(figure)
        rows = [one.layout for one in self.figures]
        if number > len(rolled):
            words = f"Rollouts of the first {len(rolled)} of {number} experiments."
            rows.append(pn.pane.HTML(told(words), margin=(4, 5)))
        self.layout.objects = rows

    def move(self, at: Mapping[str, Hashable], document: Any = None) -> None:
        """Show them at another place."""
        if self.follower is not None:
            self.follower.move(at, document)
        for figure, one in self._drawings:
            figure.retell(self._drawing(one, at))

    def _drawing(self, one: Rolled, at: Mapping[str, Hashable]) -> Drawing:
        """Return what draws what an experiment shows at a place."""
        held = {dim: labels({"": one.data}, dim) for dim in ("time", *PLACES)}
        options = {dim: nearest(at.get(dim), values) for dim, values in held.items() if values}
        before = [f"result = apexr.open_experiment({str(self._path)!r}, {one.id!r})"]
        return Drawing(before, Call("plot.compare", "result", options), one.data)


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
