"""One channel of one trajectory, lazy: what every picture of a field is made from."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._selection import missing, pick, read_object
from apexr.errors import MissingVariableError, SpecError, suggest
from apexr.plots._style import DIVERGING, SEQUENTIAL
from apexr.schema import CHANNEL_UNITS, SPATIAL_DIMS, presence_name, step_dim

Data = xr.Dataset | xr.DataArray

PARTS = ("reference", "prediction", "error")
"""Variables of a trajectory in a result, the error being prediction minus reference."""

_HELD = {"reference": "sample_reference", "prediction": "sample_rollout"}
HISTORY = "sample_rollout_history"
"""Variable of the trajectories that the callback ``sample_rollout`` recorded."""
CAPTION = ("scenario", "net", "train")
"""Labels that say what a picture is of."""
_BLOCK_BYTES = 64 * 2**20
_LISTED = 12
_FAR = 0.5
"""Part of the largest number from which on the smallest one is far from 0."""
_NO_SIGN = 1e-3
"""Part of the largest number that numbers of the other sign may be in a field of one sign."""


def fields(
    data: Data,
    parts: Sequence[str] = PARTS,
    seed: int | None = None,
    sample: int = 0,
    channel: Hashable = 0,
) -> list[xr.DataArray]:
    """Return fields ``(time, x[, y[, z]])``, lazy, with ``title``, ``long_name`` and ``units``.

    Parameters
    ----------
    data
        The result of one experiment, whose ``parts`` are returned, the initial state as time 0;
        or trajectories ``([seed,] [sample,] time, [channel,] *space)``, which are one field.
    parts
        Some of :data:`PARTS`.
    seed
        Seed of the network; by default the first.
    sample
        Label of the sample.
    channel
        Name or number of the channel.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    SpecError
        If the data or the parts are none of these.
    """
    if isinstance(data, xr.DataArray):
        return [_lone(data, seed, sample, channel)]
    if "experiment" in data.dims:
        raise SpecError("this plot shows one experiment; choose it: study.isel(experiment=0)")
    for part in parts:
        check_choice("part", part, PARTS)
    ds = held(data)
    first = _first_seed(ds)
    seed = first if seed is None else seed
    needed = _HELD if "error" in parts else parts
    made = {part: _whole(ds, _HELD[part], seed, sample, channel) for part in needed}
    return _titled(made, parts, seed)


def _titled(
    made: Mapping[str, xr.DataArray], parts: Sequence[str], seed: int
) -> list[xr.DataArray]:
    """Return the parts in order, the error made of the others, with their titles."""
    if "error" in parts:
        error = made["prediction"] - made["reference"]
        made = {**made, "error": error.assign_attrs(made["reference"].attrs)}
    titles = {"reference": "reference", "prediction": f"prediction, seed {seed}", "error": "error"}
    return [made[part].assign_attrs(title=titles[part], part=part) for part in parts]


def training_fields(
    data: Data,
    parts: Sequence[str] = PARTS,
    seed: int | None = None,
    sample: int = 0,
    channel: Hashable = 0,
    times: Sequence[int] | None = None,
) -> list[xr.DataArray]:
    """Return what :func:`fields` does, at one time step, over the updates of the training.

    Their dimension ``time`` counts updates (``counts`` in the attributes), so that whatever draws
    rollouts draws them; ``step`` is the time step.

    Parameters
    ----------
    data
        The result of one experiment that recorded ``sample_rollout``.
    parts, seed, sample, channel
        As for :func:`fields`.
    times
        The one time step; by default the last.

    Raises
    ------
    MissingVariableError
        If the result has no such records, or not this label.
    SpecError
        If there is more than one time step, or the data or parts are none of these.
    """
    if isinstance(data, xr.DataArray) or HISTORY not in data:
        raise MissingVariableError(
            f"a film over the training needs {HISTORY!r}: run the experiment with"
            " callbacks='sample_rollout;EVERY'"
        )
    for part in parts:
        check_choice("part", part, PARTS)
    (reference,) = fields(data, ["reference"], seed, sample, channel)
    ds = held(data)
    steps = [int(reference["time"].values[-1])] if times is None else [*times]
    if len(steps) != 1:
        raise SpecError(f"a film over the training shows one time step, got times={times!r}")
    seed = _first_seed(ds) if seed is None else seed
    there, then = (
        at(array, "time", steps[0]).drop_vars(["time", "time_value"], errors="ignore")
        for array in (reference, ds[HISTORY])
    )
    then = then.rename({step_dim("sample_rollout"): "time"})
    prediction = _one(then, seed, sample, channel).rename("u")
    about = {**_meaning(reference), "counts": "update", "step": steps[0]}
    made = {
        "reference": there.expand_dims(time=prediction["time"]).assign_attrs(about),
        "prediction": prediction.assign_attrs(about),
    }
    return _titled(made, parts, seed)


def caption(data: Data) -> str:
    """Return what a picture of one experiment or of trajectories shows, as far as it is known."""
    held = {name: data.coords[name] for name in CAPTION if name in data.coords}
    texts = [str(one.item()) for one in held.values() if one.ndim == 0]
    return "  ".join(texts or [str(data.attrs[n]) for n in CAPTION[:1] if n in data.attrs])


def in_physical_time(array: xr.DataArray) -> xr.DataArray:
    """Return an array whose times are in the unit of the equation, not numbers of steps.

    Raises
    ------
    SpecError
        If the scenario has no such unit, or experiments have steps of different lengths.
    """
    times = array.coords.get("time_value")
    if times is None or times.dims != ("time",):
        why = "experiments differ in it; choose some" if times is not None else "there is none here"
        raise SpecError(
            f"physical time is the coordinate time_value along time: {why}; draw over the steps"
        )
    said = {"long_name": "time", **_unit_of(times)}
    return array.assign_coords(time=("time", times.values.astype(float), said))


def held(ds: xr.Dataset) -> xr.Dataset:
    """Return an experiment of a study without what only fills the study up."""
    masks = {dim: ds.coords.get(presence_name(str(dim))) for dim in ds.dims}
    return ds.isel(
        {dim: mask.values for dim, mask in masks.items() if mask is not None and mask.ndim == 1}
    )


def check_choice(kind: str, given: str, known: Sequence[str]) -> None:
    """Raise a :class:`SpecError` unless ``given`` is one of ``known``."""
    if given not in known:
        listing = ", ".join(known)
        raise SpecError(f"{kind} must be one of {listing}; got {given!r}{suggest(given, known)}")


def of_all_channels(array: xr.DataArray) -> xr.DataArray:
    """Return a metric, or raise a :class:`SpecError` if it is per channel, naming the channels."""
    if "channel" in array.dims:
        labels = array["channel"].values.tolist()
        raise SpecError(
            f"{array.name!r} is a number for each channel; choose one:"
            f" data.sel(channel={labels[0]!r}) (there are {', '.join(map(str, labels))})"
        )
    return array


def at(array: xr.DataArray, dim: str, label: Any) -> xr.DataArray:
    """Return the entry of a label, or raise listing the labels."""
    labels = array[dim].values.tolist()
    if label not in labels:
        raise missing(f"{dim} {label}", _listed(labels))
    return array.isel({dim: labels.index(label)})


def of_channel(array: xr.DataArray, channel: Hashable) -> xr.DataArray:
    """Return one channel by its name or its number."""
    labels = array["channel"].values.tolist()
    if channel in labels or not isinstance(channel, int):
        return at(array, "channel", channel)
    if not -len(labels) <= channel < len(labels):
        raise missing(f"channel {channel}", _listed(labels))
    return array.isel(channel=channel)


def chosen(field: xr.DataArray, times: Sequence[int] | None, count: int) -> list[int]:
    """Return the time steps to show: those given, or ``count`` over the whole trajectory."""
    labels = field["time"].values
    if times is None:
        every = np.linspace(0, len(labels) - 1, count).round().astype(int)
        return [int(step) for step in labels[np.unique(every)]]
    if not len(times):
        raise SpecError("times must name at least one time step, got none")
    for step in times:
        at(field["time"], "time", step)
    return [int(step) for step in times]


def frame(field: xr.DataArray, step: int | None = None) -> xr.DataArray:
    """Return the state at a time step in memory; by default the last one."""
    step = int(field["time"].values[-1]) if step is None else step
    return finite(at(field, "time", step).compute())


def blocks(*shown: xr.DataArray) -> Iterator[list[xr.DataArray]]:
    """Yield fields in memory, a few time steps after the other, as they are stored."""
    from dask import base

    compute: Any = base.compute
    for start, stop in _bounds(shown[0]):
        parts = compute(*(field.isel(time=slice(start, stop)) for field in shown))
        yield [finite(part) for part in parts]


def finite(array: xr.DataArray) -> xr.DataArray:
    """Return the array with NaN in place of infinities, which no color map can show."""
    return array.where(xr.ufuncs.isfinite(array))


class Limit(float):
    """The largest magnitude that colors show, and whether the field has one sign.

    Attributes
    ----------
    sign
        1 or -1 for a field that has only numbers of this sign, otherwise 0.
    least
        The smallest magnitude of a field of one sign, if that is far from 0; otherwise 0.
    """

    sign: int
    least: float

    def __new__(cls, value: float, sign: int = 0, least: float = 0.0) -> "Limit":
        """Return the number with its sign."""
        made = super().__new__(cls, value)
        made.sign = sign
        made.least = least if sign and _FAR * value <= least < value else 0.0
        return made

    def ends(self, field: xr.DataArray) -> tuple[float, float]:
        """Return the ends of the colors of a field: those of an error are on both sides of 0."""
        sign = self._sign_of(field)
        if not sign:
            return (-float(self), float(self))
        return (self.least, float(self)) if sign > 0 else (-float(self), -self.least)

    def colors(self, field: xr.DataArray) -> str:
        """Return the name of the color map of a field."""
        return {0: DIVERGING, 1: SEQUENTIAL, -1: f"{SEQUENTIAL}_r"}[self._sign_of(field)]

    def needs_bar(self, field: xr.DataArray, following: xr.DataArray | None) -> bool:
        """Tell whether the field to the right has other colors, or there is none."""
        return following is None or self.ends(field) != self.ends(following)

    def _sign_of(self, field: xr.DataArray) -> int:
        whole = field.attrs.get("part") != "error" and "right" not in field.dims
        return self.sign if whole else 0


def largest(field: xr.DataArray) -> Limit:
    """Return the largest finite magnitude, read block by block."""
    ends = [
        (np.nanmin(part.values, initial=np.inf), np.nanmax(part.values, initial=-np.inf))
        for (part,) in blocks(field)
    ]
    low, high = (float(end) for end in (min(e[0] for e in ends), max(e[1] for e in ends)))
    if low > high:  # nothing is finite
        return Limit(0.0)
    top = max(abs(low), abs(high))
    sign = 1 if -low <= _NO_SIGN * high else -1 if high <= -_NO_SIGN * low else 0
    return Limit(top, sign if top else 0, min(abs(low), abs(high)))


def limit_of(shown: Sequence[xr.DataArray]) -> Limit:
    """Return the limit of the colors of all fields: that of the reference where there is one."""
    named = {field.attrs.get("part"): field for field in shown}
    return largest(named.get("reference", shown[0])) or Limit(1.0)


def limit_for(data: Data, part: str, steps: Sequence[int] | None = None, **labels: Any) -> Limit:
    """Return the limit of the colors of one part: that of the reference, which cannot diverge.

    Errors smaller than the reference have their own, as has what there is no reference of.

    Parameters
    ----------
    data
        As for :func:`fields`.
    part
        One of :data:`PARTS`.
    steps
        Time steps that are shown; by default all.
    labels
        ``seed``, ``sample`` and ``channel``.
    """
    known = isinstance(data, xr.Dataset) and _HELD["reference"] in data
    needed = (["reference"] if known else []) + ([part] if part == "error" or not known else [])
    shown = fields(data, needed, **labels)
    found = [largest(one if steps is None else one.sel(time=steps)) for one in shown]
    return min(found) or max(found) or Limit(1.0)


def at_most(error: xr.DataArray) -> str:
    """Return the title of an error in memory: its largest magnitude."""
    return f"error, at most {largest(error):.2g}" if np.isfinite(error.values).any() else "error"


def lost(field: xr.DataArray) -> str:
    """Return what a title has to say of a field in memory that is not finite."""
    if "time" not in field.dims:
        return "" if np.isfinite(field.values).all() else " (not finite)"
    sound = np.isfinite(field.values).reshape(field.sizes["time"], -1).all(axis=1)
    return "" if sound.all() else f" (NaN from step {field['time'].values[~sound][0]})"


# --- where a field comes from ----------------------------------------------------------------


def _listed(labels: Sequence[Any]) -> list[str]:
    """Return labels for an error message, the middle of a long list left out."""
    texts = [str(label) for label in labels]
    return texts if len(texts) <= _LISTED else [*texts[:3], "…", *texts[-1:]]


def _first_seed(ds: xr.Dataset) -> int:
    return int(ds["seed"].values.flat[0]) if "seed" in ds.coords else 0


def _whole(ds: xr.Dataset, name: str, seed: int, sample: int, channel: Hashable) -> xr.DataArray:
    """Return a trajectory of a result, its initial state as time 0.

    Where further frames are given to the emulator, it begins with the first that is predicted.
    """
    rest = _one(pick(ds, name), seed, sample, channel)
    if rest["time"].values[0] > 1:
        return rest.rename("u").assign_attrs(_meaning(rest))
    start = _one(pick(ds, "initial_state"), seed, sample, channel).expand_dims(time=[0])
    if "time_value" in rest.coords:
        start = start.assign_coords(time_value=("time", [0.0]))
    joined = xr.concat(
        [start.astype(rest.dtype), rest],
        "time",
        coords="minimal",
        compat="override",
        join="override",
    )
    joined["time"].attrs.update(rest["time"].attrs)
    return joined.rename("u").assign_attrs(_meaning(rest))


def _lone(data: xr.DataArray, seed: int | None, sample: int, channel: Hashable) -> xr.DataArray:
    """Return one of the trajectories of an array."""
    known = {"seed", "sample", "test_sample", "time", "channel", *SPATIAL_DIMS}
    if "x" not in data.dims or not {*data.dims} <= known:
        raise SpecError(
            "a trajectory is an array (sample, time, channel, x[, y[, z]]), got"
            f" {data.dims}; of a study choose one: isel(experiment=0)"
        )
    first = int(data["seed"].values.flat[0]) if "seed" in data.dims else None
    field = _one(data, first if seed is None else seed, sample, channel)
    field = field if "time" in field.dims else field.expand_dims(time=[0])
    meaning = _meaning(field)
    title = f"{meaning['long_name']}, sample {sample}"
    return field.rename("u").assign_attrs({**meaning, "title": title})


def _one(array: xr.DataArray, seed: int | None, sample: int, channel: Hashable) -> xr.DataArray:
    """Return one trajectory of one channel, in Dask's hands."""
    for dim, label in (("seed", seed), ("sample", sample), ("test_sample", sample)):
        array = at(array, dim, label) if dim in array.dims else array
    array = of_channel(array, channel) if "channel" in array.dims else array
    space = [dim for dim in SPATIAL_DIMS if dim in array.dims]
    array = array.transpose(*(["time"] if "time" in array.dims else []), *space)
    return array if array.chunks is not None else array.chunk()


def _meaning(field: xr.DataArray) -> dict[str, str]:
    """Return the name and the unit of what a field holds: those of its channel."""
    name = field["channel"].item() if "channel" in field.coords else "u"
    if not isinstance(name, str):
        name = "u" if name == 0 else f"channel {name}"
    return {"long_name": name, **_unit_of(field)}


def _unit_of(array: xr.DataArray) -> dict[str, str]:
    """Return the unit of an array as an attribute, of a state of several that of its channel."""
    if "units" in array.attrs:
        return {"units": str(array.attrs["units"])}
    if "channel" not in array.coords:
        return {}
    told = read_object(str(array["channel"].attrs.get(CHANNEL_UNITS, "")))
    unit = told.get(str(array["channel"].values))
    return {"units": unit} if isinstance(unit, str) else {}


def _bounds(field: xr.DataArray) -> Iterator[tuple[int, int]]:
    """Yield the time steps that are read together: a stored chunk, or a part of a large one."""
    chunks = field.chunksizes.get("time", (field.sizes["time"],))
    state = max(1, field.nbytes // max(1, field.sizes["time"]))
    most = max(1, _BLOCK_BYTES // state)
    begin = 0
    for length in chunks:
        for start in range(begin, begin + length, most):
            yield start, min(start + most, begin + length)
        begin += length
