"""Several plots of curves side by side."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from apexr._fits import describe
from apexr.errors import SpecError
from apexr.plots._style import arranged, backends, holoviews, style

_WIDTH, _HEIGHT = 4, 3
_PAGE = {"width": 440, "height": 330, "fontscale": 1.0}
"""Size of a panel in a page."""


def panels(plots: Sequence[Any], columns: int = 3, titles: Sequence[str] | None = None) -> Any:
    """Return plots of losses or metrics side by side, as a HoloViews layout.

    They keep their shape, whatever their scales. Where the legends of all say the same, one
    next to the first row serves all.

    Parameters
    ----------
    plots
        Plots of :func:`loss`, :func:`metric` or :func:`pareto`, panels among them.
    columns
        Panels in a row.
    titles
        One for each panel, instead of its own.

    Raises
    ------
    SpecError
        If there is nothing to show, or the numbers of titles and plots differ.
    """
    layout = holoviews().Layout
    plots = [panel for plot in plots for panel in (plot if isinstance(plot, layout) else [plot])]
    if not plots or columns < 1:
        raise SpecError(
            f"panels needs at least one plot and one column, got {len(plots)} and {columns}"
        )
    if titles is not None and len(titles) != len(plots):
        raise SpecError(f"panels needs {len(plots)} titles, one for each plot, got {len(titles)}")
    wrong = [plot for plot in plots if not hasattr(plot, "traverse")]
    if wrong:
        raise SpecError(f"panels takes what plot functions returned, got {describe(wrong[0])}")
    names = [{}] * len(plots) if titles is None else [{"title": title} for title in titles]
    legends = _legends(plots, columns)
    shown = [
        shaped(plot, both={**name, **legend})
        for plot, name, legend in zip(plots, names, legends, strict=True)
    ]
    return arranged(shown, columns, vspace=0.55)


def side_by_side(plots: Sequence[Any]) -> Any:
    """Return the one plot as it is, several as panels."""
    return plots[0] if len(plots) == 1 else panels(plots, columns=2 if len(plots) <= 4 else 3)


def shaped(
    plot: Any,
    both: Mapping[str, Any] | None = None,
    matplotlib: Mapping[str, Any] | None = None,
    bokeh: Mapping[str, Any] | None = None,
    aspect: float = _WIDTH / _HEIGHT,
) -> Any:
    """Return curves as a panel of a given shape, width by height, with further options."""
    shape = {"aspect": aspect, "hooks": [*hooks_of(plot), _keep_shape(aspect)]}
    return style(
        plot.clone(),
        "Overlay",
        both=both or {},
        matplotlib={**shape, **(matplotlib or {})},
        bokeh={**_PAGE, **(bokeh or {})},
    )


def hooks_of(plot: Any) -> list[Any]:
    """Return what changes a plot of matplotlib last."""
    if "matplotlib" not in backends():
        return []
    looks = holoviews().Store.lookup_options("matplotlib", plot, "plot").kwargs
    return list(looks.get("hooks", ()))


def _legends(plots: Sequence[Any], columns: int) -> list[dict[str, Any]]:
    """Return the options of each panel's legend."""
    if len({tuple(element.label for element in plot) for plot in plots}) > 1:
        return [{}] * len(plots)
    end = min(columns, len(plots)) - 1
    shared: dict[str, Any] = {"show_legend": True, "legend_position": "right"}
    return [shared if place == end else {"show_legend": False} for place in range(len(plots))]


def _keep_shape(aspect: float) -> Callable[[Any, Any], None]:
    """Return what gives a panel its shape; HoloViews alone flattens logarithmic ones."""

    def keep(plot: Any, _: Any) -> None:
        axes = plot.handles["axis"]
        axes.set_aspect("auto")
        axes.set_box_aspect(1 / aspect)

    return keep
