"""The views of a page over a study: which one is open, and what a reader has chosen in them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from apexr.dashboard import _curves, _rollouts
from apexr.dashboard._address import Choices, asked
from apexr.dashboard._document import named
from apexr.dashboard._drawing import WIDTH, Side, Together, all_parts, sized
from apexr.dashboard._elements import WIDE, card, label, panel, soon, told
from apexr.dashboard._figure import Downloads, Figure
from apexr.dashboard._pareto import Pareto, costs_of
from apexr.dashboard._rollouts import Rolled, Rollouts
from apexr.dashboard._splits import Splits
from apexr.dashboard._statistics import Statistics

VIEWS = {
    "Curves and rollouts": "curves",
    "Pareto": "pareto",
    "Statistics": "statistics",
    "Decomposition": "decomposition",
}
BANDS = ["range", "quartiles", "none"]


class Views:
    """The right-hand side of a page.

    Parameters
    ----------
    path
        The study.
    wanted
        The choices that the address of the page asks for.
    changed
        Called when the reader has chosen something else.
    """

    def __init__(
        self,
        path: Any,
        wanted: Choices | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        pn = panel()
        wanted = Choices() if wanted is None else wanted
        self.sides: list[Side] = []
        self.notes: list[str] = []
        self._stamps: tuple[Any, dict[str, str]] | None = None
        self._wanted = {name: getattr(wanted, name) for name in ("metric", "cost", "by", "time")}
        self._wanted |= {name: getattr(wanted, name) for name in _rollouts.PLACES}
        self._changed = changed
        self._busy = False
        widgets, small = pn.widgets, {"margin": (0, 6)}
        self.open = widgets.RadioButtonGroup(
            options=VIEWS,
            value=self._of("view", wanted.view, [*VIEWS.values()]),
            margin=(2, 6),
            **named("view"),
        )
        self.metric = widgets.Select(**label("metric"), width=190, **small)
        self.band = widgets.Select(
            **label("band over seeds"),
            options=BANDS,
            value=self._of("band", wanted.band, BANDS),
            width=120,
            **small,
        )
        log = asked(wanted.scale, "scale", ["log"], self.notes) is not None
        self.logy = widgets.Checkbox(**label("logarithmic"), value=log, margin=(0, 6, 8, 6))
        self.cost = widgets.Select(**label("cost"), width=190, visible=False, **small)
        self.by = widgets.Select(**label("compare by"), width=190, visible=False, **small)
        self.downloads = Downloads()
        self.time = widgets.DiscreteSlider(**label("time step"), options=[0], width=400, **small)
        self.places = {
            name: widgets.Select(**label(name), width=100, visible=False, **small)
            for name in _rollouts.PLACES
        }
        self.now = _curves.Now()
        self.curves = Curves(self)
        self.pareto = Pareto(self.downloads)
        self.statistics = Statistics(self.by)
        self.splits = Splits(path, self.downloads)
        self._layouts = {
            "curves": self.curves.layout,
            "pareto": self.pareto.layout,
            "statistics": self.statistics.layout,
            "decomposition": self.splits.layout,
        }
        self._connect()
        controls = pn.FlexBox(
            *(self.metric, self.band, self.logy, self.cost, self.by),
            self.downloads.ending,
            self.downloads.carrier,
            align_items="flex-end",
        )
        self.layout = pn.Column(
            card(self.open, controls), *self._layouts.values(), margin=0, styles=WIDE
        )
        self._show_controls()

    def _of(self, name: str, text: str, options: Sequence[str]) -> str:
        found = asked(text, name, options, self.notes)
        return options[0] if found is None else str(found)

    def _connect(self) -> None:
        for widget in (self.metric, self.band, self.logy, self.cost, self.by):
            widget.param.watch(lambda _: self._unless_busy(self._draw), "value")
        self.open.param.watch(lambda _: self._unless_busy(self._switch), "value")
        move = soon(self._move)
        for widget in (self.time, *self.places.values()):
            widget.param.watch(lambda _: self._unless_busy(move), "value")

    def _unless_busy(self, act: Callable[[], None]) -> None:
        if not self._busy:
            act()
            self._changed()

    # --- what is shown -----------------------------------------------------------------------

    def stamp(self, name: str) -> str:
        """Return what is published of an experiment, as text that changes with it."""
        return "" if self._stamps is None else self._stamps[1].get(name, "")

    @property
    def parts(self) -> dict[str, Any]:
        """All experiments that are shown, by id."""
        return all_parts(self.sides)

    def show(self, sides: Sequence[Side], stamps: Mapping[str, str]) -> None:
        """Show other experiments, or the same ones if there is more of them now."""
        new = ([(side.name, [*side.parts]) for side in sides], dict(stamps))
        if new == self._stamps:
            return
        self.sides, self._stamps = list(sides), new
        self._busy = True
        try:
            self._offer()
        finally:
            self._busy = False
        self._draw()

    def _switch(self) -> None:
        self._show_controls()
        self._draw()

    def _show_controls(self) -> None:
        view = self.open.value
        for name, layout in self._layouts.items():
            layout.visible = name == view
        self.metric.visible = view != "decomposition"
        self.band.visible = self.logy.visible = view == "curves"
        self.cost.visible, self.by.visible = view == "pareto", view == "statistics"

    def _draw(self) -> None:
        """Draw the view that is open; each one knows whether it shows that already."""
        with panel().io.hold():
            metric = self.metric.value
            match self.open.value:
                case "curves":
                    self.curves.draw(self._stamps)
                case "pareto":
                    self.pareto.draw(self.sides, metric, self.cost.value, self._stamps)
                case "statistics":
                    self._busy = True
                    try:
                        self._take("by", self.by, *self.statistics.labels(self.sides, metric))
                    finally:
                        self._busy = False
                    self.statistics.draw(self.sides, metric, self._stamps)
                case "decomposition":
                    self.splits.draw(self.sides, self._stamps)

    # --- what can be chosen ------------------------------------------------------------------

    def _offer(self) -> None:
        """Let the widgets offer what the experiments have, and take what the address asks for."""
        names = _curves.metric_names(self.parts)
        self._take("metric", self.metric, names, next(iter(names), None))
        costs = costs_of(self.parts)
        self._take("cost", self.cost, costs, next(iter(costs), None))
        rolled = {str(place): one.data for place, one in enumerate(self.rolled())}
        times = _rollouts.labels(rolled, "time") or [0]
        if self.time.options == [0]:  # nothing has been shown yet
            self.time.param.update(options=times, value=times[len(times) // 2])
        self._take("time", self.time, times, times[-1])
        self.now.move(self.time.value)
        for name, widget in self.places.items():
            found = _rollouts.labels(rolled, name)
            self._take(name, widget, found, next(iter(found), None))
            widget.visible = len(found) > 1

    def _take(self, name: str, widget: Any, options: Sequence[Any], default: Any) -> None:
        """Give a widget options; its value is what the address asks for, or what it was."""
        wish = self._wanted.pop(name, "") if self.parts else ""
        value = asked(wish, name, options, self.notes, "these experiments")
        if value is None:
            value = widget.value if widget.value in options else default
        widget.param.update(options=list(options), value=value)

    def choices(self) -> dict[str, str]:
        """Return what differs from what a page shows by itself, as texts of an address."""
        times = self.time.options
        held = {
            "view": (self.open.value, "curves"),
            "metric": (self.metric.value, next(iter(self.metric.options), None)),
            "band": (self.band.value, BANDS[0]),
            "scale": ("log" if self.logy.value else None, None),
            "cost": (self.cost.value, next(iter(self.cost.options), None)),
            "by": (self.by.value, self.statistics.default),
            "time": (self.time.value, times[len(times) // 2]),
        }
        for name, widget in self.places.items():
            held[name] = (widget.value, next(iter(widget.options), None))
        chosen = {n: str(value) for n, (value, usual) in held.items() if value != usual}
        return {**chosen, **{name: text for name, text in self._wanted.items() if text}}

    # --- rollouts ----------------------------------------------------------------------------

    def rolled(self) -> list[Rolled]:
        """Return the experiments whose rollouts are shown: the first ones of each selection."""
        each = _rollouts.MOST if len(self.sides) < 2 else 1
        have = [
            [Rolled(side.name, k, ds) for k, ds in side.parts.items() if _rollouts.has_rollout(ds)]
            for side in self.sides
        ]
        return [one for held in have for one in held[:each]]

    def at(self) -> dict[str, Any]:
        """Return where the sliders are."""
        return {"time": self.time.value, **{name: one.value for name, one in self.places.items()}}

    def _move(self) -> None:
        self.now.move(self.time.value)
        self.curves.move()


class Curves:
    """Losses, a metric and rollouts, linked by one time.

    Parameters
    ----------
    views
        Has what is chosen.
    """

    def __init__(self, views: Views) -> None:
        pn = panel()
        self._views = views
        self._shown: dict[str, object] = {}

        self.loss, self.error = (
            [Figure(f"{stem}{side}", views.downloads, width=WIDTH) for side in ("", "_b")]
            for stem in ("loss", "metric")
        )
        self.problem = pn.pane.HTML("", margin=(0, 5))
        self.grid = pn.FlexBox(margin=0)
        self.rollouts = Rollouts(views.downloads)
        self.layout = pn.Column(
            card(self.problem, self.grid),
            card(
                pn.FlexBox(views.time, *views.places.values(), margin=0),
                self.rollouts.layout,
            ),
            margin=0,
            sizing_mode="stretch_width",
        )

    def draw(self, stamps: object) -> None:
        """Draw what is not shown yet."""
        views = self._views
        number = sum(len(side.parts) for side in views.sides)
        wanted: dict[str, object] = {
            "curves": (stamps, views.metric.value, views.band.value, views.logy.value),
            "rollouts": (number, [(r.side, r.id, views.stamp(r.id)) for r in views.rolled()]),
        }
        if wanted["curves"] != self._shown.get("curves"):
            self._draw_curves()
        if wanted["rollouts"] != self._shown.get("rollouts"):
            self.rollouts.draw(views.rolled(), number, views.at(), self._path)
        self._shown = wanted

    @property
    def _path(self) -> Any:
        return self._views.sides[0].path if self._views.sides else None

    def _draw_curves(self) -> None:
        views, sides = self._views, self._views.sides
        metric, band, log = views.metric.value, views.band.value, views.logy.value
        words = "" if views.parts else "No experiment with results is chosen."
        self.problem.object = told(words)
        shown: list[Any] = []
        losses, errors = Together(), Together()
        named = _curves.naming(sides, "train_loss")
        for side, figure in zip(sides, self.loss, strict=False):
            drawing = side.drawing(_curves.loss_call(band, named), "train_loss")
            figure.show(
                side.titled("training loss"),
                drawing,
                lambda drawn: sized(drawn, [losses.draw]),
            )
            shown.append(figure.layout)
        named = _curves.naming(sides, metric) if metric else {}
        for side, figure in zip(sides, self.error, strict=False):
            call = _curves.metric_call(metric, band, log, named)
            drawing = side.drawing(call, metric) if metric else None
            figure.show(
                side.titled(metric or ""),
                drawing,
                lambda drawn: sized(drawn, [views.now.draw, errors.draw]),
            )
            shown.append(figure.layout)
        self.grid.objects = shown if views.parts else []

    def move(self) -> None:
        """Show the rollouts at another place."""
        self.rollouts.move(self._views.at(), self._views.now.document)
