"""Loss, metric and rollouts of the chosen experiments, linked by one time."""

from collections.abc import Callable, Mapping
from typing import Any

import xarray as xr

from apexr.dashboard import _curves, _rollouts
from apexr.dashboard._require import label, panel, soon
from apexr.dashboard._style import card, told
from apexr.errors import ApexrError
from apexr.schema import CONFIG_COORDS

ROLLOUTS = 2
"""Experiments whose rollouts are shown below each other."""
WIDTH = 846
LABELS = CONFIG_COORDS[:4]


class Views:
    """The right-hand side of a page."""

    def __init__(self) -> None:
        pn = panel()
        self.parts: dict[str, xr.Dataset] = {}
        self._stamps: dict[str, str] | None = None
        self.now = _curves.Now()
        self.follower: _rollouts.Follower | None = None
        self._busy = False
        widgets = pn.widgets
        self.metric = widgets.Select(**label("metric"), width=190, margin=(0, 6))
        self.band = widgets.Select(
            **label("band over seeds"),
            options=["range", "quartiles", "none"],
            width=120,
            margin=(0, 6),
        )
        self.logy = widgets.Checkbox(**label("logarithmic"), margin=(24, 6))
        self.time = widgets.DiscreteSlider(
            **label("time step"), options=[0], width=400, margin=(0, 6)
        )
        self.places = {
            name: widgets.Select(**label(name), width=100, margin=(0, 6), visible=False)
            for name in _rollouts.PLACES
        }
        self.loss = pn.pane.HoloViews(None, backend="bokeh", linked_axes=False, margin=0)
        self.error = pn.pane.HoloViews(None, backend="bokeh", linked_axes=False, margin=0)
        self.problem = pn.pane.HTML("", margin=(0, 5))
        self.rows = pn.Column(margin=0)
        self._connect()
        self.layout = pn.Column(
            card(
                self.problem,
                pn.Row(self.loss, self.error, margin=0),
                pn.Row(self.metric, self.band, self.logy, margin=0),
            ),
            card(pn.Row(self.time, *self.places.values(), margin=0), self.rows),
            margin=0,
            width=WIDTH,
        )

    def _connect(self) -> None:
        for widget in (self.metric, self.band, self.logy):
            widget.param.watch(lambda _: self._unless_busy(self._draw_curves), "value")
        move = soon(self._move)
        for widget in (self.time, *self.places.values()):
            widget.param.watch(lambda _: self._unless_busy(move), "value")

    def show(self, parts: Mapping[str, xr.Dataset], stamps: Mapping[str, str]) -> None:
        """Show other experiments, or the same ones if there is more of them now."""
        if stamps == self._stamps:
            return
        self.parts, self._stamps = dict(parts), dict(stamps)
        self._busy = True
        try:
            names = _curves.metric_names(parts)
            kept = self.metric.value if self.metric.value in names else next(iter(names), None)
            self.metric.param.update(options=names, value=kept)
            self._offer_places()
        finally:
            self._busy = False
        self._draw_curves()
        self._draw_rollouts()

    def _unless_busy(self, act: Callable[[], None]) -> None:
        if not self._busy:
            act()

    # --- curves ------------------------------------------------------------------------------

    def _draw_curves(self) -> None:
        try:
            self.loss.object = self._loss()
            self.error.object = self._metric()
            words = "" if self.parts else "No experiment with results is chosen."
        except ApexrError as error:
            words = str(error)
        self.problem.object = told(words)

    def _loss(self) -> Any:
        return _curves.loss_view(self.parts, self.band.value) if self.parts else None

    def _metric(self) -> Any:
        if not self.metric.value:
            return None
        return _curves.metric_view(
            self.parts, self.metric.value, self.band.value, logy=self.logy.value, now=self.now
        )

    # --- rollouts ----------------------------------------------------------------------------

    def _rolled(self) -> dict[str, xr.Dataset]:
        chosen = {name: ds for name, ds in self.parts.items() if _rollouts.has_rollout(ds)}
        return dict([*chosen.items()][:ROLLOUTS])

    def _offer_places(self) -> None:
        """Let the sliders go over what the rollouts have."""
        parts = self._rolled()
        times = _rollouts.labels(parts, "time") or [0]
        kept = self.time.value if self.time.value in times else times[-1]
        first = self.time.options == [0]
        self.time.param.update(options=times, value=times[len(times) // 2] if first else kept)
        self.now.move(self.time.value)
        for name, widget in self.places.items():
            found = _rollouts.labels(parts, name)
            value = widget.value if widget.value in found else next(iter(found), None)
            widget.param.update(options=found, value=value, visible=len(found) > 1)

    def _at(self) -> dict[str, Any]:
        return {"time": self.time.value, **{name: one.value for name, one in self.places.items()}}

    def _move(self) -> None:
        self.now.move(self.time.value)
        if self.follower is not None:
            self.follower.move(self._at(), self.now.document)

    def _draw_rollouts(self) -> None:
        pn = panel()
        self.follower = _rollouts.Follower(self._at())
        parts = self._rolled()
        rows: list[Any] = []
        for name, ds in parts.items():
            rows.append(pn.pane.HTML(told(title_of(ds), "b"), margin=(4, 5, 0, 5)))
            try:
                views = self.follower.row(ds)
                panes = [pn.pane.HoloViews(one, backend="bokeh", margin=0) for one in views]
                rows.append(pn.Row(*panes, name=name, margin=0))
            except ApexrError as error:
                rows.append(pn.pane.HTML(told(str(error))))
        left = len(self.parts) - len(parts)
        if left:
            words = f"Rollouts of the first {len(parts)} of {len(self.parts)} experiments."
            rows.append(pn.pane.HTML(told(words), margin=(4, 5)))
        self.rows.objects = rows


def title_of(ds: xr.Dataset) -> str:
    """Return what an experiment is called."""
    return "  ".join(str(ds[coord].item()) for coord in LABELS if coord in ds.coords)
