"""A figure that is drawn once and then filled again for every frame of a film.

Matplotlib draws axes, titles and color bar a single time. For a frame, numbers go through the
color map by a table and straight into the pixels of their axes; only the curves and the line
that tells the time are drawn by matplotlib again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from apexr.plots._style import (
    DIVERGING,
    EDGE,
    NO_VALUE,
    PALETTE,
    axis_label,
    byte_colors,
    require_matplotlib,
)
from apexr.plots._views import NAMED_EDGES, aspect, edges, project

_DPI = 100
_LEFT, _RIGHT, _TOP, _BOTTOM = 78, 112, 46, 56
_GAP_X, _GAP_Y = 30, 66
_VOLUME = "#f7f7f7"


@dataclass(frozen=True)
class Window:
    """The pixels of one pair of axes, and which number goes to which of them."""

    rows: slice
    columns: slice
    pick_rows: np.ndarray
    pick_columns: np.ndarray
    free: np.ndarray


class Stage:
    """The figure of a film.

    Parameters
    ----------
    planes
        The content of the first frame, in rows: planes ``(row, column)`` as images, or states
        ``(x)`` as curves, with their ``title``.
    limit
        Numbers are shown from ``-limit`` to ``limit``.
    title
        Stands above all.
    panel
        Pixels along the longer side of an image.
    """

    def __init__(
        self, planes: Sequence[Sequence[xr.DataArray]], limit: float, title: str, panel: int
    ) -> None:
        require_matplotlib("films need")
        from matplotlib.figure import Figure

        self._limit = limit
        flat = planes[0][0].ndim == 1
        columns = max(map(len, planes))
        across, high = (round(1.3 * panel), panel) if flat else _sides(planes, panel)
        right = 20 if flat else _RIGHT
        width = _LEFT + columns * across + (columns - 1) * _GAP_X + right
        height = _TOP + len(planes) * (high + _GAP_Y) + _BOTTOM - 34
        self.size = (width + width % 2, height + height % 2)
        figure = Figure((self.size[0] / _DPI, self.size[1] / _DPI), dpi=_DPI, facecolor="white")
        self._canvas = _canvas(figure)
        boxes = [
            (
                _LEFT + column * (across + _GAP_X),
                self.size[1] - _TOP - row * (high + _GAP_Y) - high - 32,
                across,
                high,
            )
            for row, found in enumerate(planes)
            for column in range(len(found))
        ]
        shown = [plane for row in planes for plane in row]
        inner = [column > 0 for row in planes for column in range(len(row))]
        self._axes = [
            self._furnish(
                figure.add_axes(self._fraction(box if flat else _within(box, aspect(plane)))),
                plane,
                bare,
            )
            for box, plane, bare in zip(boxes, shown, inner, strict=True)
        ]
        if not flat:
            self._add_colorbar(figure, planes, boxes)
        figure.text(_LEFT / self.size[0], 1 - 24 / self.size[1], title, size=11, va="center")
        self._said = figure.text(
            1 - 20 / self.size[0], 1 - 24 / self.size[1], "", size=11, va="center", ha="right"
        )
        self._said.set_animated(True)
        self._lines = (
            [self._line(axes, plane) for axes, plane in zip(self._axes, shown, strict=True)]
            if flat
            else []
        )
        self._canvas.draw()
        self._empty = self._canvas.copy_from_bbox(figure.bbox)
        self._pixels = np.asarray(self._canvas.buffer_rgba())
        if not flat:
            self._table = byte_colors(DIVERGING, NO_VALUE).view(np.uint32).ravel()
            self._windows = [
                self._window(axes, plane) for axes, plane in zip(self._axes, shown, strict=True)
            ]

    def draw(self, shown: Sequence[np.ndarray], said: str) -> np.ndarray:
        """Return the picture ``(height, width, 4)`` of a frame; the next call draws over it."""
        figure = self._canvas.figure
        self._canvas.restore_region(self._empty)
        self._said.set_text(said)
        figure.draw_artist(self._said)
        if self._lines:
            for line, values in zip(self._lines, shown, strict=True):
                line.set_ydata(values)
                line.axes.draw_artist(line)
        else:
            for window, values in zip(self._windows, shown, strict=True):
                self._paint(window, values)
        return self._pixels

    def palette(self) -> np.ndarray:
        """Return up to 256 colors ``(color, 3)`` that all frames can do with."""
        from matplotlib.colors import to_rgb

        grays = np.repeat(np.linspace(0, 255, 32)[:, None], 3, axis=1)
        tints = [
            255 - s * (255 - 255 * np.array(to_rgb(PALETTE[0]))) for s in np.linspace(0, 1, 15)
        ]
        table = byte_colors(DIVERGING, NO_VALUE)[:, :3]
        chosen = table[np.linspace(0, 255, 208).round().astype(int)]
        return np.concatenate([chosen, table[-1:], grays, tints]).round().astype(np.uint8)

    # --- drawn once --------------------------------------------------------------------------

    def _fraction(self, box: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
        width, height = self.size
        return (box[0] / width, box[1] / height, box[2] / width, box[3] / height)

    def _furnish(self, axes: Any, plane: xr.DataArray, inner: bool) -> Any:
        """Give axes their title, names, ticks and limits."""
        axes.set_title(plane.attrs["title"], size=11)
        axes.tick_params(labelsize=9)
        if plane.ndim == 1:
            axes.set_xlim(plane["x"].values[0], plane["x"].values[-1])
            axes.set_ylim(-1.05 * self._limit, 1.05 * self._limit)
            axes.grid(True, color="#dddddd", linewidth=0.8)
            names = axis_label(plane["x"]), axis_label(plane)
        elif plane.dims[1] == "right":
            return self._furnish_volume(axes, plane.attrs["half_sides"])
        else:
            up, right = plane.dims
            axes.set_xlim(*_extent(plane[right].values))
            axes.set_ylim(*_extent(plane[up].values))
            axes.set_facecolor(NO_VALUE)
            names = axis_label(plane[right]), axis_label(plane[up])
        axes.set_xlabel(names[0], size=10)
        axes.set_ylabel("" if inner and plane.ndim == 1 else names[1], size=10, labelpad=2)
        if inner:
            axes.set_ylabel("")
            axes.tick_params(labelleft=False)
        return axes

    @staticmethod
    def _furnish_volume(axes: Any, half: Sequence[float]) -> Any:
        axes.set(xlim=(-1, 1), ylim=(-1, 1), xticks=[], yticks=[], facecolor=_VOLUME)
        for edge in edges(half):
            axes.plot(*project(edge).T, color=EDGE, linewidth=0.8)
        for name, middle in NAMED_EDGES.items():
            axes.text(*project(1.18 * np.array(half) * middle), f"{name} [–]", size=9, ha="center")
        for side in axes.spines.values():
            side.set_visible(False)
        return axes

    def _add_colorbar(
        self,
        figure: Any,
        planes: Sequence[Sequence[xr.DataArray]],
        boxes: Sequence[tuple[int, int, int, int]],
    ) -> None:
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        left = max(x + width for x, _, width, _ in boxes) + 14
        low = min(y for _, y, _, _ in boxes)
        top = max(y + height for _, y, _, height in boxes)
        axes = figure.add_axes(self._fraction((left, low, 14, top - low)))
        colors = ScalarMappable(Normalize(-self._limit, self._limit), DIVERGING)
        bar = figure.colorbar(colors, cax=axes, extend="both", extendfrac=0.02)
        bar.set_label(axis_label(planes[0][0]), size=10)
        axes.tick_params(labelsize=9)

    @staticmethod
    def _line(axes: Any, state: xr.DataArray) -> Any:
        (line,) = axes.plot(
            state["x"].values, state.values, color=PALETTE[0], linewidth=1.8, animated=True
        )
        return line

    def _window(self, axes: Any, plane: xr.DataArray) -> Window:
        """Return the pixels within the frame of the axes that nothing has been drawn to."""
        box = axes.get_window_extent()
        height = self.size[1]
        rows = slice(round(height - box.y1) + 1, round(height - box.y0) - 1)
        columns = slice(round(box.x0) + 1, round(box.x1) - 1)
        inside = self._pixels[rows, columns].view(np.uint32)[..., 0]
        ground = np.argmax(np.bincount(np.unique(inside, return_inverse=True)[1].ravel()))
        return Window(
            rows,
            columns,
            _nearest(inside.shape[0], plane.shape[0])[::-1],
            _nearest(inside.shape[1], plane.shape[1]),
            inside == np.unique(inside)[ground],
        )

    # --- drawn for every frame ---------------------------------------------------------------

    def _paint(self, window: Window, values: np.ndarray) -> None:
        """Write numbers into the pixels of their axes."""
        scaled = (values / self._limit + 1) * 128
        sound = np.isfinite(scaled)
        place = np.where(sound, np.clip(np.where(sound, scaled, 0), 0, 255), 256).astype(np.intp)
        colors = self._table[place][window.pick_rows[:, None], window.pick_columns]
        target = self._pixels[window.rows, window.columns].view(np.uint32)[..., 0]
        np.copyto(target, colors, where=window.free)


def _sides(planes: Sequence[Sequence[xr.DataArray]], panel: int) -> tuple[int, int]:
    """Return width and height of the images: those of the domain where all have the same."""
    ratios = {aspect(plane) for row in planes for plane in row}
    ratio = ratios.pop() if len(ratios) == 1 else 1.0
    return round(panel * min(ratio, 1)), round(panel / max(ratio, 1))


def _within(box: tuple[int, int, int, int], ratio: float) -> tuple[int, int, int, int]:
    """Return the largest ``(left, low, width, height)`` of such a ratio in the middle of one."""
    left, low, width, height = box
    across, high = min(width, round(height * ratio)), min(height, round(width / ratio))
    return left + (width - across) // 2, low + (height - high) // 2, across, high


def _canvas(figure: Any) -> Any:
    """Return what a figure is drawn to: bytes in memory."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    return FigureCanvasAgg(figure)


def _extent(positions: np.ndarray) -> tuple[float, float]:
    """Return where the cells around equidistant positions begin and end."""
    half = (positions[-1] - positions[0]) / max(len(positions) - 1, 1) / 2
    return float(positions[0] - half), float(positions[-1] + half)


def _nearest(pixels: int, points: int) -> np.ndarray:
    """Return for each pixel the point that it lies in."""
    return ((np.arange(pixels) + 0.5) * points / pixels).astype(np.intp)
