"""The parts of a drawn figure: panels, their color bars, and overlaps."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Panel:
    """One pair of axes, its place in the grid, and what belongs to it.

    Attributes
    ----------
    axes
        The axes.
    row, column
        Where it stands.
    ratio
        Width over height of the axes.
    bars
        Axes of its color bars.
    edges
        Inches that names and ticks take on the left, right, bottom and top.
    """

    axes: Any
    row: int
    column: int
    ratio: float
    bars: list[Any] = field(default_factory=list)
    edges: np.ndarray = field(default_factory=lambda: np.zeros(4))

    @property
    def rigid(self) -> bool:
        """Whether the shape says something: that of a domain."""
        return bool(self.axes.images) and not self.cells

    @property
    def cells(self) -> tuple[int, int] | None:
        """Rows and columns of a heat map, whose cells bear numbers."""
        if not self.axes.images:
            return None
        shape = self.axes.images[0].get_array().shape[:2]
        return shape if len(self.axes.texts) == shape[0] * shape[1] else None

    @property
    def entries(self) -> int:
        """How many entries its legend has."""
        legend = self.axes.get_legend()
        return len(legend.get_texts()) if legend is not None else 0


def covers(axes: Any, box: Any) -> bool:
    """Tell whether a box (of pixels) covers a curve, a point or a text of axes."""
    from matplotlib.transforms import Bbox

    box = Bbox.intersection(box, axes.bbox)  # nothing is drawn beyond the axes
    if box is None:
        return False
    for line in axes.get_lines():
        path = line.get_transform().transform_path(line.get_path())
        if line.get_visible() and len(path.vertices) and path.intersects_bbox(box, filled=False):
            return True
    for group in axes.collections:
        spots = group.get_offset_transform().transform(np.ma.filled(group.get_offsets(), np.nan))
        points = hasattr(group, "get_sizes") and len(np.atleast_1d(group.get_sizes())) > 0
        if points and any(box.padded(4).contains(*spot) for spot in spots):
            return True
        if not points and not np.any(group.get_facecolor()):
            paths = [group.get_transform().transform_path(path) for path in group.get_paths()]
            if any(len(p.vertices) and p.intersects_bbox(box, filled=False) for p in paths):
                return True
    shown = (text for text in axes.texts if text.get_visible() and text.get_text())
    return any(Bbox.intersection(text.get_window_extent(), box) is not None for text in shown)


def panels_of(figure: Any) -> list[Panel]:
    """Return the panels of a figure with their color bars."""
    bars: dict[int, list[Any]] = {}
    for axes in figure.axes:
        for drawn in (*axes.images, *axes.collections):
            if drawn.colorbar is not None:
                bars.setdefault(id(axes), []).append(drawn.colorbar.ax)
    every = {id(bar) for held in bars.values() for bar in held}
    found = []
    for axes in figure.axes:
        if id(axes) in every or not axes.get_visible() or not axes.has_data():
            continue
        spec = axes.get_subplotspec()
        spec = spec.get_topmost_subplotspec() if spec is not None else None
        row, column = (spec.rowspan.start, spec.colspan.start) if spec is not None else (0, 0)
        body = axes.get_window_extent()
        found.append(Panel(axes, row, column, body.width / body.height, bars.get(id(axes), [])))
    return sorted(found, key=lambda panel: (panel.row, panel.column))


def point_bars(figure: Any) -> None:
    """Give color bars arrows at those ends beyond which values of their images are clipped.

    A bar stands for all images with its colors and limits, not for the one that it is drawn with.
    """
    images = [image for axes in figure.axes for image in axes.images]
    for image in images:
        if image.colorbar is None:
            continue
        low, high = image.get_clim()
        colors = image.get_cmap().name
        least, most = np.inf, -np.inf
        for one in images:
            if one.get_clim() == (low, high) and one.get_cmap().name == colors:
                values = np.ma.masked_invalid(one.get_array()).compressed()
                least, most = values.min(initial=least), values.max(initial=most)
        beyond = 1e-6 * (high - low)
        ends = (bool(least < low - beyond), bool(most > high + beyond))
        extend = _EXTENDED[ends]
        if extend != image.colorbar.extend:
            bar = image.colorbar.ax
            label = bar.get_ylabel()
            bar.clear()
            figure.colorbar(image, cax=bar, extend=extend).set_label(label)


_EXTENDED = {
    (False, False): "neither",
    (True, False): "min",
    (False, True): "max",
    (True, True): "both",
}


def shared_bar(panels: Sequence[Panel]) -> Any:
    """Return one color bar for all rows, where those of all rows say the same; hide the others."""
    held = [(bar, panel) for panel in panels for bar in panel.bars]
    if len(held) < 2 or len({panel.row for panel in panels}) != len(held):
        return None
    said = {
        (bar.get_ylim(), bar.get_ylabel(), panel.axes.images[0].get_cmap().name)
        for bar, panel in held
        if panel.axes.images
    }
    if len(said) != 1 or any(not panel.axes.images for _, panel in held):
        return None
    for bar, panel in held[1:]:
        bar.set_visible(False)
        panel.bars.remove(bar)
    return held[0][0]


def leave_out_repeated_ticks(panel: Panel, panels: Sequence[Panel]) -> None:
    """Leave out the numbers of an axis that has no name, because a neighbor's says the same."""
    axes = panel.axes
    left = [p for p in panels if (p.row, p.column) == (panel.row, panel.column - 1)]
    below = [p for p in panels if (p.row, p.column) == (panel.row + 1, panel.column)]
    if not axes.get_ylabel().strip() and left and left[0].axes.get_ylim() == axes.get_ylim():
        axes.tick_params(axis="y", which="both", labelleft=False)
    if not axes.get_xlabel().strip() and below and below[0].axes.get_xlim() == axes.get_xlim():
        axes.tick_params(axis="x", which="both", labelbottom=False)
