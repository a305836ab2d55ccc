"""Widths of figures in a paper, and the size that text has in them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from apexr.errors import SpecError, suggest

WIDTHS = {"column": 3.4, "page": 7.0}
"""Inches of what journals call one column and two."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of text and lines in points.

    Attributes
    ----------
    title, label, tick, legend
        Of text.
    line, thin, marker
        Widths of curves and of frames, and the side of a marker.
    """

    title: float
    label: float
    tick: float
    legend: float
    line: float
    thin: float
    marker: float


SCREEN = Sizes(title=13, label=13, tick=11, legend=11, line=2.0, thin=0.8, marker=7.5)
_COLUMN = Sizes(title=8, label=8, tick=7, legend=7, line=1.2, thin=0.5, marker=4)
_PAGE = Sizes(title=8.5, label=8, tick=7, legend=7, line=1.4, thin=0.6, marker=4.5)
SMALLEST = 6.5
"""Points below which no text is set, whatever it costs in space."""


def inches(width: float | str) -> float:
    """Return a width in inches.

    Raises
    ------
    SpecError
        If it is neither a name nor a positive number.
    """
    if isinstance(width, str):
        if width not in WIDTHS:
            known = ", ".join(repr(name) for name in WIDTHS)
            raise SpecError(
                f"width must be {known} or inches, got {width!r}{suggest(width, WIDTHS)}"
            )
        return WIDTHS[width]
    if not isinstance(width, int | float) or isinstance(width, bool) or not 0.5 <= width <= 100:
        raise SpecError(f"width must be between 0.5 and 100 inches, got {width!r}")
    return float(width)


def sizes_for(width: float) -> Sizes:
    """Return the sizes of text and lines in a figure so many inches wide."""
    if width <= WIDTHS["page"]:
        return _PAGE if width > 1.3 * WIDTHS["column"] else _COLUMN
    factor = width / WIDTHS["page"]
    return Sizes(**{name: factor * size for name, size in vars(_PAGE).items()})


def scale(figure: Any, sizes: Sizes) -> None:
    """Give text its size, and scale what is measured in points."""
    from matplotlib.collections import Collection
    from matplotlib.lines import Line2D

    factor = sizes.line / SCREEN.line
    for axes in figure.axes:
        axes.title.set_fontsize(sizes.title)
        for text in axes.texts:
            text.set_fontsize(sizes.tick)
        for side in (axes.xaxis, axes.yaxis):
            side.label.set_fontsize(sizes.label)
            side.labelpad = 0.35 * sizes.label
            side.get_offset_text().set_fontsize(sizes.tick)
        axes.tick_params(which="both", labelsize=sizes.tick, width=sizes.thin, pad=0.5 * sizes.tick)
        axes.tick_params(which="major", length=0.4 * sizes.tick)
        axes.tick_params(which="minor", length=0.22 * sizes.tick)
        for side in axes.spines.values():
            side.set_linewidth(sizes.thin)
    for text in figure.texts:
        text.set_fontsize(sizes.title)
    _each(figure, Line2D, lambda line: line.set_linewidth(line.get_linewidth() * factor))
    _each(figure, Line2D, lambda line: line.set_markersize(line.get_markersize() * factor))
    _each(figure, Collection, lambda group: _scale_group(group, factor))


def _scale_group(group: Any, factor: float) -> None:
    group.set_linewidth([each * factor for each in np.atleast_1d(group.get_linewidth())])
    if hasattr(group, "set_sizes") and len(np.atleast_1d(group.get_sizes())):
        group.set_sizes(np.atleast_1d(group.get_sizes()) * factor**2)


def _each(figure: Any, kind: type, act: Callable[[Any], None]) -> None:
    for part in {id(part): part for part in figure.findobj(kind)}.values():
        act(part)
