"""Error against cost of the chosen experiments."""

from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from apexr._report._parts import Call
from apexr.analysis._selection import (
    TRAINING_KEYWORDS,
    differing,
    label_names,
    label_rows,
    needed,
)
from apexr.dashboard._drawing import WIDTH, Side, Together, all_parts, sized
from apexr.dashboard._elements import card, panel, told
from apexr.dashboard._figure import Downloads, Figure
from apexr.plots._cost import COSTS
from apexr.plots._experiments import arrange
from apexr.plots._style import holoviews

WIDE = 740


def costs_of(parts: Mapping[str, xr.Dataset]) -> list[str]:
    """Return the costs that all of some experiments have."""
    return [name for name in COSTS if parts and all(name in ds for ds in parts.values())]


class Pareto:
    """Figures of error against cost, one for each selection.

    Parameters
    ----------
    downloads
        Takes the files of figures.
    """

    def __init__(self, downloads: Downloads) -> None:
        pn = panel()
        self._shown: object = None
        self.figures = [Figure(f"pareto{side}", downloads, width=WIDE) for side in ("", "_b")]
        self.problem = pn.pane.HTML("", margin=(0, 5))
        self.grid = pn.FlexBox(margin=0)
        self.layout = card(self.problem, self.grid)

    def draw(
        self, sides: Sequence[Side], metric: str | None, cost: str | None, stamps: object
    ) -> None:
        """Draw the selections, unless that is what is shown."""
        if self._shown == (stamps, metric, cost):
            return
        self._shown = (stamps, metric, cost)
        known = metric is not None and cost is not None
        self.problem.object = told("" if known else "No experiment with an error is chosen.")
        self.grid.objects = []
        if metric is None or cost is None:
            return
        named, together = _naming(sides, metric, cost), Together()
        pair = len(sides) > 1
        for side, figure in zip(sides, self.figures, strict=False):
            call = Call("plot.pareto", "study", {"variable": metric, "cost": cost, **named})
            figure.show(
                side.titled(f"{metric} against {cost}"),
                side.drawing(call, metric, cost),
                lambda drawn: _fit(drawn, together, pair=pair),
            )
            figure.layout.width = WIDTH if pair else WIDE
        self.grid.objects = [one.layout for one in self.figures[: len(sides)]]


def _naming(sides: Sequence[Side], metric: str, cost: str) -> dict[str, Any]:
    """Return the options that give a configuration the same name and color on both sides."""
    every = Side("", all_parts(sides), None).only(metric, cost)
    if len(sides) < 2 or every is None:
        return {}
    rows = label_rows(every, label_names(every))
    free = [name for name in differing(rows) if name in ("net", "train", *TRAINING_KEYWORDS)]
    by = list(needed(rows, free)) or None
    drawn = [subject for side in sides if (subject := side.only(metric, cost)) is not None]
    if any(not {*(by or ())} <= {*label_names(one)} for one in drawn):
        return {}
    names = [name for part in arrange(every, by, per_problem=True) for name in part.groups]
    return {"by": by, "order": list(dict.fromkeys(names))}


def _fit(drawn: Any, together: Together, *, pair: bool) -> Any:
    """Return the plot in the size of the page; several problems are panels."""
    panels = isinstance(drawn, holoviews().Layout)
    width = WIDTH if pair else WIDE // 2 if panels else WIDE
    fitting = sized(drawn, [together.draw] if pair else [], width)
    return fitting.cols(1 if pair else 2) if panels else fitting
