"""The content of a file of trajectories, and the training on it: read in samples."""

from typing import Any

import numpy as np

from apexr._memory import format_bytes
from apexr.errors import SpecError
from apexr.exchange.readers._recording import Recording
from apexr.experiment._resolution import tail_energy
from apexr.scenarios.recorded._known import of_opened
from apexr.scenarios.recorded._open import AUTO, open_source
from apexr.scenarios.recorded._split import make_split
from apexr.scenarios.recorded._view import View
from apexr.spectral import Grid

FEW = 4
"""Trajectories, and frames of each, of which ranges and spectra are made."""

MOST_BYTES = 2**27
"""Bytes of the frames of a field that are read at most."""


def inspect(source: Any, *, layout: str = AUTO, dims: Any = ()) -> str:
    """Return what a source of trajectories holds, as text; only a few frames are read.

    Parameters
    ----------
    source, layout, dims
        Those of :class:`apexr.Recorded`.

    Raises
    ------
    SpecError, StoreError, MissingExtraError
        As :class:`apexr.Recorded` raises them.
    """
    opened = open_source(source, layout, dims)
    rows = [f"{opened.told}: layout {opened.recordings[0].layout}"]
    rows += [f"digest {opened.digest} of {opened.digest_of}"]
    for recording in opened.recordings[:20]:
        rows += _told(recording)
    more = len(opened.recordings) - 20
    rows += [f"… and {more} more"] if more > 0 else []
    return "\n".join([*rows, "", *_training(opened)])


def _training(opened: Any) -> list[str]:
    """Return what :class:`apexr.Recorded` would train on by default."""
    everything: dict[str, Any] = {"fields": (), "constants": (), "crop": (), "coarsen": 1}
    try:
        view = View.of(opened.recordings, **everything, stride=1)
        usual = opened.recordings[0].usual_split
        split = make_split(AUTO, 0, view.parts, usual)
        known = of_opened(opened, view, split, AUTO)
    except SpecError as error:
        return [f"cannot be trained on as it is: {error}"]
    count, frames = known.sizes["train"]
    size = 4 * count * frames * len(known.fields) * int(np.prod(known.points))
    return ["would be trained on:", known.summary(), f"training data {format_bytes(size)}"]


def _told(one: Recording) -> list[str]:
    grid = ", ".join(
        f"{axis.name} {axis.num_points} points, length {axis.length:.6g},"
        f" {axis.boundary or 'boundary not said'}"
        for axis in one.axes
    )
    part = f" ({one.part})" if one.part else ""
    samples = np.unique(np.linspace(0, one.num_trajectories - 1, FEW).astype(int))
    frames = np.unique(np.linspace(0, one.num_frames - 1, FEW).astype(int))
    rows = [
        "",
        f"{one.where}{part}",
        f"{one.num_trajectories} trajectories of {one.num_frames} frames, dt {one.dt}",
        grid,
        f"the following is of {len(samples) * len(frames)} frames: {len(frames)} of each of"
        f" {len(samples)} trajectories",
        f"{'field':<24}{'type':<10}{'least':>12}{'mean':>12}{'largest':>12}{'tail':>10}",
    ]
    if 8 * int(np.prod(one.shape)) * FEW**2 > MOST_BYTES:
        return [*rows, "frames too large to look at"]
    for field in one.fields:
        held = [field.read(int(s), int(f), int(f) + 1)[0] for s in samples for f in frames]
        for place, label in enumerate(field.labels):
            rows.append(_row(label, np.stack([state[place] for state in held]), one.shape))
    for constant in one.constants:
        first = np.stack([np.asarray(constant.read(int(s)), np.float64) for s in samples])
        for place, label in enumerate(constant.labels):
            rows.append(_row(f"{label} (constant)", first[:, place], ()))
    return rows


def _row(label: str, values: np.ndarray, shape: tuple[int, ...]) -> str:
    finite = values[np.isfinite(values)].astype(np.float64)
    numbers = [np.min(finite), np.mean(finite), np.max(finite)] if finite.size else [np.nan] * 3
    wide = "".join(f"{number:>12.4g}" for number in numbers)
    lost = values.size - finite.size
    tail = f"{_tail(values, shape):>10.1e}" if shape and not lost else ""
    return f"{label:<24}{values.dtype!s:<10}{wide}{tail}" + (f"  {lost} not finite" if lost else "")


def _tail(values: np.ndarray, shape: tuple[int, ...]) -> float:
    """Return the part of the energy in the last tenth of the spectrum."""
    grid = Grid(len(shape), shape)
    return float(tail_energy(values[:, None, None].astype(np.float64), grid, None).mean())
