"""Pictures to files."""

import os
from pathlib import Path
from typing import Any

from apexr.errors import SpecError
from apexr.plots._style import holoviews

_BACKENDS = {".png": "matplotlib", ".svg": "matplotlib", ".pdf": "matplotlib", ".html": "bokeh"}


def save(obj: Any, path: str | os.PathLike[str]) -> Path:
    """Write a plot to a file and return its path; the suffix says how.

    Parameters
    ----------
    obj
        What a plot function returned.
    path
        ``.png``, ``.svg`` and ``.pdf`` are drawn by matplotlib; ``.html`` is an interactive page
        by bokeh that needs no network.

    Raises
    ------
    SpecError
        If the suffix is another.
    """
    target = Path(path)
    backend = _BACKENDS.get(target.suffix.lower())
    if backend is None:
        raise SpecError(f"cannot draw {target.name!r}: the suffix must be one of {[*_BACKENDS]}")
    target.parent.mkdir(parents=True, exist_ok=True)
    drawn = holoviews().renderer(backend).get_plot(obj).state
    _WRITERS[backend](drawn, target)
    return target


def _write_page(figure: Any, target: Path) -> None:
    """Write a page that holds all its scripts."""
    from bokeh.embed import file_html
    from bokeh.resources import INLINE

    target.write_text(file_html(figure, INLINE, title=target.stem), encoding="utf-8")


def _write_picture(figure: Any, target: Path) -> None:
    """Write a picture with nothing cut off."""
    import matplotlib.pyplot as plt

    try:
        figure.savefig(target, dpi=150, bbox_inches="tight", facecolor="white")
    finally:
        plt.close(figure)


_WRITERS = {"bokeh": _write_page, "matplotlib": _write_picture}
