"""A reduced metric over two coordinates of a study."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._selection import differing, label_rows, needed
from apexr.errors import SpecError
from apexr.plots._experiments import By, as_names, name_of, rows_of, unnamed
from apexr.plots._reduced import Runs, reduced, runs, short_label
from apexr.plots._style import SEQUENTIAL, holoviews, style

_CELL = (1.05, 0.62)
_PAGE_CELL = (120, 70)
_LIGHT, _DARK = "#ffffff", "#1a1a1a"


def heatmap(
    ds: xr.Dataset,
    variable: str = "mean_nRMSE",
    x: By = None,
    y: By = None,
    step: int | None = None,
    up_to: int = 100,
) -> Any:
    """Return a metric over the labels of a study as an annotated image.

    A cell is the median over the seeds of one configuration, written out; below it stands how
    many of its seeds diverged. A diverged seed is worse than all others. Cells with so many of
    them that the median is infinite are gray, as are combinations that the study does not have,
    with a dash. Colors are logarithmic.

    Parameters
    ----------
    ds
        A study, in memory or lazy.
    variable
        Name or config string of a metric.
    x, y
        Labels of experiments, or lists of them, as in :func:`metric`. By default the scenario,
        and the network with all that differs besides.
    step
        Time step of the metric; by default its geometric mean over time is taken.
    up_to
        Last step of the mean.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    SpecError
        If ``ds`` is no study, a label is in both, or several configurations fall into one cell.
    """
    if "experiment" not in ds.dims:
        raise SpecError("heatmap compares the experiments of a study; this is a single result")
    values = reduced(ds, variable, step, up_to)
    across, down = _axes(values, x, y)
    labels = label_rows(values, [*across, *down])
    names = [tuple(name_of({n: row[n] for n in axis}) for axis in (down, across)) for row in labels]
    groups: dict[Hashable, list[int]] = {}
    for place, name in enumerate(names):
        groups.setdefault(name, []).append(place)
    rows, columns = (list(dict.fromkeys(name[end] for name in names)) for end in (0, 1))
    found = runs(values, groups)
    none = Runs(np.array([]))
    cells = {(row, column): found.get((row, column), none) for row in rows for column in columns}
    titles = (_label(values, across), _label(values, down))
    return _drawn(values, cells, columns, rows, titles)


def _axes(values: xr.DataArray, x: By, y: By) -> tuple[list[str], list[str]]:
    """Return the labels of both axes, which tell all configurations apart."""
    across, down = (list(as_names(given or name)) for given, name in ((x, "scenario"), (y, "net")))
    twice = sorted({*across} & {*down})
    if twice:
        raise SpecError(f"heatmap needs two different labels, got {twice[0]!r} for x and for y")
    named = [*across, *down]
    rows = rows_of(values, named)
    if y is None:
        others = [name for name in differing(rows) if name not in named]
        return across, [*down, *needed(rows, others, fixed=named)]
    lacking = unnamed(rows, named)
    if lacking:
        raise SpecError(
            f"several configurations fall into one cell, they differ in {', '.join(lacking)}: name"
            f" these in y=[{', '.join(map(repr, (*down, *lacking)))}], or select experiments"
        )
    return across, down


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
    dims = [hv.Dimension(name, label=label) for name, label in zip("xy", names, strict=True)]
    value = hv.Dimension("value", label=short_label(values))
    bounds = (-0.5, -0.5, len(columns) - 0.5, len(rows) - 0.5)
    image = hv.Image(median[::-1], dims, [value], bounds=bounds)
    colors = {"cmap": SEQUENTIAL, "clim": (low, high), "cnorm": "log"}
    image = style(image, "Image", both=colors, bokeh={"colorbar": True})
    texts = _texts(cells, columns, rows, (low, high))
    labels = [
        style(
            hv.Labels(found, dims, "text"),
            "Labels",
            matplotlib={"color": color},
            bokeh={"text_color": color},
        )
        for color, found in texts.items()
    ]
    return style(
        hv.Overlay([image, *labels]),
        "Overlay.heatmap",
        both={
            "title": f"{values.attrs['long_name']}\nmedian over seeds",
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
    """Return the hook that puts a color bar next to the axes; HoloViews puts it onto them."""

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


def _label(values: xr.DataArray, names: Sequence[str]) -> str:
    """Return what an axis is called."""
    return ", ".join(
        str(values[name].attrs.get("long_name", name)) if name in values.coords else name
        for name in names
    )


def _texts(
    cells: dict[tuple[str, str], Runs],
    columns: list[str],
    rows: list[str],
    limits: tuple[float, float],
) -> dict[str, list[tuple[int, int, str]]]:
    """Return what is written into the cells, by the color that can be read there."""
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
    lines = [f"{median:.2g}" if np.isfinite(median) else "∞" if median > 0 else "-∞"]
    if cell.num_diverged:
        lines.append(f"{cell.num_diverged}/{cell.values.size} diverged")
    return "\n".join(lines)


def _ink(cell: Runs, limits: tuple[float, float]) -> str:
    median = cell.quantiles[1]
    if not np.isfinite(median) or median <= 0:
        return _DARK
    low, high = np.log(limits)
    return _LIGHT if (np.log(median) - low) / (high - low) < 0.6 else _DARK
