"""Losses and metrics of the experiments that are looked at, in the size of the page."""

import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from apexr import plots, schema, store
from apexr.plots._style import EDGE, holoviews

WIDTH, HEIGHT = 400, 330


def metric_names(parts: Mapping[str, xr.Dataset]) -> list[str]:
    """Return the metrics of all channels that any of the experiments has."""
    found = ((n, ds[n]) for ds in parts.values() for n in schema.metric_identifiers(ds))
    return list(dict.fromkeys(name for name, array in found if "channel" not in array.dims))


def loss_view(parts: Mapping[str, xr.Dataset], band: str) -> Any:
    """Return the losses; only these are read."""
    return _sized(plots.loss(_only(parts, "train_loss"), band=band))


def metric_view(
    parts: Mapping[str, xr.Dataset], name: str, band: str, *, logy: bool, now: "Now"
) -> Any:
    """Return a metric with a line at the time that is looked at; only this metric is read."""
    drawn = plots.metric(_only(parts, name), name, band=band, logy=logy)
    return _sized(drawn, hooks=[now.draw])


def _only(parts: Mapping[str, xr.Dataset], name: str) -> xr.Dataset:
    """Return one variable of those experiments that have it, along ``experiment``."""
    return store.join_experiments({key: ds[[name]] for key, ds in parts.items() if name in ds})


def _sized(drawn: Any, hooks: Sequence[Any] = ()) -> Any:
    fonts = {"title": 10, "labels": 10, "ticks": 9, "legend": 8}
    looks = {"width": WIDTH, "height": HEIGHT, "fontsize": fonts, "fontscale": 1.0}
    options = {**looks, "toolbar": "above", "hooks": [_narrow, *hooks]}
    return drawn.opts(holoviews().Options("Overlay", backend="bokeh", **options))


def _narrow(plot: Any, _: Any) -> None:
    """Make the legend small, and let what is behind it be seen; a hook of HoloViews."""
    for legend in plot.state.legend:
        legend.update(
            spacing=0,
            padding=4,
            glyph_height=14,
            label_height=14,
            title_standoff=2,
            title_text_font_size="8pt",
            background_fill_alpha=0.65,
        )


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
