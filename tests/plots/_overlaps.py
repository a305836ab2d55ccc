"""What covers what in a drawn figure: boxes of text and legends, and the curves below them."""

from matplotlib.text import Text
from matplotlib.transforms import Bbox

TOLERANCE = 1.0
"""Pixels by which boxes may touch."""


def overlaps(figure):
    """Return in words each pair of things of which one covers the other, and what is cut off."""
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    whole = figure.bbox.padded(0.5)
    texts = list(_texts(figure, renderer))
    legends = [
        ("legend of " + (axes.get_title() or "axes"), axes.get_legend())
        for axes in figure.axes
        if axes.get_legend() is not None and axes.get_legend().get_visible()
    ]
    found = []
    for place, (name, box) in enumerate(texts):
        found += [f"{name!r} covers {other!r}" for other, b in texts[:place] if _meet(box, b)]
        if not (whole.contains(box.x0, box.y0) and whole.contains(box.x1, box.y1)):
            found.append(f"{name!r} leaves the figure")
    for name, legend in legends:
        box = legend.get_window_extent(renderer)
        own = {id(text) for text in legend.findobj(Text)}
        found += [
            f"{name} covers {text!r}"
            for text, b, key in _texts(figure, renderer, keys=True)
            if key not in own and _meet(box, b)
        ]
        for axes in figure.axes:
            curves = _curves(axes)
            found += [f"{name} covers {what}" for what, path in curves if _crosses(path, box, axes)]
        if not (whole.contains(box.x0, box.y0) and whole.contains(box.x1, box.y1)):
            found.append(f"{name} leaves the figure")
    found += [
        f"{name!r} stands over the axes of {axes.get_title()!r}"
        for name, box, key in _texts(figure, renderer, keys=True)
        for axes in figure.axes
        if axes.get_visible()
        and key not in {id(t) for t in axes.findobj(Text)}
        and _meet(box, axes.get_window_extent(renderer))
    ]
    return found


def smallest_text(figure):
    """Return the points of the smallest text that is shown."""
    figure.draw_without_rendering()
    return min(text.get_fontsize() for text in _shown(figure))


def _shown(figure):
    ticks = {}
    for axes in figure.axes:
        for side, end in ((axes.xaxis, 0), (axes.yaxis, 1)):
            move = side.get_transform().transform
            low, high = sorted(move(side.get_view_interval()))
            reach = 1e-6 * (high - low)
            for text in (*side.get_ticklabels(), *side.get_ticklabels(minor=True)):
                place = move([text.get_position()[end]])[0]
                ticks[id(text)] = low - reach <= place <= high + reach
            if not side.get_visible():
                ticks |= {id(text): False for text in side.findobj(Text)}
    for text in {id(t): t for t in figure.findobj(Text)}.values():
        seen = text.get_visible() and text.get_text().strip() and not _hidden(text, figure)
        if seen and ticks.get(id(text), True):
            yield text


def _hidden(text, figure):
    return any(
        not axes.get_visible() and id(text) in {id(t) for t in axes.findobj(Text)}
        for axes in figure.axes
    )


def _texts(figure, renderer, keys=False):
    for text in _shown(figure):
        box = text.get_window_extent(renderer)
        if box.width > 0:
            yield (text.get_text(), box, id(text)) if keys else (text.get_text(), box)


def _meet(one, other):
    return (
        min(one.x1, other.x1) - max(one.x0, other.x0) > TOLERANCE
        and min(one.y1, other.y1) - max(one.y0, other.y0) > TOLERANCE
    )


def _curves(axes):
    for number, line in enumerate(axes.get_lines()):
        path = line.get_transform().transform_path(line.get_path())
        if line.get_visible() and len(path.vertices):
            yield f"curve {number} of {axes.get_title()!r}", path


def _crosses(path, box, axes):
    """Tell whether a curve is seen in a box; what lies beyond its axes is not drawn."""
    seen = Bbox.intersection(box, axes.bbox)
    return seen is not None and path.intersects_bbox(seen, filled=False)
