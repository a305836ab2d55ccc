"""States of a trajectory at chosen times."""

from collections.abc import Hashable, Sequence
from typing import Any

import xarray as xr

from apexr.plots._fields import Data, Limit, caption, chosen, fields, frame, limit_for, lost
from apexr.plots._images import grid, image
from apexr.plots._profiles import profiles
from apexr.plots._views import planes

_NUM_TIMES = 3


def state(
    data: Data,
    part: str = "prediction",
    times: Sequence[int] | None = None,
    seed: int | None = None,
    sample: int = 0,
    channel: Hashable = 0,
    view: str = "slices",
) -> Any:
    """Return the states of one trajectory at chosen times, as a HoloViews object.

    In one dimension curves in one picture; in two dimensions images side by side; in three
    dimensions three planes through the middle of the domain, or what one sees of the volume from
    aside, for each time. Colors have the same limits, symmetric around 0; what is not finite is
    gray, or a gap, and the title says so.

    Parameters
    ----------
    data
        The result of one experiment, or trajectories ``([seed,] [sample,] time, channel,
        *space)``; in memory or lazy.
    part
        ``"reference"``, ``"prediction"`` or ``"error"``, of a result.
    times
        Time steps, 0 the initial state; by default the first, the middle and the last.
    seed
        Seed of the network; by default the first.
    sample
        Label of the sample.
    channel
        Name or number of the channel.
    view
        ``"slices"`` or ``"volume"``, in three dimensions.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    SpecError
        If an argument is none of its choices.
    """
    (field,) = fields(data, (part,), seed, sample, channel)
    steps = chosen(field, times, _NUM_TIMES)
    limit = limit_for(data, part, steps, seed=seed, sample=sample, channel=channel)
    if "y" not in field.dims:
        return profiles(field, steps, limit, caption(data))
    columns = [panels(field, step, view, limit, step == steps[-1]) for step in steps]
    return grid([list(row) for row in zip(*columns, strict=True)], caption(data))


def panels(field: xr.DataArray, step: int, view: str, limit: Limit, colorbar: bool) -> list[Any]:
    """Return the planes of a state in two or three dimensions as images."""
    shown = frame(field, step)
    name = f"{field.attrs['title']}{lost(shown)}\ntime step {step}"
    return [
        image(
            plane,
            limit,
            f"{name}, {plane.attrs['place']}" if plane.attrs["place"] else name,
            colorbar=colorbar,
        )
        for plane in planes(shown, view)
    ]
