"""The page over a study: filters and a table, and what the chosen experiments look like."""

import os
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from apexr.dashboard import _table
from apexr.dashboard._address import Choices, asked, from_query, quoted, to_query
from apexr.dashboard._document import named
from apexr.dashboard._drawing import Side
from apexr.dashboard._elements import LAST, WARNING, card, heading, label, panel, served, soon, told
from apexr.dashboard._records import FILTERS, Records, choices, counted, filtered, finished
from apexr.dashboard._views import Views
from apexr.errors import StoreError
from apexr.store import short_ids

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
NOTE = 400
"""Milliseconds after which the address follows a choice."""
LETTERS = 12
"""Of an id in an address, at least: others may come that begin in the same way."""


def study_page(path: str | os.PathLike[str]) -> Any:
    """Return a Panel page over a study, also while it runs.

    Filters and a table of all experiments; views of those that are chosen: losses, metrics and
    rollouts with a slider through time; error against cost; statistics; the parts of errors. Two
    selections are shown side by side. Where the page is served, its address holds all that is
    chosen. Of an experiment only what is shown is read. Show the page in a notebook, serve it with
    Panel, or start ``apexr dashboard`` from a shell.

    Parameters
    ----------
    path
        The study.

    Raises
    ------
    StoreError
        If ``path`` is not a study.
    """
    pn = panel()
    location = pn.state.location if served() is not None else None
    page = StudyPage(Records(path), "" if location is None else location.search)
    if location is not None:

        def note() -> None:
            location.search = page.address()

        page.changed = soon(note, NOTE)
    return page.layout


class StudyPage:
    """The widgets of a page over a study and what they do.

    Parameters
    ----------
    records
        The study.
    search
        The query of the address that was opened.
    """

    def __init__(self, records: Records, search: str = "") -> None:
        pn = panel()
        self.records = records
        self.changed: Callable[[], None] = lambda: None
        wanted, ignored = from_query(search)
        self.visible = records.table
        self.selected: dict[str, list[str]] = {"a": [], "b": []}
        self.views = Views(records.path, wanted, self._note)
        self._busy = False
        self.filters = {
            name: pn.widgets.MultiChoice(
                **label(name), placeholder="all", width=237, margin=(2, 6), solid=False
            )
            for name in FILTERS
        }
        self.ticks = pn.widgets.RadioButtonGroup(
            options={"Selection A": "a", "Selection B": "b"},
            value="a",
            margin=(4, 6),
            width=240,
            **named("ticks are those of"),
        )
        self.clear = pn.widgets.Button(**label("Close B"), margin=(4, 5), width=80, visible=False)
        self.table = _table.widget(records.table, choosing=True)
        self.summary = pn.pane.HTML("", styles={"color": "white"}, margin=(11, 10))
        self.notes = pn.pane.HTML("", styles=WARNING, sizing_mode="stretch_width", visible=False)
        self.ignored = pn.pane.HTML("", styles=WARNING, sizing_mode="stretch_width")
        self.button = pn.widgets.Button(**label("Refresh"), margin=(5, 5), width=90)
        self.watching = pn.widgets.Checkbox(
            **label("look for new results"), value=True, margin=(12, 5), styles={"color": "white"}
        )
        ignored += self._take(wanted)
        self.update()
        ignored += self.views.notes
        self.ignored.param.update(object=told("\n".join(ignored)), visible=bool(ignored))
        self._connect()
        self.layout = self._arranged()

    # --- what the reader does ----------------------------------------------------------------

    def _connect(self) -> None:
        for one in self.filters.values():
            one.param.watch(lambda _: self._do(self.update), "value")
        self.table.param.watch(lambda _: self._do(self._choose), "selection")
        self.ticks.param.watch(lambda _: self._do(self.update), "value")
        self.clear.on_click(lambda _: self._do(self._close_b))
        self.button.on_click(lambda _: self.refresh())

    def _do(self, act: Callable[[], None]) -> None:
        """Do what a reader has asked for; the browser shall see all changes together."""
        if not self._busy:
            with panel().io.hold():
                act()
            self._note()

    def _note(self) -> None:
        """Have the address tell what is chosen by now."""
        self.ignored.visible = False
        self.changed()

    def refresh(self) -> None:
        """List the study again and show what has changed."""
        if self.records.refresh():
            with panel().io.hold():
                self.update()

    def look(self) -> None:
        """Refresh the page if that is wanted; called now and then."""
        if self.watching.value:
            self.refresh()

    @property
    def chosen(self) -> list[str]:
        """The experiments that are ticked, by id."""
        return self.selected[self.ticks.value]

    @property
    def _two(self) -> bool:
        """Whether two selections are shown."""
        return self.ticks.value == "b" or bool(self.selected["b"])

    def _choose(self) -> None:
        ids = self.table.value["id"]
        ticked = [str(ids.iloc[place]) for place in sorted(self.table.selection)]
        hidden = [name for name in self.chosen if self._two and name not in set(ids)]
        self.selected[self.ticks.value] = ticked + hidden
        self._show()

    def _close_b(self) -> None:
        self.selected["b"] = []
        self._busy = True
        try:
            self.ticks.value = "a"
        finally:
            self._busy = False
        self.update()

    # --- the address -------------------------------------------------------------------------

    def _take(self, wanted: Choices) -> list[str]:
        """Choose what an address asks for; return what is to be said of it."""
        notes: list[str] = []
        known = choices(self.records.table)
        for name, texts in wanted.filters.items():
            there = [one for text in texts if (one := asked(text, name, known[name], notes))]
            self.filters[name].param.update(options=there, value=there)
        ids = self.records.table["id"].tolist() if len(self.records.table) else []
        for side, texts in (("a", wanted.a or ()), ("b", wanted.b)):
            found = {text: [one for one in ids if one.startswith(text)] for text in texts}
            self.selected[side] = [held[0] for held in found.values() if len(held) == 1]
            lost = [text for text, held in found.items() if len(held) != 1]
            if lost:
                said = ", ".join(map(quoted, lost[:3])) + (" and more" * (len(lost) > 3))
                notes.append(f"The address asks for experiments that are not here: {said}.")
        self._none = wanted.a == ()
        if asked(wanted.ticks, "selection", ["b"], notes) is not None:
            self.ticks.value = "b"
        return notes

    def address(self) -> str:
        """Return the query of an address that opens the page as it is."""
        ids = self.records.table["id"].tolist() if len(self.records.table) else []
        short = dict(zip(ids, short_ids(ids, LETTERS), strict=True))
        first = finished(self.visible)["id"].tolist()[:FIRST] if ids else []
        a, b = (tuple(short[n] for n in self.selected[side]) for side in ("a", "b"))
        kept = {name: tuple(one.value) for name, one in self.filters.items() if one.value}
        return to_query(
            Choices(
                filters=kept,
                a=None if self.selected["a"] == first else a,
                b=b,
                ticks="b" if self.ticks.value == "b" else "",
                **self.views.choices(),
            )
        )

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
        known = set((self.records.table if self._two else self.visible)["id"])
        for side, names in self.selected.items():
            self.selected[side] = [name for name in names if name in known]
        if not self.selected["a"] and not self._none:
            self.selected["a"] = there[:FIRST]
        self._none = False
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
        self.clear.visible = self._two
        there = set(finished(self.records.table)["id"])
        notes = _failures(self.visible)
        drawn: dict[str, list[str]] = {}
        for side in ("a", "b") if self._two else ("a",):
            wanted = [name for name in self.selected[side] if name in there]
            if len(wanted) > MOST:
                notes.insert(
                    0, f"{len(wanted)} experiments are chosen; the first {MOST} are drawn."
                )
            drawn[side.upper() if self._two else ""] = wanted[:MOST]
        every = list(dict.fromkeys(name for names in drawn.values() for name in names))
        parts, damaged = self._read(every)
        notes += damaged
        sides = [
            Side(side, {name: parts[name] for name in names if name in parts}, self.records.path)
            for side, names in drawn.items()
        ]
        self.views.show(sides, self.records.stamps([*parts]))
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
        bar = heading(name, self.summary, pn.Row(self.watching, self.button, styles=LAST))
        filters = pn.FlexBox(*self.filters.values())
        left = card(
            self.ignored,
            filters,
            pn.Row(self.ticks, self.clear, margin=0),
            self.table,
            self.notes,
            width=_table.WIDTH,
        )
        body = pn.FlexBox(left, self.views.layout, align_items="flex-start", margin=0)
        page = pn.Column(bar, body, sizing_mode="stretch_width", margin=0)
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
