"""Pictures to files."""

import os
from pathlib import Path
from typing import Any

from apexr._fits import describe
from apexr.errors import SpecError
from apexr.plots._arrange import arrange_figure
from apexr.plots._arrange_page import arrange_page
from apexr.plots._offline import self_contained
from apexr.plots._paper import SCREEN, inches, sizes_for
from apexr.plots._style import holoviews, require_matplotlib

_BACKENDS = {".png": "matplotlib", ".svg": "matplotlib", ".pdf": "matplotlib", ".html": "bokeh"}
_SCREEN_DPI, _PAPER_DPI = 150, 300
_EMBEDDED: Any = {
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "apexr",
}
"""Fonts as fonts in a PDF, text as text in an SVG."""


def save(
    obj: Any,
    path: str | os.PathLike[str],
    width: float | str | None = None,
    dpi: int | None = None,
) -> Path:
    """Write a plot to a file and return its path; the suffix says how.

    Parameters
    ----------
    obj
        The return value of a plot function.
    path
        ``.png``, ``.svg`` and ``.pdf`` are drawn by matplotlib; ``.html`` is an interactive page
        by bokeh that needs no network, and no extra of apexr.
    width
        ``"column"`` or ``"page"`` of a paper (3.4 and 7 inches), or inches; in a page an inch is 96
        pixels. Text keeps a readable size. By default the size for a screen.
    dpi
        Dots per inch of a PNG; by default 300 where a width is given, otherwise 150.

    Raises
    ------
    SpecError
        If it is no plot, the suffix is another, the width cannot be used, or the plot has
        sliders: a picture shows one frame of it, which is to be chosen.
    MissingExtraError
        If a file is to be drawn by matplotlib, which is not installed.
    """
    target = Path(path)
    backend = _BACKENDS.get(target.suffix.lower())
    if backend is None:
        raise SpecError(f"cannot draw {target.name!r}: the suffix must be one of {[*_BACKENDS]}")
    if not hasattr(obj, "traverse"):
        raise SpecError(
            f"save takes what a plot function returned, got {describe(obj)}; draw it first, as in"
            f" save(apexr.plot.metric(ds), {str(path)!r})"
        )
    size = None if width is None else inches(width)
    if dpi is not None and not dpi > 0:
        raise SpecError(f"dpi must be positive, got {dpi}")
    if backend == "matplotlib":
        require_matplotlib(f"pictures to {target.suffix} files need")
    _refuse_frames(obj, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    if backend == "bokeh":
        _write_page(obj, target, size)
    else:
        _write_picture(obj, target, size, dpi)
    return target


def _refuse_frames(obj: Any, target: Path) -> None:
    """Raise if a plot has many frames; as a picture it would silently show one of them."""
    hv = holoviews()
    sliders = obj.traverse(lambda part: part, [hv.HoloMap, hv.DynamicMap])
    if not sliders:
        return
    names = [str(dim) for dim in sliders[0].kdims]
    raise SpecError(
        f"cannot write {target.name!r}: the plot has sliders, a frame for every"
        f" {', '.join(names)}. Choose one: plot[{', '.join(names)}], or draw it with"
        " apexr.plot.compare; films are made by apexr.plot.animate, and sliders work in a notebook"
    )


def _write_page(obj: Any, target: Path, width: float | None) -> None:
    """Write a page that holds all its scripts."""
    from bokeh.embed import file_html
    from bokeh.resources import INLINE

    figure = holoviews().renderer("bokeh").get_plot(obj).state
    arrange_page(figure, width)
    page = file_html(figure, INLINE, title=target.stem)
    target.write_text(self_contained(page), encoding="utf-8")


def picture(obj: Any, width: float | str | None = None) -> Any:
    """Return a plot as a figure of matplotlib in which nothing covers anything else.

    Parameters
    ----------
    obj
        The return value of a plot function.
    width
        As for :func:`save`.
    """
    size = None if width is None else inches(width)
    figure = holoviews().renderer("matplotlib").get_plot(obj).state
    arrange_figure(figure, size, SCREEN if size is None else sizes_for(size))
    return figure


def _write_picture(obj: Any, target: Path, width: float | None, dpi: int | None) -> None:
    """Write a picture in which nothing is cut off."""
    import matplotlib.pyplot as plt

    with plt.rc_context(_EMBEDDED):
        figure = picture(obj, width)
        try:
            dots = dpi or (_SCREEN_DPI if width is None else _PAPER_DPI)
            figure.savefig(target, dpi=dots, facecolor="white")
        finally:
            plt.close(figure)
