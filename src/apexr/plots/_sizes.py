"""How large the networks of a study are, and how far they see."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._selection import pick
from apexr.plots._experiments import names_of_experiments
from apexr.plots._panels import shaped
from apexr.plots._style import NO_VALUE, PALETTE, arranged, as_text, axis_label, holoviews, style

_PARTS = ("num_parameters", "receptive_field")
ROW, PAGE_ROW = 0.34, 34
"""Height of a row: in parts of a panel, and in points of a page."""


def sizes(ds: xr.Dataset) -> Any:
    """Return number of parameters and receptive field of all networks, as a HoloViews layout.

    One row for each network that differs in these: trainings do not change them. A receptive
    field that has no end within the domain (global convolutions, dense layers) is drawn as an
    open triangle at the right edge.

    Parameters
    ----------
    ds
        A study or a result, in memory or lazy.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    """
    arrays = [pick(ds, name).compute() for name in _PARTS]
    table = [np.atleast_1d(_first(array)) for array in arrays]
    names = _names(ds, table)
    rows = list(dict.fromkeys(zip(names, *table, strict=True)))
    rows = sorted(rows, key=lambda row: row[1], reverse=True)
    panels = [_panel(rows, place, array) for place, array in enumerate(arrays)]
    return arranged(panels, len(panels))


def _first(array: xr.DataArray) -> np.ndarray:
    """Return the number of each experiment; seeds do not differ."""
    array = array.max("seed") if "seed" in array.dims else array
    return array.values.astype(float)


def _names(ds: xr.Dataset, table: list[np.ndarray]) -> list[str]:
    """Return the network of each experiment, and where that does not tell, all that differs."""
    nets = [as_text(str(net)) for net in np.atleast_1d(ds["net"].values)]
    if len(set(zip(nets, *table, strict=True))) == len(set(nets)):
        return nets
    return names_of_experiments(ds.drop_vars("train", errors="ignore"))


def _panel(rows: Sequence[tuple[Any, ...]], place: int, array: xr.DataArray) -> Any:
    """Return one quantity of all networks, a row for each."""
    hv = holoviews()
    values = np.array([row[place + 1] for row in rows], dtype=float)
    low, top = _decades(values[np.isfinite(values)])
    shown = np.where(np.isposinf(values), top, values)
    dims = (
        hv.Dimension(str(array.name), label=axis_label(array)),
        hv.Dimension("row", label=" "),
    )
    names = [str(row[0]) if place == 0 else "" for row in rows]
    both = {
        "logx": True,
        "yticks": list(enumerate(names)),
        "ylim": (-0.6, len(rows) - 0.4),
        "xlim": (low, top * 1.3),
        "title": _said(values),
    }
    size = {"height": 140 + PAGE_ROW * len(rows), "width": 520 if place == 0 else 380}
    parts = [*_stems(shown, low, dims), *_heads(shown, np.isposinf(values), dims)]
    drawn = style(hv.Overlay(parts), "Overlay.rows", both=both)
    return shaped(drawn, bokeh=size, aspect=4.2 / (0.5 + ROW * len(rows)))


def _said(values: np.ndarray) -> str:
    """Return what the panel's signs mean, and how many numbers are not known."""
    words = ["▶ the whole domain"] if np.isposinf(values).any() else []
    unknown = int(np.isnan(values).sum())
    return ", ".join([*words, *([f"{unknown} not stored"] if unknown else [])])


def _stems(shown: np.ndarray, low: float, dims: tuple[Any, Any]) -> list[Any]:
    """Return a thin line from the edge to each number."""
    known = np.flatnonzero(~np.isnan(shown))
    x = np.array([[low, shown[row], np.nan] for row in known]).ravel()
    y = np.array([[row, row, np.nan] for row in known], dtype=float).ravel()
    thin: dict[str, dict[str, Any]] = {
        "matplotlib": {"linewidth": 1.0},
        "bokeh": {"line_width": 1.0, "tools": []},
    }
    return [style(holoviews().Curve((x, y), *dims), "Curve", both={"color": NO_VALUE}, **thin)]


def _heads(shown: np.ndarray, endless: np.ndarray, dims: tuple[Any, Any]) -> list[Any]:
    """Return dots at numbers, triangles where there is no end."""
    hv = holoviews()
    rows = np.arange(len(shown))
    dots, arrows = (hv.Scatter((shown[at], rows[at]), *dims) for at in (~endless, endless))
    pointing = {"color": PALETTE[1], "marker": ">"}
    return [
        style(dots, "Scatter", both={"color": PALETTE[0]}),
        style(arrows, "Scatter", both=pointing, bokeh={"marker": "triangle", "angle": -90}),
    ]


def _decades(ends: np.ndarray) -> tuple[float, float]:
    """Return whole decades that hold all numbers, so that there are ticks to read."""
    if not ends.size:
        return (1.0, 10.0)
    low, top = np.floor(np.log10(ends.min() / 1.2)), np.ceil(np.log10(1.2 * ends.max()))
    return (float(10**low), float(10**top))
