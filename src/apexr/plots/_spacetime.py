"""A rollout beside its reference and its error: over space and time, or at chosen times."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._select import missing, pick
from apexr.errors import SpecError
from apexr.plots._style import arranged, axis, axis_label, holoviews, style

_NUM_TIMES = 5


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
    fields = _fields(ds, seed, sample, channel)
    limit = largest(fields[1]) or 1.0
    if "y" in fields[0].dims:
        return states(fields, limit, times)
    return images(fields, limit)


# --- data ------------------------------------------------------------------------------------


def _fields(
    ds: xr.Dataset, seed: int | None, sample: int, channel: Hashable
) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Return prediction, reference and error of one trajectory, the initial state as time 0."""
    if "experiment" in ds.dims:
        raise SpecError("spacetime shows one experiment; choose it: study.isel(experiment=0)")
    rollout, reference = pick(ds, "sample_rollout"), pick(ds, "sample_reference")
    start = pick(ds, "initial_state")
    seed = int(rollout["seed"].values.flat[0]) if seed is None else seed
    rollout = at(rollout, "seed", seed) if "seed" in rollout.dims else rollout
    of_one = [at(array, "sample", sample) for array in (rollout, reference, start)]
    rollout, reference, start = (of_channel(array, channel) for array in of_one)
    prediction, truth = (_from_start(start, array) for array in (rollout, reference))
    error = prediction - truth
    quantity = str(truth["channel"].item())
    unnamed = truth["channel"].dtype.kind in "iu"
    names = [
        f"prediction, seed {seed}{_lost(prediction)}",
        "reference",
        f"error, at most {largest(error):.2g}",
    ]
    for array, name in zip((prediction, truth, error), names, strict=True):
        array.attrs = {"long_name": "u" if unnamed else quantity, "units": "1", "title": name}
    return prediction.rename("u"), truth.rename("u"), error.rename("u")


def largest(array: xr.DataArray) -> float:
    """Return the largest finite magnitude."""
    finite = np.isfinite(array.values)
    return float(np.abs(array.values[finite]).max(initial=0))


def at(array: xr.DataArray, dim: str, label: Any) -> xr.DataArray:
    labels = array[dim].values.tolist()
    if label not in labels:
        raise missing(f"{dim} {label}", [str(entry) for entry in labels])
    return array.isel({dim: labels.index(label)})


def of_channel(array: xr.DataArray, channel: Hashable) -> xr.DataArray:
    labels = array["channel"].values.tolist()
    if channel in labels or not isinstance(channel, int):
        return at(array, "channel", channel)
    if not -len(labels) <= channel < len(labels):
        raise missing(f"channel {channel}", [str(entry) for entry in labels])
    return array.isel(channel=channel)


def _from_start(start: xr.DataArray, array: xr.DataArray) -> xr.DataArray:
    first = start.expand_dims(time=[0]).astype(array.dtype)
    array = array.drop_vars("time_value", errors="ignore")
    joined = xr.concat([first, array], "time", coords="minimal", compat="override", join="override")
    joined["time"].attrs.update(array["time"].attrs)
    return joined.compute()


def _lost(prediction: xr.DataArray) -> str:
    finite = np.isfinite(prediction.values).reshape(prediction.sizes["time"], -1).all(axis=1)
    return "" if finite.all() else f" (NaN from step {prediction['time'].values[~finite][0]})"


# --- pictures --------------------------------------------------------------------------------


def images(fields: Sequence[xr.DataArray], limit: float) -> Any:
    images = [
        _image(
            field,
            x="time",
            y="x",
            limit=limit,
            title=field.attrs["title"],
            last=field is fields[-1],
            shape=(1.35, 340, 330),
        )
        for field in fields
    ]
    return arranged(images, len(images))


def states(fields: Sequence[xr.DataArray], limit: float, times: Sequence[int] | None) -> Any:
    steps = _chosen(fields[0], times)
    fields = [_slice(field) for field in fields]
    images = [
        _image(
            at(field, "time", step),
            x="x",
            y="y",
            limit=limit,
            title=f"{field.attrs['title']}\ntime step {step}{field.attrs['slice']}",
            last=step == steps[-1],
            shape=(1.0, 270, 290),
        )
        for field in fields
        for step in steps
    ]
    return arranged(images, len(steps))


def _chosen(field: xr.DataArray, times: Sequence[int] | None) -> list[int]:
    if times is not None:
        return [int(step) for step in times]
    every = np.linspace(0, field.sizes["time"] - 1, _NUM_TIMES).round().astype(int)
    return [int(step) for step in field["time"].values[np.unique(every)]]


def _slice(field: xr.DataArray) -> xr.DataArray:
    """Return a plane of a field: itself in 2D, the middle slice in 3D."""
    if "z" not in field.dims:
        return field.assign_attrs(slice="")
    plane = field.isel(z=field.sizes["z"] // 2)
    return plane.assign_attrs(slice=f", z = {plane['z'].item():.3g}")


def _image(
    field: xr.DataArray,
    *,
    x: str,
    y: str,
    limit: float,
    title: str,
    last: bool,
    shape: tuple[float, int, int],
) -> Any:
    hv = holoviews()
    values = np.where(np.isfinite(field.values), field.values, np.nan)
    values = field.copy(data=values).transpose(y, x).values
    image = hv.Image(
        (field[x].values, field[y].values, values),
        [axis(field[x]), axis(field[y])],
        [hv.Dimension(axis_label(field), range=(-limit, limit))],
    )
    aspect, width, height = shape
    return style(
        image,
        "Image",
        both={"title": title, "colorbar": last, "clim": (-limit, limit)},
        matplotlib={"aspect": aspect},
        bokeh={"width": width + (90 if last else 0), "height": height},
    )
