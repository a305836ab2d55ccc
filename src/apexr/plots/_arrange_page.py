"""Where the parts of an interactive figure stand: the counterpart of ``_arrange`` for bokeh.

The browser lays a figure out. This module sets the width of each panel, the height of its
axes, text of a size that fits, in lines that fit, and legends that stand below their axes.
"""

from typing import Any

import numpy as np

from apexr.plots._paper import SCREEN, Sizes, sizes_for
from apexr.plots._wrap import wrapped

_INCH = 96
_BESIDE = 62
"""Pixels that ticks and the name of an axis take next to a panel."""
_BAR = 70
"""Pixels of a color bar with its numbers and name."""
_READABLE, _SEEN = 150, 110
"""Pixels of axes with curves, and with images, below which panels stand in fewer columns."""
_MOST_COLUMNS = 3
_BOLD = 1.15
"""How much wider the letters of a title are."""


class _Estimate:
    """Widths of text without a browser: no letter of a sans-serif font is wider on average."""

    @staticmethod
    def width(text: str, size: float) -> float:
        """Return the pixels that the longest line of a text of so many points takes."""
        return max(map(len, text.split("\n"))) * 0.56 * size * _INCH / 72


def arrange_page(figure: Any, width: float | None) -> None:
    """Give text its size and all parts of a figure their place.

    Parameters
    ----------
    figure
        A figure of bokeh or a grid of them, as HoloViews has made it.
    width
        Inches; None keeps the widths of the panels.
    """
    from bokeh.models import Plot

    grid = _grid(figure)
    plots = list(figure.select({"type": Plot}))
    columns = _columns(plots, grid, width)
    for plot in plots:
        if width is not None:
            _fit(plot, _INCH * width / columns, sizes_for(width))
        else:
            place_legends(plot, plot.width or 600, SCREEN)


def _grid(figure: Any) -> Any:
    from bokeh.models import GridPlot

    return next(iter(figure.select({"type": GridPlot})), None)


def _columns(plots: list[Any], grid: Any, width: float | None) -> int:
    """Return how many panels stand in a row; fewer where they could not be read or seen."""
    if grid is None:
        return 1
    columns = 1 + max(column for _, _, column, *_ in grid.children)
    if width is None:
        return columns
    least = _SEEN if all(_is_image(plot) for plot in plots) else _READABLE
    beside = _BESIDE + _BAR * max(len(_bars(plot)) for plot in plots)
    wanted = columns
    while wanted > 1 and _INCH * width / wanted - beside < least:
        wanted -= 1
    if wanted < columns:
        order = sorted(grid.children, key=lambda child: child[1:3])
        grid.children = [
            (child[0], *divmod(place, wanted), *child[3:]) for place, child in enumerate(order)
        ]
    return wanted


def _is_image(plot: Any) -> bool:
    from bokeh.models import Image

    return any(isinstance(getattr(one, "glyph", None), Image) for one in plot.renderers)


def _bars(plot: Any) -> list[Any]:
    return [one for one in plot.right if type(one).__name__ == "ColorBar"]


def _fit(plot: Any, width: float, sizes: Sizes) -> None:
    """Give a panel its width and text of such sizes."""
    from bokeh.models import NoOverlap

    bars = _bars(plot)
    ratio = _ratio(plot, bars)
    beside = _beside(plot, sizes)
    body = max(width - beside - _BAR * len(bars), _READABLE / 4)
    plot.width, plot.height = round(width), None
    least = max(2.2 * sizes.tick, _write_cells(plot, body, sizes.tick))
    plot.frame_height = round(max(body / ratio, _rows(plot) * least))
    plot.min_border = 2
    plot.toolbar.autohide = True
    for axis in plot.axis:
        axis.axis_label_text_font_size = f"{sizes.label}pt"
        axis.major_label_text_font_size = f"{sizes.tick}pt"
        axis.axis_label_standoff = 2
        axis.major_label_policy = NoOverlap()
    for axis in plot.xaxis:
        axis.axis_label = _lines(axis.axis_label, body + _BESIDE / 2, sizes.label)
    for axis in plot.yaxis:
        axis.axis_label = _lines(axis.axis_label, plot.frame_height + 20, sizes.label)
    for bar in bars:
        bar.width = 10
        bar.title_text_font_size = f"{sizes.label}pt"
        bar.major_label_text_font_size = f"{sizes.tick}pt"
    plot.title.text_font_size = f"{sizes.title}pt"
    plot.title.text = wrapped(
        plot.title.text or "", (width - beside) / _BOLD, sizes.title, _Estimate
    )
    place_legends(plot, width, sizes)


def _lines(text: Any, most: float, size: float) -> Any:
    return wrapped(text, most, size, _Estimate) if isinstance(text, str) else text


def _ratio(plot: Any, bars: list[Any]) -> float:
    """Return width over height of the axes, as they were made."""
    wide, high = plot.width or 600, plot.height or 400
    return max(wide - _BESIDE - _BAR * len(bars), 50) / max(high - 75, 50)


def _beside(plot: Any, sizes: Sizes) -> float:
    """Return the pixels that ticks, names of rows and the name of an axis take next to a panel."""
    names = [text for axis in plot.yaxis for text in axis.major_label_overrides.values()]
    widest = max((_Estimate.width(str(name), sizes.tick) for name in names), default=0.0)
    return max(_BESIDE, widest + _BESIDE / 2)


def _rows(plot: Any) -> int:
    """Return how many rows with names there are, which do not get closer than their text."""
    return max((len(axis.major_label_overrides) for axis in plot.yaxis), default=0)


def _write_cells(plot: Any, body: float, size: float) -> float:
    """Fit what is written into the cells of a heat map; return the height that a cell needs."""
    from bokeh.models import Text

    columns = max((len(axis.major_label_overrides) for axis in plot.xaxis), default=0)
    written = [one for one in plot.renderers if isinstance(getattr(one, "glyph", None), Text)]
    if not columns or not written:
        return 0.0
    room = 0.84 * body / columns
    texts = [[str(text) for text in one.data_source.data[one.glyph.text]] for one in written]
    for long, short in ((" ", "\n"), ("diverged", "div.")):
        if max((_Estimate.width(text, size) for held in texts for text in held), default=0) > room:
            texts = [[text.replace(long, short) for text in held] for held in texts]
    widest = max((_Estimate.width(text, size) for held in texts for text in held), default=0.0)
    for one, held in zip(written, texts, strict=True):
        one.data_source.data = {**one.data_source.data, one.glyph.text: held}
        one.glyph.text_font_size = f"{size}pt"
        one.glyph.angle = np.pi / 2 if widest > room else 0.0
    lines = max((text.count("\n") + 1 for held in texts for text in held), default=1)
    return widest if widest > room else 1.3 * lines * size * _INCH / 72


def place_legends(plot: Any, width: float, sizes: Sizes) -> None:
    """Put the legends of a panel below its axes, in as many columns as there is room for.

    Parameters
    ----------
    plot
        A figure of bokeh.
    width
        Its pixels.
    sizes
        Of text.
    """
    for legend in list(plot.legend):
        for place in ("center", "left", "right", "above"):
            held = getattr(plot, place)
            if legend in held:
                setattr(plot, place, [one for one in held if one is not legend])
        legend.label_text_font_size = f"{sizes.legend}pt"
        legend.title_text_font_size = f"{sizes.legend}pt"
        legend.update(
            glyph_height=14, label_height=14, spacing=0, padding=4, margin=9, title_standoff=2
        )
        texts = [_short(item, width - 60, sizes.legend) for item in legend.items]
        longest = max((_Estimate.width(text, sizes.legend) for text in texts), default=0)
        fitting = int((width - 20) // (longest + 45))
        legend.ncols = max(1, min(fitting, _MOST_COLUMNS, len(texts)))
        legend.orientation = "vertical"
        legend.location = "center"
        if legend not in plot.below:
            plot.add_layout(legend, "below")


def _short(item: Any, most: float, size: float) -> str:
    """Return the text of a legend's entry, which loses its end where it is too long."""
    text = getattr(item.label, "value", None) or ""
    if _Estimate.width(text, size) <= most:
        return str(text)
    kept = text[: max(1, int(most / (0.56 * size * _INCH / 72)) - 1)] + "…"
    item.label = {"value": kept}
    return kept
