"""Films of rollouts, over time or over the training, written frame by frame."""

import os
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from apexr.errors import SpecError
from apexr.plots._encode import check_film, encode, encoder
from apexr.plots._fields import (
    PARTS,
    Data,
    blocks,
    check_choice,
    chosen,
    fields,
    limit_of,
    training_fields,
)
from apexr.plots._stage import Stage
from apexr.plots._style import as_text
from apexr.plots._views import planes, volume

OVER = ("time", "training")
"""The axis that the frames of a film go along."""


def animate(
    data: Data,
    path: str | os.PathLike[str],
    parts: Sequence[str] = PARTS,
    seed: int | None = None,
    sample: int = 0,
    channel: Hashable = 0,
    times: Sequence[int] | None = None,
    view: str = "slices",
    limit: float | None = None,
    fps: float = 20,
    panel: int = 320,
    over: str = "time",
) -> Path:
    """Write a film of a rollout and return its path; one frame a time step.

    With ``over="training"`` it shows how the prediction of one time step changed while the network
    was trained; one frame a record of the callback ``sample_rollout;EVERY``.

    In one dimension curves, in two images, in three a row of images for each of three planes
    through the middle, or what one sees of the volume from aside; all parts side by side, with
    equal limits in all frames. Values that are not finite are a gap, or gray, and the line above
    says so. A lazy rollout is read one chunk at a time.

    Parameters
    ----------
    data
        The result of one experiment, or trajectories ``([seed,] [sample,] time, channel,
        *space)``, such as :func:`apexr.simulate` returns.
    path
        ``.mp4`` (H.264) or ``.gif``.
    parts
        Some of ``"reference"``, ``"prediction"`` and ``"error"``, of a result.
    seed
        Seed of the network; by default the first.
    sample
        Label of the sample.
    channel
        Name or number of the channel.
    times
        Time steps to show; by default all, from the initial state on. Over the training: the one
        time step that is shown; by default the last.
    view
        ``"slices"`` or ``"volume"``, in three dimensions.
    limit
        The largest magnitude shown; by default that of the reference, which is read once more.
    fps
        Frames per second.
    panel
        Pixels along the side of an image.
    over
        ``"time"``, or ``"training"`` of a result that has ``sample_rollout_history``.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    SpecError
        If an argument is invalid.
    MissingExtraError
        If the package of the ``movie`` extra is not installed.
    """
    target = Path(path)
    check_film(target)
    encoder()
    if not (fps > 0 and panel >= 32):
        raise SpecError(f"fps must be positive and panel at least 32, got {fps} and {panel}")
    if limit is not None and not limit > 0:
        raise SpecError(f"limit must be positive, got {limit}")
    if isinstance(parts, str) or not len(parts):
        raise SpecError(f"parts must be some of {PARTS}, such as ('prediction',); got {parts!r}")
    check_choice("over", over, OVER)
    title = _title(data)
    if over == "training":
        shown = training_fields(data, parts, seed, sample, channel, times)
        title = f"{title}  time step {shown[0].attrs['step']}".strip()
    else:
        shown = fields(data, parts, seed, sample, channel)
        if times is not None:
            shown = [field.sel(time=chosen(field, times, 2)) for field in shown]
    limit = limit_of(shown) if limit is None else float(limit)
    stage = Stage(_rows(_first(shown), view, limit), limit, title, panel)
    frames = _frames(shown, stage, view, limit)
    encode(frames, target, stage.size, fps, stage.palette())
    return target


def _first(shown: Sequence[xr.DataArray]) -> list[xr.DataArray]:
    """Return the first states."""
    (states, *_) = blocks(*(field.isel(time=slice(0, 1)) for field in shown))
    return [
        state.isel(time=0).assign_attrs(field.attrs)
        for state, field in zip(states, shown, strict=True)
    ]


def _rows(states: Sequence[xr.DataArray], view: str, limit: float) -> list[list[xr.DataArray]]:
    """Return what is drawn of the states at one time, in rows and columns."""
    if states[0].ndim == 1:
        return [list(states)]
    made = [_planes(state, view, limit) for state in states]
    return [list(row) for row in zip(*made, strict=True)]


def _planes(state: xr.DataArray, view: str, limit: float) -> list[xr.DataArray]:
    """Return the planes of a state, titled."""
    found = [volume(state, limit)] if state.ndim == 3 and view == "volume" else planes(state, view)
    title = state.attrs["title"]
    places = [plane.attrs["place"] if len(found) > 1 else "" for plane in found]
    return [
        plane.assign_attrs(title=f"{title}, {place}" if place else title)
        for plane, place in zip(found, places, strict=True)
    ]


def _frames(
    shown: Sequence[xr.DataArray], stage: Stage, view: str, limit: float
) -> Iterator[np.ndarray]:
    """Yield the pictures, reading one block of time steps after the other."""
    for read in blocks(*shown):
        for place in range(read[0].sizes["time"]):
            states = [
                block.isel(time=place).assign_attrs(field.attrs)
                for block, field in zip(read, shown, strict=True)
            ]
            drawn = [plane.values for row in _rows(states, view, limit) for plane in row]
            yield stage.draw(drawn, _said(states))


def _said(states: Sequence[xr.DataArray]) -> str:
    """Return what the line above says at this frame."""
    first = states[0]
    words = [f"{first.attrs.get('counts', 'time step')} {first['time'].item()}"]
    if "time_value" in first.coords:
        words.append(f"t = {first['time_value'].item():.4g}")
    gone = [str(s.attrs["title"]) for s in states if not np.isfinite(s.values).all()]
    gone = [title for title in gone if not title.startswith("error")]
    return "   ".join([*words, *([f"not finite: {', '.join(gone)}"] if gone else [])])


def _title(data: Data) -> str:
    """Return what is filmed."""
    names = [name for name in ("scenario", "net") if name in data.coords]
    return "  ".join(as_text(str(data[name].item())) for name in names if data[name].ndim == 0)
