"""A trajectory that a solver made: over space and time, or at chosen times."""

from collections.abc import Hashable, Sequence
from typing import Any

import xarray as xr

from apexr.errors import SpecError
from apexr.plots._fields import caption, fields, limit_of
from apexr.plots._spacetime import images, states, titled


def trajectory(
    data: xr.DataArray,
    sample: int = 0,
    channel: Hashable = 0,
    times: Sequence[int] | None = None,
) -> Any:
    """Return a picture of one trajectory, as a HoloViews layout.

    In one dimension it is an image over time and space, in two and three dimensions a row of
    images at chosen time steps; in three dimensions the middle slice is shown.

    Parameters
    ----------
    data
        Trajectories ``(sample, time, channel, *space)``, in memory or lazy, such as
        :func:`apexr.simulate` returns.
    sample
        Label of the sample.
    channel
        Name or number of the channel.
    times
        Time steps of the images in 2D and 3D.

    Raises
    ------
    SpecError
        If that is not what the data are.
    MissingVariableError
        Listing what there is.
    """
    expected = {"sample", "time", "channel", "x"}
    if not isinstance(data, xr.DataArray) or not expected <= {*data.dims}:
        raise SpecError(
            "trajectory shows a DataArray (sample, time, channel, x[, y[, z]]), got"
            f" {getattr(data, 'dims', type(data).__name__)}"
        )
    shown = fields(data, sample=sample, channel=channel)
    limit = limit_of(shown)
    return (
        states(shown, limit, times, caption(data))
        if "y" in shown[0].dims
        else images([titled(shown[0])], limit, caption(data))
    )
