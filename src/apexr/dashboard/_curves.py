"""Losses and metrics of the experiments that are looked at, in the size of the page."""

import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from apexr import schema
from apexr._report._parts import Call
from apexr.analysis._selection import differing, label_names, label_rows, needed
from apexr.dashboard._drawing import Side, all_parts
from apexr.plots._experiments import names_of_experiments
from apexr.plots._style import EDGE


def metric_names(parts: Mapping[str, xr.Dataset]) -> list[str]:
    """Return the metrics of all channels that any of the experiments has."""
    found = ((n, ds[n]) for ds in parts.values() for n in schema.metric_identifiers(ds))
    return list(dict.fromkeys(name for name, array in found if "channel" not in array.dims))


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
