"""A reduced metric over two coordinates of a study."""

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._select import missing
from apexr.errors import SpecError
from apexr.plots._reduced import Runs, reduced, runs, short_label
from apexr.plots._style import SEQUENTIAL, holoviews, style
from apexr.schema import CONFIG_COORDS

_CELL = (1.05, 0.62)
_PAGE_CELL = (120, 70)
_LIGHT, _DARK = "#ffffff", "#1a1a1a"


def heatmap(
    ds: xr.Dataset,
    variable: str = "mean_nRMSE",
    x: str = "scenario",
    y: str = "net",
    step: int | None = None,
    up_to: int = 100,
) -> Any:
    """Return a metric over two coordinates of a study as an annotated image.

    A cell is the median over the seeds of all experiments that fall into it, written out;
    below it stands how many of its seeds diverged. Cells whose seeds all diverged are grey, as
    are combinations that the study does not have, with a dash. Colours are logarithmic.

    Parameters
    ----------
    ds
        A study, in memory or lazy.
    variable
        Name or config string of a metric.
    x, y
        Coordinates along ``experiment``, such as ``scenario``, ``net``, ``train``, ``task``.
    step
        Time step of the metric; by default its geometric mean over time is taken.
    up_to
        Last step of the mean.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    SpecError
        If ``ds`` is no study, or the coordinates are the same.
    """
    if "experiment" not in ds.dims:
        raise SpecError("heatmap compares the experiments of a study; this is a single result")
    if x == y:
        raise SpecError(f"heatmap needs two different coordinates, got {x!r} twice")
    values = reduced(ds, variable, step, up_to)
    columns, rows = (_labels(values, name) for name in (x, y))
    cells = {
        (row, column): runs(values, _where(values, {y: row, x: column}))
        for row in rows
        for column in columns
    }
    return _drawn(values, cells, columns, rows, (x, y))


def _labels(values: xr.DataArray, name: str) -> list[str]:
    usable = [str(n) for n, c in values.coords.items() if c.dims == ("experiment",)]
    if name not in usable:
        raise missing(f"coordinate {name}", usable)
    return list(dict.fromkeys(map(str, values[name].values)))


def _where(values: xr.DataArray, wanted: dict[str, str]) -> list[int]:
    """Return the experiments whose coordinates are these."""
    flags = [values[name].values.astype(str) == label for name, label in wanted.items()]
    return np.flatnonzero(np.logical_and.reduce(flags)).tolist()


def _drawn(
    values: xr.DataArray,
    cells: dict[tuple[str, str], Runs],
    columns: list[str],
    rows: list[str],
    names: tuple[str, str],
) -> Any:
    hv = holoviews()
    rows = rows[::-1]  # the first one on top
    median = np.array([[cells[row, column].quantiles[1] for column in columns] for row in rows])
    low, high = _limits(median)
    dims = [hv.Dimension(name, label=_label(values[name])) for name in names]
    value = hv.Dimension("value", label=short_label(values))
    bounds = (-0.5, -0.5, len(columns) - 0.5, len(rows) - 0.5)
    image = hv.Image(median[::-1], dims, [value], bounds=bounds)
    colours = {"cmap": SEQUENTIAL, "clim": (low, high), "cnorm": "log"}
    image = style(image, "Image", both=colours, bokeh={"colorbar": True})
    texts = _texts(cells, columns, rows, (low, high))
    labels = [
        style(
            hv.Labels(found, dims, "text"),
            "Labels",
            matplotlib={"color": colour},
            bokeh={"text_color": colour},
        )
        for colour, found in texts.items()
    ]
    return style(
        hv.Overlay([image, *labels]),
        "Overlay.heatmap",
        both={
            "title": _title(values, names),
            "xticks": list(enumerate(columns)),
            "yticks": list(enumerate(rows)),
            "xlim": (-0.5, len(columns) - 0.5),
            "ylim": (-0.5, len(rows) - 0.5),
            "xrotation": 30 if max(map(len, columns)) > 12 else 0,
        },
        matplotlib={
            "hooks": [_colorbar(short_label(values))],
            "fig_inches": (3.2 + _CELL[0] * len(columns), 1.4 + _CELL[1] * len(rows)),
        },
        bokeh={
            "width": 260 + _PAGE_CELL[0] * len(columns),
            "height": 150 + _PAGE_CELL[1] * len(rows),
        },
    )


def _colorbar(label: str) -> Callable[[Any, Any], None]:
    """Return what puts a colour bar beside the axes; HoloViews puts it onto them."""

    def add(plot: Any, _: Any) -> None:
        axes = plot.handles["axis"]
        bar = axes.figure.colorbar(axes.images[0], ax=axes, pad=0.03)
        bar.set_label(label, size=13)
        bar.ax.tick_params(labelsize=11)

    return add


def _limits(median: np.ndarray) -> tuple[float, float]:
    sound = median[np.isfinite(median) & (median > 0)]
    if not sound.size:
        return (0.1, 1.0)
    low, high = float(sound.min()), float(sound.max())
    return (low, high) if high > low else (low / 2, high * 2)


def _label(coord: xr.DataArray) -> str:
    return str(coord.attrs.get("long_name", coord.name))


def _title(values: xr.DataArray, names: tuple[str, str]) -> str:
    """Return what a cell is, and over what its experiments are pooled."""
    pooled = [
        _label(values[name])
        for name in CONFIG_COORDS
        if name not in (*names, "scenario_kwargs")
        and name in values.coords
        and len(set(values[name].values)) > 1
    ]
    over = " and ".join(["seeds", *pooled])
    return f"{values.attrs['long_name']}\nmedian over {over}"


def _texts(
    cells: dict[tuple[str, str], Runs],
    columns: list[str],
    rows: list[str],
    limits: tuple[float, float],
) -> dict[str, list[tuple[int, int, str]]]:
    """Return what is written into the cells, by the colour that can be read there."""
    texts: dict[str, list[tuple[int, int, str]]] = {_LIGHT: [], _DARK: []}
    for place, row in enumerate(rows):
        for number, column in enumerate(columns):
            cell = cells[row, column]
            texts[_ink(cell, limits)].append((number, place, _text(cell)))
    return texts


def _text(cell: Runs) -> str:
    if not cell.values.size:
        return "–"
    median = cell.quantiles[1]
    lines = [f"{median:.2g}"] if np.isfinite(median) else []
    if cell.num_diverged:
        lines.append(f"{cell.num_diverged}/{cell.values.size} diverged")
    return "\n".join(lines)


def _ink(cell: Runs, limits: tuple[float, float]) -> str:
    median = cell.quantiles[1]
    if not np.isfinite(median) or median <= 0:
        return _DARK
    low, high = np.log(limits)
    return _LIGHT if (np.log(median) - low) / (high - low) < 0.6 else _DARK
