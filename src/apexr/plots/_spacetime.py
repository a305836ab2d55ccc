"""A rollout beside its reference and its error: over space and time, or at chosen times."""

from collections.abc import Hashable, Sequence
from typing import Any

import xarray as xr

from apexr.plots._fields import at_most, chosen, fields, finite, frame, limit_of, lost
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
) -> Any:
    """Return prediction, reference and error side by side, as a HoloViews layout.

    In one dimension each is an image over time and space. In two and three dimensions the rows
    are prediction, reference and error, the columns chosen time steps; in three dimensions the
    middle slice is shown. All colours have the same limits.

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

    Raises
    ------
    MissingVariableError
        Listing what there is.
    """
    shown = fields(ds, _ROWS, seed, sample, channel)
    limit = limit_of(shown)
    if "y" in shown[0].dims:
        return states(shown, limit, times)
    return images([titled(field) for field in shown], limit)


def titled(field: xr.DataArray) -> xr.DataArray:
    """Return a field in memory whose title says what is to be said of its numbers."""
    field = field.compute()
    title = at_most(field) if field.attrs.get("part") == "error" else field.attrs["title"]
    return finite(field).assign_attrs(title=f"{title}{lost(field)}")


def images(shown: Sequence[xr.DataArray], limit: float) -> Any:
    """Return fields ``(time, x)`` in memory as images over time and space, side by side."""
    return grid([[over_time(field, limit, field is shown[-1]) for field in shown]])


def over_time(field: xr.DataArray, limit: float, colorbar: bool) -> Any:
    """Return a field ``(time, x)`` as an image."""
    title = str(field.attrs["title"])
    return image(field.transpose("x", "time"), limit, title, colorbar=colorbar, shape=WIDE)


def states(shown: Sequence[xr.DataArray], limit: float, times: Sequence[int] | None) -> Any:
    """Return fields ``(time, x, y[, z])`` at chosen times, one row a field; of 3D the middle z."""
    steps = chosen(shown[0], times, _NUM_TIMES)
    return grid([_row(titled(field.sel(time=steps)), steps, limit) for field in shown])


def _row(field: xr.DataArray, steps: Sequence[int], limit: float) -> list[Any]:
    """Return one field at the chosen times."""
    panels = []
    for place, step in enumerate(steps):
        plane = planes(frame(field, step))[0]
        where = f", {plane.attrs['place']}" if plane.attrs["place"] else ""
        title = f"{field.attrs['title']}\ntime step {step}{where}"
        panels.append(image(plane, limit, title, colorbar=place == len(steps) - 1))
    return panels
