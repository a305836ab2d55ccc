"""Where the parts of a drawn figure stand, so that none covers another.

HoloViews puts panels on a grid whose gaps are parts of a panel, whatever stands in them. Here text
has its size, what stands around each panel is measured, and the panels share the room that is left.
Works on figures of matplotlib.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from apexr.plots._drawn import (
    Panel,
    covers,
    leave_out_repeated_ticks,
    panels_of,
    point_bars,
    shared_bar,
)
from apexr.plots._paper import SCREEN, SMALLEST, Sizes, scale
from apexr.plots._style import MOST_INSIDE
from apexr.plots._ticks import Names, Which, names_of_ticks, set_names, thin_ticks
from apexr.plots._wrap import Ruler, wrapped

_PAD, _GAP = 0.04, 0.12
"""Inches around the figure, and from what belongs to one panel to what belongs to the next."""
_BAR, _TO_BAR = 0.1, 0.06
_TO_LEGEND = 0.05
_LEAST_BODY = 0.3
_READABLE, _SEEN = 0.8, 0.42
"""Inches of axes with curves, and of images, below which panels are put into fewer columns."""
_NAMES = 0.42
"""Part of the width that the names of rows may take."""
_MOST_ROUNDS = 4
_BOTH: tuple[Which, Which] = ("y", "x")


def arrange_figure(figure: Any, width: float | None, sizes: Sizes = SCREEN) -> None:
    """Give text its size and all parts of a figure their place.

    Parameters
    ----------
    figure
        As HoloViews has drawn it.
    width
        Inches; None keeps the width of the panels together.
    sizes
        Of text and lines.
    """
    _Arrangement(figure, width, sizes).settle()


class _Arrangement:
    def __init__(self, figure: Any, width: float | None, sizes: Sizes) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        if not hasattr(figure.canvas, "get_renderer"):
            FigureCanvasAgg(figure)  # HoloViews draws to none, and text is measured on one
        figure.draw_without_rendering()
        self.figure, self.sizes = figure, sizes
        point_bars(figure)
        self.panels = panels_of(figure)
        self.width = figure.get_size_inches()[0] if width is None else width
        self.columns = 1 + max(panel.column for panel in self.panels)
        self.rows = 1 + max(panel.row for panel in self.panels)
        self.ruler = Ruler(figure)
        self.heading = figure.texts[0] if figure.texts else None
        self.shared = shared_bar(self.panels)
        self.below: dict[int, Any] = {}
        """Legends that stand below their axes, by the number of the panel."""
        self.common: Any = None
        """One legend for all panels, below all of them."""
        self.first: dict[int, tuple[Any, str, float]] = {}
        """Texts and their sizes, before they were broken into lines."""
        self.names: dict[tuple[int, Which], tuple[Any, Names]] = {}
        """The earlier names of rows and columns."""
        self.lefts, self.rights = np.zeros(self.columns), np.zeros(self.columns)
        self.bodies = np.ones(self.columns)

    def settle(self) -> None:
        """Find the places of everything."""
        scale(self.figure, self.sizes)
        legends = {place: p.axes.get_legend() for place, p in enumerate(self.panels)}
        legends = {place: one for place, one in legends.items() if one is not None}
        for legend in legends.values():
            legend.set_visible(False)
            legend.set_in_layout(False)
        self._choose_columns()
        for panel in self.panels:
            leave_out_repeated_ticks(panel, self.panels)
        self._place_all()
        if not legends:
            return
        self._set_legends(legends)
        self._place_all()
        covering = {
            place: legend
            for place, legend in legends.items()
            if self.common is None and place not in self.below and self._covers(place)
        }
        for place, legend in covering.items():
            panel = self.panels[place]
            self.below[place] = self._outside(panel.axes, legend, self._cell(panel)[1])
        if covering:
            self._place_all()

    def _choose_columns(self) -> None:
        """Put panels into fewer columns where curves would be too narrow to be read."""
        curved = any(not panel.axes.images for panel in self.panels)
        least = _READABLE if curved else _SEEN
        self._measure()
        self._place()
        rows = (names_of_ticks(panel.axes, "y") for panel in self.panels)
        if any(names and not any(text for _, text in names) for names in rows):
            return  # they bear the names of their neighbor
        while self.columns > 1 and np.min(self.bodies) < least:
            self._put_into_columns(-(-self.columns // 2))
            self._measure()
            self._place()

    def _put_into_columns(self, columns: int) -> None:
        """Break rows of images into shorter rows; let panels with curves follow each other."""
        names = {panel.row: panel.axes.get_ylabel() for panel in self.panels if panel.column == 0}
        places = [*range(len(self.panels))]
        if all(panel.axes.images for panel in self.panels):
            rows = -(-self.columns // columns)  # for each row that there is
            places = [p.row * rows * columns + p.column for p in self.panels]
        for place, panel in zip(places, self.panels, strict=True):
            if place % columns == 0 and not panel.axes.get_ylabel().strip():
                panel.axes.set_ylabel(names.get(panel.row, ""))
            panel.row, panel.column = divmod(place, columns)
        self.columns, self.rows = columns, 1 + self.panels[-1].row
        self.lefts, self.rights = np.zeros(columns), np.zeros(columns)

    # --- places --------------------------------------------------------------------------------

    def _place_all(self) -> None:
        places = np.zeros(0)
        for number in range(_MOST_ROUNDS):  # text is broken for the places of the round before
            self._measure()
            self._write()
            self._place()
            before, places = places, np.concatenate([self.lefts, self.bodies])
            if number and np.allclose(before, places, atol=0.01):
                break
        for axes in (axes for panel in self.panels for axes in (panel.axes, *panel.bars)):
            thin_ticks(axes, self.ruler)
        for _ in range(_MOST_ROUNDS):  # numbers at axes of another size may need more room
            before = np.array([panel.edges for panel in self.panels])
            self._measure(grow=True)
            if np.allclose(before, [panel.edges for panel in self.panels], atol=0.01):
                break
            self._write()
            self._place()

    def _measure(self, *, grow: bool = False) -> None:
        """Find out what stands around each panel; room is not given back where it may ``grow``."""
        self.figure.draw_without_rendering()
        renderer, dpi = self.ruler.renderer, self.figure.dpi
        for place, panel in enumerate(self.panels):
            body = panel.axes.get_window_extent(renderer)
            boxes = [
                axes.get_tightbbox(renderer, for_layout_only=True)
                for axes in (panel.axes, *(bar for bar in panel.bars if bar is not self.shared))
            ]
            boxes = [body, *(box for box in boxes if box is not None)]
            low = np.min([box.min for box in boxes], axis=0)
            high = np.max([box.max for box in boxes], axis=0)
            edges = np.array(
                [body.x0 - low[0], high[0] - body.x1, body.y0 - low[1], high[1] - body.y1]
            )
            edges /= dpi
            if place in self.below:
                edges[2] += self._height_of(self.below[place]) + _TO_LEGEND
            panel.edges = np.maximum(panel.edges, edges) if grow else edges
        for column in range(self.columns):
            held = [panel for panel in self.panels if panel.column == column]
            self.lefts[column] = max(panel.edges[0] for panel in held)
            self.rights[column] = max(
                (panel.edges[1] for panel in held if not self._ends_a_short_row(panel)), default=0.0
            )

    def _ends_a_short_row(self, panel: Panel) -> bool:
        """Tell whether nothing stands where the next column is, so that a bar may reach into it."""
        return panel.column < self.columns - 1 and not any(
            (other.row, other.column) == (panel.row, panel.column + 1) for other in self.panels
        )

    def _height_of(self, part: Any) -> float:
        return float(part.get_window_extent(self.ruler.renderer).height / self.figure.dpi)

    def _bar_room(self) -> float:
        """Return the width that the bar of all rows takes."""
        if self.shared is None:
            return 0.0
        box = self.shared.get_tightbbox(self.ruler.renderer)
        body = self.shared.get_window_extent(self.ruler.renderer)
        return _TO_BAR + _BAR + (box.x1 - body.x1) / self.figure.dpi

    def _place(self) -> None:
        """Give the figure its size and all axes their places."""
        ratios = np.array(
            [
                max(panel.ratio for panel in self.panels if panel.column == column)
                for column in range(self.columns)
            ]
        )
        taken = 2 * _PAD + self.lefts.sum() + self.rights.sum() + _GAP * (self.columns - 1)
        free = max(self.width - taken - self._bar_room(), _LEAST_BODY * self.columns)
        self.bodies = free * ratios / ratios.sum()
        high = free / ratios.sum()
        heights = np.array(
            [
                max((max(high, self._least(p)) for p in self.panels if p.row == row), default=0)
                for row in range(self.rows)
            ]
        )
        tops, lows = (self._most_of_rows(end) for end in (3, 2))
        foot = self._height_of(self.common) + _TO_LEGEND if self.common is not None else 0.0
        head = self._height_of(self.heading) + _TO_LEGEND if self.heading is not None else 0.0
        height = 2 * _PAD + (heights + tops + lows).sum() + _GAP * (self.rows - 1) + foot + head
        width = taken + free + self._bar_room()
        self.figure.set_size_inches(width, height)
        starts = (
            _PAD
            + np.cumsum(self.lefts)
            + np.concatenate([[0], np.cumsum(self.bodies[:-1] + self.rights[:-1] + _GAP)])
        )
        above = np.concatenate([[0], np.cumsum(heights[:-1] + lows[:-1] + _GAP)])
        bottoms = height - _PAD - head - np.cumsum(tops) - above - heights
        if self.heading is not None:
            self.heading.set(x=0.5, y=1 - _PAD / height, va="top", ha="center")
        for place, panel in enumerate(self.panels):
            left, low = starts[panel.column], bottoms[panel.row]
            wide, tall = self.bodies[panel.column], heights[panel.row]
            if panel.rigid:
                shown = min(wide, tall * panel.ratio)
                left, wide, tall = left + (wide - shown) / 2, shown, shown / panel.ratio
                low += heights[panel.row] - tall
            self._put(panel.axes, (left, low, wide, tall), width, height)
            for bar in panel.bars:
                if bar is not self.shared:
                    self._put(bar, (left + wide + _TO_BAR, low, _BAR, tall), width, height)
            if place in self.below:
                under = bottoms[panel.row] - panel.edges[2] + self._height_of(self.below[place])
                _hang(self.below[place], self._cell(panel)[0] / width, under / height)
            if self.columns == 1:
                self._center_title(panel.axes)
        if self.shared is not None:
            end = starts[-1] + self.bodies[-1] + self.rights[-1]
            span = (bottoms[-1], bottoms[0] + heights[0] - bottoms[-1])
            self._put(self.shared, (end + _TO_BAR, span[0], _BAR, span[1]), width, height)
        if self.common is not None:
            _hang(self.common, 0.5, (_PAD + self._height_of(self.common)) / height)

    def _most_of_rows(self, end: int) -> np.ndarray:
        rows = range(self.rows)
        held = ([p.edges[end] for p in self.panels if p.row == row] for row in rows)
        return np.array([max(edges, default=0.0) for edges in held])

    @staticmethod
    def _put(axes: Any, box: tuple[float, ...], width: float, height: float) -> None:
        left, low, wide, tall = box
        axes.set_aspect("auto")
        axes.set_box_aspect(None)
        axes.set_position((left / width, low / height, wide / width, tall / height))
        axes.set_in_layout(True)

    def _least(self, panel: Panel) -> float:
        """Return the height that the names of rows, or what is written into cells, need."""
        lines = [text.count("\n") + 1 for _, text in names_of_ticks(panel.axes, "y")]
        row = self.sizes.tick / 72 * (1.3 * max(lines, default=0) + 0.4)
        least = row * (len(lines) + 0.2) if lines else 0.0
        if panel.cells:
            written = [text.get_text().count("\n") + 1 for text in panel.axes.texts]
            least = max(least, panel.cells[0] * 1.3 * max(written) * self.sizes.tick / 72 + 0.1)
        return least

    def _slot(self, panel: Panel) -> float:
        """Return the width that a text in the middle above or below a panel may have."""
        if self.columns == 1:
            return self.width - 2 * _PAD
        column, last = panel.column, self.columns - 1
        left = _PAD + self.lefts[0] if column == 0 else self._between(column - 1) / 2
        if column == last:
            right = self.rights[last] + self._bar_room() + _PAD
        else:
            right = self._between(column) / 2
        return float(self.bodies[column] + 2 * max(min(left, right) - 0.03, 0))

    def _cell(self, panel: Panel) -> tuple[float, float]:
        """Return the middle and the width of all the room that a panel has."""
        column = panel.column
        before = self.lefts[:column] + self.bodies[:column] + self.rights[:column] + _GAP
        bar = self._bar_room() if column == self.columns - 1 else 0.0
        own = float(self.lefts[column] + self.bodies[column] + self.rights[column] + bar)
        return _PAD + float(before.sum()) + own / 2, own

    def _between(self, column: int) -> float:
        return float(self.rights[column] + _GAP + self.lefts[column + 1])

    # --- text ----------------------------------------------------------------------------------

    def _write(self) -> None:
        """Break titles and names into lines that fit where they stand."""
        if self.heading is not None:
            self._break(self.heading, self.width - 2 * _PAD)
        for panel in self.panels:
            axes, slot = panel.axes, self._slot(panel)
            body = axes.get_position(original=False)
            self._break(axes.title, slot)
            if self.columns == 1:
                slot = self._around(body)
            tall = axes.get_window_extent(self.ruler.renderer).height / self.figure.dpi
            self._break(axes.xaxis.label, slot)
            self._break(axes.yaxis.label, tall + 0.1)
            for bar in panel.bars:
                whole = bar.get_window_extent(self.ruler.renderer).height / self.figure.dpi
                self._break(bar.yaxis.label, whole + 0.1)
            self._break_names(panel)

    def _around(self, body: Any) -> float:
        """Return the inches that a text may take whose middle is that of lone axes."""
        middle = body.x0 + body.width / 2
        return float(2 * (min(middle, 1 - middle) * self.width - _PAD))

    def _center_title(self, axes: Any) -> None:
        """Put a title above the middle of its axes, or of the figure where it is too wide for that.

        It is done whenever axes get a place: the middle of the figure is elsewhere in each.
        """
        body = axes.get_position(original=False)
        wide = self.ruler.width(axes.title.get_text(), axes.title.get_fontsize())
        fits = wide <= self._around(body)
        axes.title.set_x(0.5 if fits else (0.5 - body.x0) / body.width)

    def _break(self, text: Any, most: float) -> None:
        """Break a text into lines that are no longer than so many inches."""
        if not text.get_text().strip():
            return
        _, first, size = self.first.setdefault(
            id(text), (text, text.get_text(), text.get_fontsize())
        )
        longest = max(self.ruler.width(word, size) for word in first.split() or [""])
        size = max(min(size, size * most / max(longest, 1e-6)), min(size, SMALLEST))
        text.set_fontsize(size)
        text.set_text(wrapped(first, most, size, self.ruler))

    def _names_of(self, axes: Any, which: Which) -> Names:
        """Return the names of rows or columns as they were before any was broken."""
        return self.names.setdefault((id(axes), which), (axes, names_of_ticks(axes, which)))[1]

    def _break_names(self, panel: Panel) -> None:
        """Break names of rows and columns, and numbers in cells, where they would not fit."""
        axes, size = panel.axes, self.sizes.tick
        rows, names = (self._names_of(axes, which) for which in _BOTH)
        if rows:
            most = _NAMES * self.width
            set_names(axes, "y", [(at, wrapped(t, most, size, self.ruler)) for at, t in rows])
        if names:
            room = 0.94 * self.bodies[panel.column] / len(names)
            broken = [(at, wrapped(text, room, size, self.ruler, cut=False)) for at, text in names]
            upright = all(self.ruler.width(text, size) <= room for _, text in broken)
            upright = upright and max(text.count("\n") for _, text in broken) < 4
            set_names(axes, "x", broken if upright else names, upright=upright)
        if panel.cells:
            room = 0.84 * self.bodies[panel.column] / panel.cells[1]
            for text in axes.texts:
                if self.ruler.width(text.get_text(), text.get_fontsize()) > room:
                    text.set_text(text.get_text().replace(" ", "\n"))
                if self.ruler.width(text.get_text(), text.get_fontsize()) > room:
                    text.set_text(text.get_text().replace("diverged", "div."))
            held = [(text.get_text(), text.get_fontsize()) for text in axes.texts]
            narrow = any(self.ruler.width(said, size) > room for said, size in held)
            for text in axes.texts:
                text.set_rotation(90 if narrow else 0)

    # --- legends -------------------------------------------------------------------------------

    def _set_legends(self, legends: dict[int, Any]) -> None:
        """Put each legend where it covers nothing: into its axes, or below them."""
        said = {tuple(text.get_text() for text in one.get_texts()) for one in legends.values()}
        if len(said) == 1 and len(self.panels) > 1:
            place, legend = next(iter(legends.items()))
            for other in [*legends][1:]:
                self.panels[other].axes.get_legend().remove()
            self.common = self._outside(self.panels[place].axes, legend, self.width - 2 * _PAD)
            return
        for place, legend in legends.items():
            panel = self.panels[place]
            if panel.entries <= MOST_INSIDE and self._inside(panel, legend):
                continue
            self.below[place] = self._outside(panel.axes, legend, self._cell(panel)[1])

    def _inside(self, panel: Panel, legend: Any) -> bool:
        """Try to put a legend into its axes; tell whether it covers nothing there."""
        axes, renderer = panel.axes, self.ruler.renderer
        texts = [text.get_text() for text in legend.get_texts()]
        made = self._made(axes, legend, texts, 1, 0.9 * self.width)
        made.set_loc("best")
        self.figure.draw_without_rendering()
        box, body = made.get_window_extent(renderer), axes.get_window_extent(renderer)
        fits = box.width < 0.8 * body.width and box.height < 0.5 * body.height
        return fits and not covers(axes, box)

    def _covers(self, place: int) -> bool:
        axes = self.panels[place].axes
        self.figure.draw_without_rendering()
        return covers(axes, axes.get_legend().get_window_extent(self.ruler.renderer))

    def _outside(self, axes: Any, legend: Any, most: float) -> Any:
        """Return a legend below the axes, in as many columns as there is room for."""
        size = self.sizes.legend
        texts = [text.get_text() for text in legend.get_texts()]
        texts = [wrapped(text, most - 5 * size / 72, size, self.ruler) for text in texts]
        for columns in range(min(len(texts), 4), 0, -1):
            made = self._made(axes, legend, texts, columns, most - 0.15)
            made.set_loc("upper center")
            made.set_in_layout(False)
            wide = made.get_window_extent(self.ruler.renderer).width / self.figure.dpi
            if wide <= most - 2 * _PAD:  # its frame is drawn around it
                break
        return made

    def _made(self, axes: Any, legend: Any, texts: Sequence[str], columns: int, most: float) -> Any:
        """Return a legend again: the room within it follows the size of its text only at first."""
        title = legend.get_title().get_text()
        size = self.sizes.legend
        made = axes.legend(
            legend.legend_handles,
            texts,
            title=wrapped(title, most, size, self.ruler) or None,
            fontsize=size,
            title_fontsize=size,
            ncols=columns,
            handlelength=1.8,
            columnspacing=1.2,
            borderaxespad=0.4,
        )
        made.set_zorder(1e6)
        return made


def _hang(legend: Any, x: float, y: float) -> None:
    """Hang a legend at a point of the figure, by the middle of its upper edge."""
    figure = legend.get_figure()
    legend.borderaxespad = 0
    legend.set_bbox_to_anchor((x, y), transform=figure.transFigure)
    legend.set_visible(True)
