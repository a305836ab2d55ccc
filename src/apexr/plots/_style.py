"""Looks as data: what an axis is called, and the options of each element and backend.

HoloViews is imported by :func:`holoviews` and nowhere else, on the first plot.
"""

import functools
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from apexr._inert import inert
from apexr.errors import needs

PALETTE = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#4d4d4d",
    "#8c6bb1",
)
"""Colors that stay apart for color-blind readers and in gray."""

MARKERS = {"o": "circle", "s": "square", "^": "triangle", "D": "diamond"}
"""Markers by matplotlib's and by bokeh's name, taken in turn once all colors are used."""

LINE_STYLES = ("solid", "dashed", "dotted", "dashdot")
"""Taken in turn once all colors are used."""

DIVERGING = "RdBu_r"
"""For fields, symmetric around 0."""
SEQUENTIAL = "viridis"
"""For magnitudes: errors, spectra."""
EDGE, TEXT = "#4d4d4d", "#1a1a1a"
NO_VALUE = "#bdbdbd"
"""Color of NaN in an image: a gap that is seen."""

_FONTS = {"title": 13, "labels": 13, "ticks": 11, "legend": 11}
_BELOW = 40
"""Points from the axes down to a legend below them: room for ticks and a name."""
MOST_INSIDE = 3
"""A legend of more entries stands below the axes, where it covers no curve."""


OPTIONS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "matplotlib": {
        "Curve": {"linewidth": 2.0},
        "Area": {"alpha": 0.22, "linewidth": 0},
        "Image": {"cmap": DIVERGING, "fontsize": _FONTS, "clipping_colors": {"NaN": NO_VALUE}},
        "Path": {"color": EDGE, "linewidth": 0.8},
        "Labels": {"color": TEXT, "size": 10},
        "Scatter": {"s": 60},
        "ErrorBars": {"linewidth": 1.2, "capsize": 0},
        "Overlay.volume": {"aspect": 1.0, "fontsize": _FONTS, "show_legend": False},
        "Overlay.rows": {"fontsize": _FONTS, "show_legend": False},
        "Overlay.heatmap": {"aspect": "auto", "fontsize": _FONTS, "show_legend": False},
        "Overlay": {
            "fig_inches": (7.5, 4.6),
            "aspect": "auto",
            "fontsize": _FONTS,
            "legend_position": "best",
        },
        "Layout": {"fontsize": _FONTS, "sublabel_format": ""},
    },
    "bokeh": {
        "Curve": {"line_width": 2.5, "tools": ["hover"]},
        "Area": {"fill_alpha": 0.22, "line_alpha": 0},
        "Image": {
            "cmap": DIVERGING,
            "tools": ["hover"],
            "clipping_colors": {"NaN": NO_VALUE},
        },
        "Path": {"color": EDGE, "line_width": 1},
        "Labels": {"text_color": TEXT, "text_font_size": "10pt"},
        "Scatter": {"size": 10, "tools": ["hover"]},
        "ErrorBars": {"line_width": 1.5, "upper_head": None, "lower_head": None},
        "Overlay.volume": {"show_legend": False},
        "Overlay.rows": {"show_legend": False, "fontscale": 1.2},
        "Overlay.heatmap": {"show_legend": False, "fontscale": 1.2},
        "Overlay": {
            "width": 800,
            "height": 500,
            "show_grid": True,
            "fontscale": 1.2,
        },
        "Layout": {},
    },
}


def holoviews() -> Any:
    """Return the module holoviews with its backends loaded."""
    import holoviews as hv

    backends()
    _show_in_notebooks()
    return hv


@functools.cache
def _show_in_notebooks() -> None:
    """Have the kernel of a notebook draw plots, with bokeh, unless it has been told how.

    Without an extension of HoloViews it would show a plot as a line of text.
    """
    shell = sys.modules.get("IPython")
    interactive = shell.get_ipython() if shell is not None else None
    if getattr(interactive, "kernel", None) is None:
        return
    import holoviews as hv

    if not getattr(hv.extension, "_loaded", False):
        hv.extension("bokeh", logo=False)


@functools.cache
def backends() -> tuple[str, ...]:
    """Load and return what HoloViews draws with here: bokeh, and matplotlib where it is installed.

    The last one is what HoloViews shows a plot with unless the user says otherwise.
    """
    import holoviews.plotting.bokeh

    try:
        import holoviews.plotting.mpl  # noqa: F401
    except ImportError:
        return ("bokeh",)
    return ("bokeh", "matplotlib")


def require_matplotlib(what: str) -> None:
    """Raise unless matplotlib is there, which pictures in files and films are drawn with.

    Parameters
    ----------
    what
        The feature that needs it, with its verb: "films need".

    Raises
    ------
    MissingExtraError
        Saying what to install.
    """
    with needs("plot", what):
        import matplotlib.figure  # noqa: F401


def byte_colors(name: str, no_value: str) -> Any:
    """Return a color map as bytes ``(257, 4)``; the last color stands for no value."""
    import matplotlib
    import numpy as np
    from matplotlib.colors import to_rgba

    table = matplotlib.colormaps[name](np.arange(256) / 255)
    return (255 * np.concatenate([table, [to_rgba(no_value)]])).round().astype(np.uint8)


def as_text(text: str, *, lines: bool = False) -> str:
    """Return a text of any stranger as pictures show it: as it is, never taken for a formula.

    Matplotlib reads TeX between dollar signs, bokeh after backslashes, too.
    """
    text = re.sub(r"\\(?!\$)", "\N{SET MINUS}", inert(text, lines=lines))
    return re.sub(r"(?<!\\)\$", r"\\$", text)


def axis(array: xr.DataArray) -> Any:
    """Return the HoloViews dimension of a labeled array: its label and its unit."""
    return holoviews().Dimension(str(array.name), label=axis_label(array))


def axis_label(array: xr.DataArray) -> str:
    """Return ``long_name [unit]``; a count has no unit, a dimensionless quantity has ``–``.

    Nothing is claimed of a quantity of unknown unit.
    """
    name = as_text(str(array.attrs.get("long_name", array.name)))
    return name if array.dtype.kind not in "fc" else f"{name}{bracketed(array)}"


def bracketed(array: xr.DataArray) -> str:
    """Return the unit of an array as it stands behind its name, nothing where it is unknown."""
    unit = str(array.attrs.get("units", ""))
    return f" [{'–' if unit == '1' else as_text(unit)}]" if unit else ""


def style(element: Any, kind: str, **options: Mapping[str, Any]) -> Any:
    """Return ``element`` with the options of ``kind`` in each backend.

    Parameters
    ----------
    element
        A HoloViews object.
    kind
        Key of :data:`OPTIONS`: the type of the element, and after a point what it is used for.
    options
        Further options, ``both=…`` or by backend.
    """
    for backend in backends():
        defaults = OPTIONS[backend][kind]
        merged = {**defaults, **options.get("both", {}), **options.get(backend, {})}
        if "title" in merged:  # HoloViews formats titles
            title = as_text(merged["title"], lines=True)
            merged["title"] = title.replace("{", "{{").replace("}", "}}")
        element = (
            element.opts(holoviews().Options(kind.partition(".")[0], backend=backend, **merged))
            if merged
            else element
        )
    return element


def look(index: int) -> dict[str, dict[str, Any]]:
    """Return color and line style of the ``index``-th curve, by backend."""
    dash = LINE_STYLES[index // len(PALETTE) % len(LINE_STYLES)]
    return {
        "both": {"color": PALETTE[index % len(PALETTE)]},
        "matplotlib": {"linestyle": dash},
        "bokeh": {"line_dash": dash},
    }


def marker(index: int) -> dict[str, dict[str, Any]]:
    """Return color and marker of the ``index``-th group of points, by backend."""
    shape = [*MARKERS][index // len(PALETTE) % len(MARKERS)]
    return {
        "both": {"color": PALETTE[index % len(PALETTE)]},
        "matplotlib": {"marker": shape},
        "bokeh": {"marker": MARKERS[shape]},
    }


def legend_title(text: str) -> dict[str, dict[str, Any]]:
    """Return the options that give an overlay's legend a title, by backend; "" for none."""

    def finish(plot: Any, element: object) -> None:
        """Add what HoloViews leaves out of matplotlib overlays: legend title and light grid."""
        if "legend" in plot.handles:
            plot.handles["legend"].set_title(text, prop={"size": _FONTS["legend"]})
            _put_below(plot)
        axes = plot.handles["axis"]
        axes.grid(True, color="#dddddd", linewidth=0.8)
        for side in (axes.xaxis, axes.yaxis):
            side.set_zorder(-1)

    return {
        "matplotlib": {"hooks": [finish]},
        "bokeh": {"legend_opts": {"title": text}, "hooks": [legends_below]},
    }


def _put_below(plot: Any) -> None:
    """Put a large legend of matplotlib below its axes, where it covers no curve."""
    from matplotlib.transforms import offset_copy

    legend, axes = plot.handles["legend"], plot.handles["axis"]
    if len(legend.get_texts()) <= MOST_INSIDE or plot.legend_position != "best":
        return
    legend.set_loc("upper left")
    low = offset_copy(axes.transAxes, axes.figure, 0, -_BELOW, "points")
    legend.set_bbox_to_anchor((0, 0), transform=low)


def legends_below(plot: Any, _: object) -> None:
    """Put the legends of a figure of bokeh below its axes, where they cover no curve; a hook."""
    figure = plot.state
    for legend in list(figure.legend):
        if legend in figure.center:
            figure.center = [one for one in figure.center if one is not legend]
            legend.update(location="left", margin=2, padding=4, spacing=0)
            figure.add_layout(legend, "below")


def fill(index: int) -> dict[str, dict[str, Any]]:
    """Return the fill of the ``index``-th band, by backend."""
    color = PALETTE[index % len(PALETTE)]
    both = {"color": color}
    return {"both": both, "matplotlib": {"facecolor": color}, "bokeh": {"fill_color": color}}


def arranged(panels: Sequence[Any], columns: int, vspace: float = 0.3, title: str = "") -> Any:
    """Return panels side by side, in rows of so many columns; space is in parts of a panel."""
    layout = holoviews().Layout(list(panels)).cols(columns)
    room = {"fig_inches": 4.2, "hspace": 0.35, "vspace": vspace}
    return style(layout, "Layout", both={"title": title} if title else {}, matplotlib=room)
