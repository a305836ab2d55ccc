"""The drawings of the chosen experiments, and their size."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr import store
from apexr._report._parts import Call
from apexr.plots._arrange_page import place_legends
from apexr.plots._paper import SCREEN
from apexr.plots._style import holoviews
from apexr.schema import CONFIG_COORDS

_LABELS = CONFIG_COORDS[:4]
WIDTH, HEIGHT = 400, 240
"""Pixels of a figure, and of its axes."""
_TEXT = dataclasses.replace(SCREEN, legend=8)


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A call that draws something: what is shown as code is what is called.

    Attributes
    ----------
    before
        Lines of Python that make the first argument of the call from the study.
    call
        The call.
    subject
        Its first argument, as the page has it.
    """

    before: Sequence[str]
    call: Call
    subject: Any

    def draw(self) -> Any:
        """Return the plot, in its own size."""
        return self.call(self.subject)

    @property
    def code(self) -> str:
        """Python that makes the plot."""
        return "\n".join(["import apexr", "", *self.before, self.call.code])


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


def all_parts(sides: Sequence[Side]) -> dict[str, xr.Dataset]:
    """Return the experiments of all selections, each once."""
    return {name: ds for side in sides for name, ds in side.parts.items()}


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


def title_of(ds: xr.Dataset) -> str:
    """Return what an experiment is called."""
    return "  ".join(str(ds[coord].item()) for coord in _LABELS if coord in ds.coords)
