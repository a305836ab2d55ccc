"""The page over the data of all scenarios."""

from collections.abc import Callable
from typing import Any

import xarray as xr

from apexr import plots
from apexr.dashboard import _data
from apexr.dashboard._curves import Now
from apexr.dashboard._document import named
from apexr.dashboard._elements import WARNING, card, heading, label, panel, soon, told
from apexr.dashboard._rollouts import Follower, labels, small
from apexr.errors import ApexrError

FIRST = "diff_burgers"
_LEFT, _RIGHT = 330, 1020
_SAY_BUSY = "setTimeout(() => { busy.visible = true; echo.value += 1 }, 0)"
"""Run by the browser, which tells Python of the choice first, and of the echo afterward."""


def explorer(scenario: str | None = None) -> Any:
    """Return a Panel page over the data of all scenarios.

    One chooses scenario, dimension, training or test data, reference or coarse solver, sample and
    channel, and moves a slider through time. Data are computed when they are shown, in small
    sizes, which the page tells.

    Parameters
    ----------
    scenario
        Key of the scenario that is shown first.

    Raises
    ------
    SpecError
        If there is no such scenario.
    """
    panel()
    return Explorer(scenario or FIRST).layout


class Explorer:
    """The widgets of the page and what they do.

    Parameters
    ----------
    key
        Of the scenario that is shown first.
    """

    def __init__(self, key: str) -> None:
        pn = panel()
        _data.check_key(key)
        widgets = pn.widgets
        self._busy = False
        self.now = Now()
        self.follower: Follower | None = None
        self.data: xr.DataArray | None = None
        self.scenario = widgets.Select(
            **label("scenario"), groups=_data.keys(), value=key, width=290
        )
        self.dims = widgets.RadioButtonGroup(options={}, width=290, **named("dimensions"))
        self.split = widgets.RadioButtonGroup(
            options=["test", "train"], value="test", width=290, **named("data")
        )
        self.solver = widgets.RadioButtonGroup(
            options=["reference", "coarse"], value="reference", width=290, **named("solver")
        )
        self.sample = widgets.Select(**label("sample"), options=[0], width=135)
        self.channel = widgets.Select(**label("channel"), options=["u"], width=135)
        self.time = widgets.DiscreteSlider(**label("time step"), options=[0], width=600)
        self.about = pn.pane.HTML("", width=300, margin=(4, 5))
        self.problem = pn.pane.HTML("", styles=WARNING, visible=False, width=_RIGHT - 60)
        self.busy = pn.pane.HTML("<b>Computing …</b>", visible=False, margin=(4, 5))
        self.echo = widgets.IntInput(value=0, visible=False)
        self.whole = pn.Row(margin=0)
        self.state = pn.Row(margin=0)
        self._connect()
        self._choose()
        self.layout = self._arranged()

    def _connect(self) -> None:
        for widget, act in (
            (self.scenario, self._choose),
            (self.dims, self._compute),
            (self.split, self._compute),
            (self.solver, self._compute),
            (self.sample, self._draw),
            (self.channel, self._draw),
            (self.time, soon(self._move)),
        ):
            widget.param.watch(lambda _, act=act: self._unless_busy(act), "value")
        for widget in (self.scenario, self.dims, self.split, self.solver):
            widget.jscallback(value=_SAY_BUSY, args={"busy": self.busy, "echo": self.echo})
        self.echo.param.watch(lambda _: self._done(), "value")

    def _done(self) -> None:
        """Take away what the browser has put up: its echo is heard after all is computed."""
        self.busy.param.trigger("visible")

    def _unless_busy(self, act: Callable[[], None]) -> None:
        if not self._busy:
            act()

    def _quietly(self, widget: Any, **values: Any) -> None:
        """Change a widget without doing what follows from it."""
        self._busy = True
        try:
            widget.param.update(**values)
        finally:
            self._busy = False

    # --- what follows from a choice ----------------------------------------------------------

    def _choose(self) -> None:
        """Offer the dimensions in which the scenario exists, and compute."""
        known = _data.dimensions(self.scenario.value)
        kept = self.dims.value if self.dims.value in known else known[0]
        self._quietly(self.dims, options={f"{dim}D": dim for dim in known}, value=kept)
        self._compute()

    def _compute(self) -> None:
        key, dims = self.scenario.value, self.dims.value
        try:
            scenario = _data.small_scenario(key, dims)
            self.data, seconds = _data.trajectories(scenario, self.split.value, self.solver.value)
        except (ApexrError, MemoryError) as error:
            self._refuse(f"{key} in {dims}D cannot be shown: {error}")
            return
        self.about.object = self._words(scenario, seconds)
        samples = labels({"": self.data}, "sample")
        channels = labels({"": self.data}, "channel")
        times = labels({"": self.data}, "time")
        kept = self.channel.value if self.channel.value in channels else channels[0]
        self._quietly(self.sample, options=samples, value=samples[0])
        self._quietly(self.channel, options=channels, value=kept)
        self._quietly(self.time, options=times, value=times[0])
        self._draw()

    def _refuse(self, words: str) -> None:
        self.data = None
        self.problem.param.update(object=told(words), visible=True)
        self.whole.objects = self.state.objects = []
        self.follower = None

    def _words(self, scenario: Any, seconds: float) -> str:
        key = self.scenario.value
        absent = [dim for dim in (1, 2, 3) if dim not in _data.dimensions(key)]
        lines = [
            _data.description(key),
            f"Shown: {_data.reduced(scenario, self.split.value)}.",
            f"Initial states: {scenario.ic_config}"
            + (f", {scenario.num_warmup_steps} steps of warm-up" * bool(scenario.num_warmup_steps)),
            f"Computed in {seconds:.1f} s.",
        ]
        if absent:
            named = " or ".join(f"{dim}D" for dim in absent)
            hint = f" ({type(scenario).elsewhere})" if type(scenario).elsewhere else ""
            lines.insert(1, f"There is none in {named}{hint}.")
        return "".join(told(line, "p") for line in lines)

    def _draw(self) -> None:
        panel()
        if self.data is None:
            return
        self.problem.visible = False
        self.now = Now()
        chosen = {"sample": self.sample.value, "channel": self.channel.value}
        whole = list(plots.trajectory(self.data, **chosen))
        if len(whole) == 1:  # over time and space
            sizes = small(_RIGHT - 60, 345, hooks=[self.now.draw])
        else:
            sizes = small(_RIGHT // len(whole) - 14, 215, colorbar=False)
        panes = [_pane(one.opts(sizes[-1])) for one in whole]
        flat = "y" not in self.data.dims
        self.follower = Follower(self._at(), *((_RIGHT - 60, 300) if flat else (470, 400)))
        self.now.move(self.time.value)
        self.whole.objects = panes
        self.state.objects = [_pane(one) for one in self.follower.row(self.data)]

    def _at(self) -> dict[str, Any]:
        return {
            "sample": self.sample.value,
            "channel": self.channel.value,
            "time": self.time.value,
        }

    def _move(self) -> None:
        self.now.move(self.time.value)
        if self.follower is not None:
            self.follower.move(self._at(), self.now.document)

    def _arranged(self) -> Any:
        pn = panel()
        left = card(
            self.scenario,
            self.dims,
            self.split,
            self.solver,
            pn.Row(self.sample, self.channel, margin=0),
            self.busy,
            self.echo,
            self.about,
            width=_LEFT,
        )
        right = pn.Column(
            card(self.problem, self.whole), card(self.time, self.state), width=_RIGHT, margin=0
        )
        bar = heading("Data of the scenarios")
        body = pn.Row(left, right, margin=0)
        return pn.Column(bar, body, sizing_mode="stretch_width", margin=0)


def _pane(drawn: Any) -> Any:
    return panel().pane.HoloViews(drawn, backend="bokeh", linked_axes=False, margin=0)
