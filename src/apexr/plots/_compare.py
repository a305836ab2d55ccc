"""Reference, prediction and error side by side."""

from collections.abc import Hashable
from typing import Any

import xarray as xr

from apexr.plots._fields import at_most, caption, chosen, fields, frame, largest, limit_of, lost
from apexr.plots._images import bare, grid
from apexr.plots._panels import shaped
from apexr.plots._profiles import BEYOND, overlaid, profile
from apexr.plots._state import panels
from apexr.plots._style import EDGE, arranged, look

_BEHIND: dict[str, Any] = {
    "both": {"color": EDGE},
    "matplotlib": {"linestyle": "dashed", "linewidth": 1.2},
    "bokeh": {"line_dash": "dashed", "line_width": 1.5},
}


def compare(
    ds: xr.Dataset,
    time: int | None = None,
    seed: int | None = None,
    sample: int = 0,
    channel: Hashable = 0,
    view: str = "slices",
) -> Any:
    """Return reference, prediction and error at one time side by side, as a HoloViews layout.

    Axes are linked and limits equal: those of the reference, in one dimension up to twice those
    where a curve would leave the picture. In one dimension the reference stands behind the
    prediction, dashed. In three dimensions there is a row for each of three planes through the
    middle, or one for what is seen of the volumes from aside.

    Parameters
    ----------
    ds
        The result of one experiment, in memory or lazy; one state of each is read.
    time
        Time step; by default the last.
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
    shown = fields(ds, seed=seed, sample=sample, channel=channel)
    step = chosen(shown[0], None if time is None else [time], 2)[-1]
    now = [field.sel(time=[step]).compute() for field in shown]
    limit = limit_of(now)
    now[2] = now[2].assign_attrs(title=at_most(now[2]))
    if "y" not in now[0].dims:
        return _curves(now, step, limit, caption(ds))
    pairs = zip(now, [*now[1:], None], strict=True)
    columns = [panels(one, step, view, limit, limit.needs_bar(one, other)) for one, other in pairs]
    return grid([list(row) for row in zip(*columns, strict=True)], caption(ds))


def _curves(shown: list[xr.DataArray], step: int, limit: float, said: str) -> Any:
    """Return three panels of curves."""
    reference, *_ = states = [frame(field, step) for field in shown]
    limit = max(limit, min(max(map(largest, shown)), BEYOND * limit))
    made = []
    for place, (field, state) in enumerate(zip(shown, states, strict=True)):
        title = f"{field.attrs['title']}{lost(state)}, time step {step}"
        behind = [profile(reference, "", limit, _BEHIND)] if place == 1 else []
        curve = profile(state, "", limit, look(0))
        panel = shaped(overlaid([*behind, curve], title, limit))
        made.append(bare(panel, x=False, y=place > 0))
    return arranged(made, len(made), title=said)
