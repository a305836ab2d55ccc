"""Figures at the width of a paper's column or page, text at a size that can be read."""

from collections.abc import Iterator
from typing import Any

from apexr.errors import SpecError, suggest

WIDTHS = {"column": 3.4, "page": 7.0}
"""Inches of what journals call one column and two."""

_SMALLEST = 6.5
_PAD = 0.02
_ROUNDS = 4


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


def fit(figure: Any, width: float) -> float:
    """Scale a matplotlib figure so that all it shows is so many inches wide; return the margin.

    Lines, markers and text shrink alike, but text not below 6.5 points, so that a few rounds are
    needed.
    """
    for _ in range(_ROUNDS):
        figure.canvas.draw()
        shown = figure.get_tightbbox().width + 2 * _PAD
        if abs(shown - width) < 0.005 * width:
            break
        _scale(figure, width / shown)
    return _PAD


def _scale(figure: Any, factor: float) -> None:
    """Scale a figure and what in it is measured in points."""
    from matplotlib.collections import Collection
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

    anchors = [_anchor(axes) for axes in figure.axes]
    figure.set_size_inches(figure.get_size_inches() * factor)
    for text in _unique(figure, Text):
        size = text.get_fontsize()
        text.set_fontsize(max(size * factor, min(size, _SMALLEST)))
    for line in _unique(figure, Line2D):
        line.set_linewidth(line.get_linewidth() * factor)
        line.set_markersize(line.get_markersize() * factor)
    for group in _unique(figure, Collection):
        group.set_linewidth([each * factor for each in group.get_linewidth()])
        if hasattr(group, "set_sizes") and len(group.get_sizes()):
            group.set_sizes(group.get_sizes() * factor**2)
    for axes, anchor in zip(figure.axes, anchors, strict=True):
        _scale_axes(axes, factor)
        _renew_legend(axes, anchor)


def _unique(figure: Any, kind: type) -> Iterator[Any]:
    yield from {id(part): part for part in figure.findobj(kind)}.values()


def _scale_axes(axes: Any, factor: float) -> None:
    """Scale ticks, frame and the room around names."""
    for side in axes.spines.values():
        side.set_linewidth(side.get_linewidth() * factor)
    for each in (axes.xaxis, axes.yaxis):
        each.labelpad *= factor
        labels = each.get_ticklabels()
        size = labels[0].get_fontsize() if labels else _SMALLEST
        for which in ("major", "minor"):
            looks = each.get_tick_params(which)
            each.set_tick_params(
                which,
                labelsize=size,
                length=looks.get("length", 3.5 if which == "major" else 2.0) * factor,
                pad=looks.get("pad", 3.5) * factor,
            )


def _anchor(axes: Any) -> Any:
    """Return where a legend hangs, in parts of its axes; it may be given in points."""
    legend = axes.get_legend()
    return legend and legend.get_bbox_to_anchor().transformed(axes.transAxes.inverted()).bounds


def _renew_legend(axes: Any, anchor: Any) -> None:
    """Make a legend again: the room within it follows the size of its text only at first."""
    old = axes.get_legend()
    if old is None:
        return
    handles, texts, title = old.legend_handles, old.get_texts(), old.get_title()
    axes.legend(
        handles,
        [text.get_text() for text in texts],
        title=title.get_text() or None,
        fontsize=texts[0].get_fontsize(),
        title_fontsize=title.get_fontsize(),
        loc=old._loc,
        ncols=old._ncols,
        bbox_to_anchor=anchor,
        borderaxespad=old.borderaxespad,
    )
