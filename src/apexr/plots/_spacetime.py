"""A rollout next to its reference and its error: over space and time, or at chosen times."""

from collections.abc import Hashable, Sequence
from typing import Any

import xarray as xr

from apexr.plots._fields import (
    Limit,
    at_most,
    caption,
    chosen,
    fields,
    finite,
    frame,
    in_physical_time,
    limit_of,
    lost,
)
from apexr.plots._images import WIDE, grid, image
from apexr.plots._views import planes

_NUM_TIMES = 5
_ROWS = ("prediction", "reference", "error")


def spacetime(
    ds: xr.Dataset,
    seed: int | None = None,
    sample: int = 0,
    channel: Hashable = 0,
    times: Sequence[int] | None = None,
    physical: bool = False,
) -> Any:
    """Return prediction, reference and error side by side, as a HoloViews layout.

    In one dimension each is an image over time and space. In two and three dimensions the rows
    are prediction, reference and error, the columns chosen time steps; in three dimensions the
    middle slice is shown. All colors have the same limits, those of the error are centered on 0.

    Parameters
    ----------
    ds
        The result of one experiment, in memory or lazy.
    seed
        Seed of the network; by default the first.
    sample
        Number of the test sample.
    channel
        Name or number of the channel.
    times
        Time steps of the columns in 2D and 3D; 0 is the initial state.
    physical
        Whether the time axis in 1D has the unit of the equation instead of numbers of steps.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    SpecError
        If the physical time is asked for and not known.
    """
    shown = fields(ds, _ROWS, seed, sample, channel)
    limit = limit_of(shown)
    if "y" in shown[0].dims:
        return states(shown, limit, times, caption(ds))
    drawn = [titled(field) for field in shown]
    return images(drawn, limit, caption(ds), physical=physical)


def titled(field: xr.DataArray) -> xr.DataArray:
    """Return a field in memory whose title says what is to be said of its numbers."""
    field = field.compute()
    title = at_most(field) if field.attrs.get("part") == "error" else field.attrs["title"]
    return finite(field).assign_attrs(title=f"{title}{lost(field)}")


def images(
    shown: Sequence[xr.DataArray], limit: Limit, said: str = "", *, physical: bool = False
) -> Any:
    """Return fields ``(time, x)`` in memory as images over time and space, side by side."""
    shown = [in_physical_time(field) for field in shown] if physical else shown
    bars = [limit.needs_bar(*pair) for pair in zip(shown, [*shown[1:], None], strict=True)]
    row = [over_time(field, limit, bar) for field, bar in zip(shown, bars, strict=True)]
    return grid([row], said)


def over_time(field: xr.DataArray, limit: Limit, colorbar: bool) -> Any:
    """Return a field ``(time, x)`` as an image."""
    title = str(field.attrs["title"])
    return image(field.transpose("x", "time"), limit, title, colorbar=colorbar, shape=WIDE)


def states(
    shown: Sequence[xr.DataArray], limit: Limit, times: Sequence[int] | None, said: str = ""
) -> Any:
    """Return fields ``(time, x, y[, z])`` at chosen times, one row a field; of 3D the middle z."""
    steps = chosen(shown[0], times, _NUM_TIMES)
    return grid([_row(titled(field.sel(time=steps)), steps, limit) for field in shown], said)


def _row(field: xr.DataArray, steps: Sequence[int], limit: Limit) -> list[Any]:
    """Return one field at the chosen times."""
    panels = []
    for place, step in enumerate(steps):
        plane = planes(frame(field, step))[0]
        where = f", {plane.attrs['place']}" if plane.attrs["place"] else ""
        is_error = field.attrs.get("part") == "error"
        said = at_most(field.sel(time=[step])) if is_error else field.attrs["title"]
        title = f"{said}\ntime step {step}{where}"
        panels.append(image(plane, limit, title, colorbar=place == len(steps) - 1))
    return panels
