"""Losses and metrics of the experiments that are looked at, in the size of the page."""

import dataclasses
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr import schema, store
from apexr._report._parts import Call
from apexr.analysis._selection import differing, label_names, label_rows, needed
from apexr.dashboard._figure import Drawing
from apexr.plots._arrange_page import place_legends
from apexr.plots._experiments import names_of_experiments
from apexr.plots._paper import SCREEN
from apexr.plots._style import EDGE, holoviews

WIDTH, HEIGHT = 400, 240
"""Pixels of a figure, and of its axes."""
_TEXT = dataclasses.replace(SCREEN, legend=8)


@dataclasses.dataclass(frozen=True)
class Side:
    """One of the selections that are looked at.

    Attributes
    ----------
    name
        ``"A"`` or ``"B"``; nothing where there is one alone.
    parts
        Its experiments, by id.
    path
        The study.
    """

    name: str
    parts: Mapping[str, xr.Dataset]
    path: Any

    def only(self, *names: str) -> xr.Dataset | None:
        """Return some variables of those experiments that have them; None where none has."""
        held = {k: ds[[*names]] for k, ds in self.parts.items() if {*names} <= {*ds.data_vars}}
        return store.join_experiments(held) if held else None

    def drawing(self, call: Call, *names: str) -> Drawing | None:
        """Return what draws some variables; None where no experiment has them."""
        subject = self.only(*names)
        return None if subject is None else Drawing(opening(self.path, subject), call, subject)

    def titled(self, words: str) -> str:
        """Return a title with the name of the side."""
        return f"{self.name}: {words}" if self.name else words


def opening(path: Any, subject: xr.Dataset) -> list[str]:
    """Return the lines that open experiments of a study."""
    ids = subject["experiment"].values.tolist()
    return [f"study = apexr.open_study({str(path)!r})", f"study = study.sel(experiment={ids!r})"]


def metric_names(parts: Mapping[str, xr.Dataset]) -> list[str]:
    """Return the metrics of all channels that any of the experiments has."""
    found = ((n, ds[n]) for ds in parts.values() for n in schema.metric_identifiers(ds))
    return list(dict.fromkeys(name for name, array in found if "channel" not in array.dims))


def all_parts(sides: Sequence[Side]) -> dict[str, xr.Dataset]:
    """Return the experiments of all selections, each once."""
    return {name: ds for side in sides for name, ds in side.parts.items()}


def naming(sides: Sequence[Side], variable: str) -> dict[str, Any]:
    """Return the options that give an experiment the same name and color on both sides."""
    if len(sides) < 2:
        return {}
    every = Side("", all_parts(sides), None).only(variable)
    if every is None:
        return {}
    rows = label_rows(every, label_names(every))
    by = list(needed(rows, differing(rows)))
    drawn = [subject for side in sides if (subject := side.only(variable)) is not None]
    if not by or any(not {*by} <= {*label_names(one)} for one in drawn):
        return {}
    return {"by": by, "order": list(dict.fromkeys(names_of_experiments(every)))}


def loss_call(band: str, named: Mapping[str, Any]) -> Call:
    """Return the call that draws losses."""
    return Call("plot.loss", "study", {**named, "band": band})


def metric_call(name: str, band: str, logy: bool, named: Mapping[str, Any]) -> Call:
    """Return the call that draws a metric."""
    scale = {"logy": True} if logy else {}
    return Call("plot.metric", "study", {"variable": name, **named, "band": band, **scale})


def sized(drawn: Any, hooks: Sequence[Any] = (), width: int = WIDTH) -> Any:
    """Return curves in the size of the page: axes of one height, with their legends below them."""
    fonts = {"title": 10, "labels": 10, "ticks": 9, "legend": _TEXT.legend}

    def below(plot: Any, _: Any) -> None:
        place_legends(plot.state, width, _TEXT)

    options = {
        "width": width,
        "height": None,
        "frame_height": HEIGHT,
        "fontsize": fonts,
        "fontscale": 1.0,
        "toolbar": "above",
        "hooks": [below, *hooks],
    }
    return drawn.opts(holoviews().Options("Overlay", backend="bokeh", **options))


class Together:
    """Figures that have the same axes, those of all their curves; of both sides."""

    def __init__(self) -> None:
        self.figures: list[Any] = []

    def draw(self, plot: Any, _: Any) -> None:
        """Give a figure and those before it the limits of all; a hook of HoloViews."""
        self.figures = [one for one in self.figures if one is not plot.state] + [plot.state]
        for name in ("x_range", "y_range"):
            ranges = [getattr(figure, name) for figure in self.figures]
            low, high = min(one.start for one in ranges), max(one.end for one in ranges)
            if np.isfinite([low, high]).all():
                for one in ranges:
                    one.update(start=low, end=high, reset_start=low, reset_end=high)


class Now:
    """Vertical lines in plots over time steps, at the time that a slider has."""

    def __init__(self) -> None:
        self.time = 0
        self.spans: weakref.WeakSet[Any] = weakref.WeakSet()  # a plot that is gone takes its own

    def draw(self, plot: Any, _: Any) -> None:
        """Add the line to a plot; a hook of HoloViews."""
        from bokeh.models.annotations import Span

        span = Span(location=self.time, dimension="height", line_color=EDGE, line_width=2)
        plot.state.add_layout(span)
        self.spans.add(span)

    @property
    def document(self) -> Any:
        """The document that the lines are in; None where they are in none."""
        return next((one.document for one in self.spans if one.document is not None), None)

    def move(self, time: int) -> None:
        """Move the lines."""
        self.time = time
        for span in self.spans:
            span.location = time
