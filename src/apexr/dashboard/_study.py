"""The page over a study: filters and a table, and what the chosen experiments look like."""

import os
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from apexr.dashboard import _table
from apexr.dashboard._records import FILTERS, Records, choices, counted, filtered, finished
from apexr.dashboard._require import label, panel, served
from apexr.dashboard._style import WARNING, card, heading, told
from apexr.dashboard._views import Views
from apexr.errors import StoreError

FIRST = 3
"""Experiments that are shown before any is chosen."""
MOST = 12
"""Experiments whose curves are drawn together."""
FAILURES = 6
"""Failures listed below the table."""
PERIOD = 5.0
"""Seconds between two looks for new experiments, at least."""
SHARE = 20.0
"""Looking takes at most this part of the time."""


def study_page(path: str | os.PathLike[str]) -> Any:
    """Return a Panel page over a study, also while it runs.

    Filters and a table of all experiments; losses, metrics and rollouts of those that are chosen,
    with a slider through time. Of an experiment only what is shown is read. Show the page in a
    notebook, serve it with Panel, or start ``apexr dashboard`` from a shell.

    Parameters
    ----------
    path
        The study.

    Raises
    ------
    StoreError
        If ``path`` is not a study.
    """
    panel()
    return StudyPage(Records(path)).layout


class StudyPage:
    """The widgets of a page over a study and what they do.

    Parameters
    ----------
    records
        The study.
    """

    def __init__(self, records: Records) -> None:
        pn = panel()
        self.records = records
        self.chosen: list[str] = []
        self.visible = records.table
        self.views = Views()
        self._busy = False
        self.filters = {
            name: pn.widgets.MultiChoice(
                **label(name), placeholder="all", width=237, margin=(2, 6), solid=False
            )
            for name in FILTERS
        }
        self.table = _table.widget(records.table, choosing=True)
        self.summary = pn.pane.HTML("", styles={"color": "white"}, margin=(11, 10))
        self.notes = pn.pane.HTML("", styles=WARNING, sizing_mode="stretch_width", visible=False)
        self.button = pn.widgets.Button(**label("Refresh"), margin=(5, 5), width=90)
        self.watching = pn.widgets.Checkbox(
            **label("look for new results"), value=True, margin=(12, 5), styles={"color": "white"}
        )
        self._connect()
        self.update()
        self.layout = self._arranged()

    # --- what the reader does ----------------------------------------------------------------

    def _connect(self) -> None:
        for one in self.filters.values():
            one.param.watch(lambda _: self._at_once(self.update), "value")
        self.table.param.watch(lambda _: self._at_once(self._choose), "selection")
        self.button.on_click(lambda _: self.refresh())

    def _at_once(self, act: Callable[[], None]) -> None:
        """Do something whose changes the browser shall see together."""
        with panel().io.hold():
            act()

    def refresh(self) -> None:
        """List the study again and show what has changed."""
        if self.records.refresh():
            self._at_once(self.update)

    def look(self) -> None:
        """Refresh the page if that is wanted; called now and then."""
        if self.watching.value:
            self.refresh()

    def _choose(self) -> None:
        if self._busy:
            return
        ids = self.table.value["id"]
        self.chosen = [str(ids.iloc[place]) for place in sorted(self.table.selection)]
        self._show()

    # --- what follows from it ----------------------------------------------------------------

    def update(self) -> None:
        """Show table and views as filters, choice and study are now."""
        for name, values in choices(self.records.table).items():
            known = self.filters[name].value
            options = sorted({*values, *known})
            # The widget takes its labels for HTML; values may be text of any stranger.
            inert = {escape(value): value for value in options}
            self.filters[name].options = options if [*inert] == options else inert
        wanted = {name: one.value for name, one in self.filters.items()}
        self.visible = filtered(self.records.table, wanted)
        there = finished(self.visible)["id"].tolist()
        kept = [name for name in self.chosen if name in set(self.visible["id"])]
        self.chosen = kept or there[:FIRST]
        frame = _table.shown(self.visible)
        self._busy = True
        try:
            self.table.selection = []  # the rows of another table
            self.table.value = frame
            self.table.selection = _table.places(frame, self.chosen)
        finally:
            self._busy = False
        hidden = len(self.records.table) - len(self.visible)
        words = counted(self.records.table) + (f" · {hidden} filtered out" if hidden else "")
        self.summary.object = told(words)
        self._show()

    def _show(self) -> None:
        there = set(finished(self.visible)["id"])
        wanted = [name for name in self.chosen if name in there]
        notes = _failures(self.visible)
        if len(wanted) > MOST:
            notes.insert(0, f"{len(wanted)} experiments are chosen; the first {MOST} are drawn.")
        parts, damaged = self._read(wanted[:MOST])
        notes += damaged
        self.views.show(parts, self.records.stamps([*parts]))
        self.notes.object = told("\n".join(notes))
        self.notes.visible = bool(notes)

    def _read(self, experiments: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
        """Return experiments by id, and what is to be said of those that cannot be read."""
        try:
            return self.records.open(experiments), []
        except StoreError as error:
            return {}, [str(error)]

    def _arranged(self) -> Any:
        pn = panel()
        name = Path(str(self.records.path)).name
        bar = heading(name, self.summary, pn.layout.HSpacer(), self.watching, self.button)
        one = [*self.filters.values()]
        filters = pn.Column(*(pn.Row(*one[at : at + 2], margin=0) for at in range(0, len(one), 2)))
        left = card(filters, self.table, self.notes, width=_table.WIDTH)
        page = pn.Column(
            bar, pn.Row(left, self.views.layout, margin=0), sizing_mode="stretch_width", margin=0
        )
        if served() is not None:
            seconds = max(PERIOD, SHARE * self.records.seconds)
            pn.state.add_periodic_callback(self.look, period=int(1000 * seconds))
        return page


def _failures(table: Any) -> list[str]:
    """Return a line for each of the first experiments that failed or are damaged."""
    failed = table[table["state"].isin(["failed", "damaged"])]
    lines = [
        f"{row.state}: {row.scenario} {row.net} {row.train}: {row.error}"
        for row in failed.head(FAILURES).itertuples()
    ]
    more = len(failed) - FAILURES
    return [*lines, f"… and {more} more: filter the table by state"] if more > 0 else lines
