"""Rollouts by wavenumber: spectra at chosen times, and errors over time and wavenumber."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis import band as quantile_band
from apexr.analysis import spectrum
from apexr.analysis._selection import pick
from apexr.errors import SpecError
from apexr.plots._fields import at, chosen, held, of_channel
from apexr.plots._style import (
    SEQUENTIAL,
    axis,
    axis_label,
    fill,
    holoviews,
    legend_title,
    look,
    style,
)

_NUM_TIMES = 3
_DECADES = 4
_ROUNDING = 1e-12
"""Power, relative to the largest, below which there is nothing but rounding."""


def spectra(
    ds: xr.Dataset,
    times: Sequence[int] | None = None,
    seed: int | None = None,
    sample: int | None = None,
    channel: Hashable = 0,
) -> Any:
    """Return power over wavenumber of prediction and reference, as a HoloViews overlay.

    Predictions are solid, with a band from minimum to maximum over the seeds, references dashed,
    each time in its color; both axes are logarithmic, so that wavenumber 0 is not shown. Seeds
    whose prediction is not finite at a time are counted in the legend; they have infinite power,
    so that a band leaves the axes, and a curve is missing where the median is infinite.

    Parameters
    ----------
    ds
        The result of one experiment, in memory or lazy; only these times are read.
    times
        Time steps; by default the first, the middle and the last.
    seed
        Seed of the network; by default all.
    sample
        Label of the sample; by default the mean over all that the result holds.
    channel
        Name or number of the channel.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    """
    prediction, reference = _rollouts(ds, seed, sample, channel)
    steps = chosen(reference, times, _NUM_TIMES)
    power = [
        _mean(spectrum(field.sel(time=steps)), sample).compute().sel(wavenumber=slice(1, None))
        for field in (prediction, reference)
    ]
    several = power[0].sizes["seed"] > 1
    top = 5 * float(power[1].max())
    parts = [
        part
        for place, step in enumerate(steps)
        for part in _curves(power[0].sel(time=step), power[1].sel(time=step), step, place, top)
    ]
    words = "median, min–max over seeds; dashed: reference" if several else "dashed: reference"
    legend = legend_title(words)
    legend["bokeh"]["legend_position"] = "top_right"
    both = {"logx": True, "logy": True, "title": _title(ds), "ylim": (_floor(power), top)}
    return style(holoviews().Overlay(parts), "Overlay", both=both, **legend)


def error_spectrum(
    ds: xr.Dataset,
    seed: int | None = None,
    sample: int | None = None,
    channel: Hashable = 0,
) -> Any:
    """Return the relative error over time and wavenumber as an image.

    ``sqrt(P[prediction − reference] / P[reference])``, where the power ``P`` of a shell of
    wavenumbers is the mean over the samples: 1 is an error as large as what there is. Median over
    the seeds; what is not finite counts as the largest error and in the title, and is gray where
    the median is infinite.
    Shells in which the reference holds nothing but rounding (less than 1e-12 of the largest power)
    are gray, too; the title says so.

    Parameters
    ----------
    ds
        The result of one experiment, in memory or lazy.
    seed
        Seed of the network; by default all.
    sample
        Label of the sample; by default the mean over all that the result holds.
    channel
        Name or number of the channel.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    """
    prediction, reference = _rollouts(ds, seed, sample, channel)
    wrong = _mean(spectrum(prediction - reference), sample).compute()
    there = _mean(spectrum(reference), sample).compute()
    there = there.where(there > _ROUNDING * there.max())
    ratio = xr.ufuncs.sqrt(wrong / there)
    lost = int((~xr.ufuncs.isfinite(wrong)).any(["time", "wavenumber"]).sum())
    count = ratio.sizes["seed"]
    median = quantile_band(ratio, "seed")["median"].where(there.notnull())
    median = median.where(xr.ufuncs.isfinite(median))
    words = [f"median over {count} seeds" if count > 1 else "", f"{lost} diverged" if lost else ""]
    words += ["gray: no power in the reference"] if there.isnull().any() else []
    median["time"].attrs = reference["time"].attrs
    below = ", ".join(word for word in words if word)
    return _image(median, f"{_title(ds)}\n{below}".strip())


def _rollouts(
    ds: xr.Dataset, seed: int | None, sample: int | None, channel: Hashable
) -> tuple[xr.DataArray, xr.DataArray]:
    """Return prediction ``(seed, sample, time, *space)`` and reference, lazy."""
    if "experiment" in ds.dims:
        raise SpecError("this plot shows one experiment; choose it: study.isel(experiment=0)")
    ds = held(ds)
    prediction, reference = pick(ds, "sample_rollout"), pick(ds, "sample_reference")
    if seed is not None and "seed" in prediction.dims:
        prediction = at(prediction, "seed", seed)
    if "seed" not in prediction.dims:
        prediction = prediction.expand_dims("seed")
    both = [of_channel(array, channel) for array in (prediction, reference)]
    if sample is not None:
        both = [at(array, "sample", sample) for array in both]
    return both[0], both[1]


def _mean(power: xr.DataArray, sample: int | None) -> xr.DataArray:
    if sample is not None or "sample" not in power.dims:
        return power
    return power.mean("sample", skipna=False, keep_attrs=True)


def _curves(
    prediction: xr.DataArray, reference: xr.DataArray, step: int, place: int, top: float
) -> list[Any]:
    """Return band, prediction and reference at one time; ``top`` is the end of the axis."""
    hv = holoviews()
    summary = quantile_band(prediction, "seed")
    lost = int((~xr.ufuncs.isfinite(prediction)).any("wavenumber").sum())
    numbers = reference["wavenumber"].values
    x, y = axis(reference["wavenumber"]), hv.Dimension("power", label=axis_label(reference))
    label = f"time step {step}" + (f" ({lost} diverged)" if lost else "")
    low, middle = (_positive(summary[name].values) for name in ("low", "median"))
    high = np.where(np.isposinf(summary["high"].values), top, _positive(summary["high"].values))
    band = (
        [hv.Area((numbers, low, high), [x], [y, "power_high"])] if len(prediction.seed) > 1 else []
    )
    solid = hv.Curve((numbers, middle), [x], [y], label=label)
    dashed = hv.Curve((numbers, _positive(reference.values)), [x], [y])
    looks = look(place)
    behind = {
        "both": looks["both"],
        "matplotlib": {"linestyle": "dashed", "linewidth": 1.4},
        "bokeh": {"line_dash": "dashed", "line_width": 1.5},
    }
    return [
        *(style(area, "Area", **fill(place)) for area in band),
        style(solid, "Curve", **looks),
        style(dashed, "Curve", **behind),
    ]


def _floor(power: list[xr.DataArray]) -> float:
    """Return where the axis begins: at the least power, but not below what is only rounding."""
    least = min(float(one.where(one > 0).min()) for one in power)
    return max(least / 2, _ROUNDING * float(power[1].max()))


def _positive(values: np.ndarray) -> np.ndarray:
    """Return values that a logarithmic axis can show, NaN for the others."""
    return np.where((values > 0) & np.isfinite(values), values, np.nan)


def _title(ds: xr.Dataset) -> str:
    return "  ".join(str(ds[name].item()) for name in ("scenario", "net") if name in ds.coords)


def _image(ratio: xr.DataArray, title: str) -> Any:
    hv = holoviews()
    values = ratio.transpose("wavenumber", "time").values
    sound = values[np.isfinite(values) & (values > 0)]
    low = max(float(sound.min(initial=1)), 10.0**-_DECADES)
    limits = (10 ** np.floor(np.log10(min(low, 0.1))), 1.0)
    drawn = hv.Image(
        (ratio["time"].values, ratio["wavenumber"].values, values),
        [axis(ratio["time"]), axis(ratio["wavenumber"])],
        [hv.Dimension("error", label="relative error [–]", range=limits)],
    )
    both = {"title": title, "clim": limits, "cnorm": "log", "cmap": SEQUENTIAL, "colorbar": True}
    size = {"width": 560, "height": 380}
    return style(drawn, "Image", both=both, matplotlib={"aspect": 1.5, "fig_inches": 5}, bokeh=size)
