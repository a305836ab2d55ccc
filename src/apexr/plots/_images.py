"""Planes of fields as images with equal colors, in rows and columns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr.plots._fields import Limit, finite
from apexr.plots._style import arranged, axis, axis_label, backends, holoviews, style
from apexr.plots._views import NAMED_EDGES, aspect, edges, project

_SQUARE = (1.0, 270, 290)
WIDE = (1.35, 340, 330)
"""Shape of an image over time and space: its aspect, and its size in a page."""

_AROUND = {"xlim": (-1.18, 1.02), "ylim": (-1.1, 1.1)}
"""Room for the names of the axes of a cube."""


def image(
    plane: xr.DataArray,
    limit: Limit,
    title: str,
    *,
    colorbar: bool = True,
    shape: tuple[float, int, int] | None = None,
) -> Any:
    """Return a plane ``(row, column)`` as an image, NaN as gray, within its limit.

    Its shape is by default that of the domain, or of the slice through it.
    """
    hv = holoviews()
    up, right = plane.dims
    ends = limit.ends(plane)
    drawn = hv.Image(
        (plane[right].values, plane[up].values, finite(plane).values),
        [axis(plane[right]), axis(plane[up])],
        [hv.Dimension(axis_label(plane), range=ends)],
    )
    ratio, width, height = shape or _of_domain(plane)
    size = {"width": width + (90 if colorbar else 0), "height": height}
    both = {"title": title, "colorbar": colorbar, "clim": ends, "cmap": limit.colors(plane)}
    drawn = style(drawn, "Image", both=both, matplotlib={"aspect": ratio}, bokeh=size)
    return drawn if right != "right" else _in_cube(drawn, plane, title, size)


def _of_domain(plane: xr.DataArray) -> tuple[float, int, int]:
    """Return the shape of an image of a plane in space: that of the domain."""
    square, width, height = _SQUARE
    ratio = aspect(plane)
    return square * ratio, round(width * ratio**0.5), round(height / ratio**0.5)


def _in_cube(drawn: Any, plane: xr.DataArray, title: str, size: dict[str, int]) -> Any:
    """Return a look through a volume within the edges of its box, which are named."""
    hv = holoviews()
    half = plane.attrs["half_sides"]
    frame = style(hv.Path([project(edge) for edge in edges(half)], ["right", "up"]), "Path")
    spots = [
        (*project(1.18 * np.array(half) * middle), f"{name} [–]")
        for name, middle in NAMED_EDGES.items()
    ]
    names = style(hv.Labels(spots, ["right", "up"], "name"), "Labels")
    bare = {"xaxis": None, "yaxis": None, "title": title, **_AROUND}
    return style(drawn * frame * names, "Overlay.volume", both=bare, bokeh=size)


def grid(rows: Sequence[Sequence[Any]], title: str = "") -> Any:
    """Return images in rows and columns; an inner panel does not name what all outer ones name.

    The title stands above all of them.
    """
    named = []
    for place, row in enumerate(rows):
        for column, panel in enumerate(row):
            below = [other[column] for other in rows[place + 1 :] if column < len(other)]
            named.append(
                bare(panel, x=_same(panel, below, 0), y=_same(panel, list(row[:column]), 1))
            )
    return arranged(named, max(map(len, rows)), title=title)


def _same(panel: Any, others: Sequence[Any], axis_number: int) -> bool:
    """Tell whether there are other panels, and all of them have the same axis."""
    own = panel.kdims[axis_number : axis_number + 1]
    same = [bool(own) and own == other.kdims[axis_number : axis_number + 1] for other in others]
    return bool(same) and all(same)


def bare(panel: Any, *, x: bool, y: bool) -> Any:
    """Return a panel without the names of the axes that its neighbors bear."""
    hv = holoviews()
    if not (x or y):
        return panel
    names = {**({"xlabel": ""} if x else {}), **({"ylabel": ""} if y else {})}
    for backend in backends():
        kind = type(panel).__name__
        panel = panel.opts(hv.Options(kind, backend=backend, **names))
    return panel
