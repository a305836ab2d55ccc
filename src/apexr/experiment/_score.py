"""Scores of rollouts that somebody else made."""

import dataclasses
from typing import Any

import numpy as np
import xarray as xr
from jax.dtypes import canonicalize_dtype
from jaxtyping import Float

from apexr import labels
from apexr.engine import score_rollouts
from apexr.errors import ShapeError
from apexr.experiment import _data
from apexr.experiment._align import Expected, aligned
from apexr.experiment._execute import machine, metric_arrays
from apexr.experiment._plan import metrics
from apexr.recipe import Recipe
from apexr.schema import identifier

_ALIASES = {"sample": "test_sample"}
_SELECTABLE = ("test_sample", "time")  # of these, a labeled rollout may hold a part


def score(
    scenario: Recipe, rollout: Any, reference: Any = None, name: str = "external"
) -> xr.Dataset:
    """Return the scenario's metrics of rollouts from its test states.

    See :func:`apexr.evaluate` for parameters and errors.
    """
    truth, initial = _reference(scenario, reference)
    predicted = _aligned(rollout, truth)
    partial = [dim for dim in _SELECTABLE if predicted.sizes[dim] < truth.sizes[dim]]
    truth = truth.sel({dim: predicted[dim].values for dim in partial})
    errors = score_rollouts(predicted.values, truth.values, metrics(scenario, truth.shape[3:]))
    config = {
        "scenario": scenario.get_scenario_name(),
        "task": "predict",
        "net": name,
        "train": "none",
        "scenario_kwargs": _data.label(scenario.changed_parameters),
    }
    samples = truth["test_sample"].values
    kept = samples[: scenario.num_trjs_returned]
    arrays = {
        **metric_arrays(errors),
        "sample_rollout": predicted.values[:, : len(kept)],
        "sample_reference": truth.values[: len(kept)],
    }
    if initial is not None:
        arrays["initial_state"] = initial.sel(test_sample=kept).values
    return labels.experiment(
        arrays,
        _axes(scenario, truth.shape[3:]),
        seeds=predicted["seed"].values,
        update_steps=(),
        counts={"time": truth["time"].values, "test_sample": samples, "sample": kept},
        config=config,
        metrics={identifier(config): config for config in errors},
        attrs={**machine(), **_data.provenance(scenario)},
    )


def errors(
    scenario: Recipe, rollout: Any, reference: Any = None
) -> dict[str, Float[np.ndarray, "seed time"]]:
    """Return the means over the test samples that :func:`score` gives, by config string."""
    ds = score(scenario, rollout, reference)
    return {config: ds[identifier(config)].values for config in metrics(scenario)}


def _reference(scenario: Recipe, reference: Any) -> tuple[xr.DataArray, xr.DataArray | None]:
    """Return the true trajectories ``(test_sample, time, channel, *space)``, from step 1 on.

    And the states that they begin with, where these are known. A reference of one's own says how
    many samples, steps and points there are; without initial states it begins with those of the
    test data, if it has as many samples on the same grid.
    """
    if reference is None:
        return _divided(_data.labelled_reference(scenario, "test").rename(sample="test_sample"))
    if isinstance(reference, xr.DataArray):
        return _divided(_labeled_reference(scenario, reference))
    values = _as_real(reference, "reference")
    truth = _template(scenario, values)
    if truth.shape[0] != scenario.num_test_samples or truth.shape[2:] != _state(scenario):
        return truth, None
    return truth, _divided(_data.labelled_reference(scenario, "test").rename(sample="test_sample"))[
        1
    ]


def _divided(trajectories: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray | None]:
    """Return trajectories without step 0, and step 0 if it is there."""
    steps = trajectories["time"].values
    first = trajectories.sel(time=0, drop=True) if 0 in steps else None
    return trajectories.isel(time=steps != 0), first


def _state(scenario: Recipe) -> tuple[int, ...]:
    return (scenario.num_channels, *scenario.grid.shape)


def _axes(scenario: Recipe, points: tuple[int, ...]) -> labels.Axes:
    """Return the scenario's axes, with these numbers of points."""
    if points == scenario.grid.shape:
        return scenario.axes
    size: Any = points[0] if len(set(points)) == 1 else points
    return dataclasses.replace(scenario.axes, num_points=size)


def _template(
    scenario: Recipe, values: np.ndarray, first: int = 1, samples: Any = None
) -> xr.DataArray:
    """Return trajectories of any number of samples, steps and points, labeled.

    Raises
    ------
    ShapeError
        If they have other axes or channels than the scenario.
    """
    dims = ("sample", "time", "channel", *scenario.axes.space)
    if values.ndim != len(dims) or values.shape[2] != scenario.num_channels:
        raise ShapeError(
            f"reference must have shape ({', '.join(dims)}) with {scenario.num_channels} channels,"
            f" got {values.shape}"
        )
    if not values.size:
        raise ShapeError(f"reference must hold something, got shape {values.shape}")
    array = labels.trajectories(
        values.astype(canonicalize_dtype(float), copy=False),
        _axes(scenario, values.shape[3:]),
        steps=np.arange(first, first + values.shape[1]),
        samples=samples,
    )
    return array.rename(sample="test_sample")


def _labeled_reference(scenario: Recipe, given: xr.DataArray) -> xr.DataArray:
    """Return a labeled reference, its dimensions in order and its labels checked.

    Raises
    ------
    ShapeError
        If a dimension or channel is missing or unknown, or the grid is not that of the domain.
    """
    _check_real(given.dtype, "reference")
    named = given.rename({old: new for old, new in _ALIASES.items() if old in given.dims})
    if "seed" in named.dims:
        if named.sizes["seed"] != 1:
            raise ShapeError(f"reference must not have several seeds, got {named.sizes['seed']}")
        named = named.isel(seed=0, drop=True)
    dims = ("test_sample", "time", "channel", *scenario.axes.space)
    for dim in (dim for dim in ("test_sample", "time") if dim in named.dims):
        if dim not in named.coords:
            count = np.arange(named.sizes[dim])
            named = named.assign_coords({dim: count + (dim == "time")})
    sizes = [named.sizes.get(dim, 1) for dim in dims]
    sizes[2] = scenario.num_channels
    wanted = _template(scenario, np.zeros(sizes))
    own = {dim: named[dim].values for dim in dims[:2] if dim in named.dims}
    labels_of = {dim: wanted[dim].values for dim in dims} | own
    expected = Expected("reference", "scenario", dims, labels_of)
    values = aligned(named, expected)
    template = _template(scenario, values.values, samples=values["test_sample"].values)
    return template.assign_coords(time=values["time"]).drop_vars("time_value", errors="ignore")


def _aligned(rollout: Any, truth: xr.DataArray) -> xr.DataArray:
    """Return a rollout ``(seed, test_sample, time, channel, *space)`` in the reference's order."""
    if isinstance(rollout, xr.DataArray):
        return _by_name(rollout, truth)
    values = _by_shape(rollout, truth)
    return truth.expand_dims(seed=np.arange(len(values))).copy(data=values)


# --- arrays ----------------------------------------------------------------------------------


def _by_shape(given: Any, truth: xr.DataArray) -> np.ndarray:
    """Return unlabeled values with a leading seed axis.

    Raises
    ------
    ShapeError
        If the shape is neither that of the reference nor seeds of it.
    """
    values = _as_real(given)
    if values.shape == truth.shape:
        values = values[None]
    if values.shape[1:] != truth.shape or values.ndim != truth.ndim + 1:
        named = ", ".join(f"{dim}: {size}" for dim, size in truth.sizes.items())
        raise ShapeError(
            f"rollout must have shape ({named}), optionally led by seeds; got {values.shape}"
            f"{_advice(values.shape, truth.shape)}"
        )
    return values.astype(truth.dtype, copy=False)


def _advice(given: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """Return what to do about an array of another shape."""
    if len(given) < len(wanted):
        return ""
    samples, steps = given[-len(wanted) :][:2]
    if steps == wanted[1] + 1:
        return "; leave the initial state out, step 1 is the first"
    if given[2 - len(wanted) :] == wanted[2:] and samples <= wanted[0] and steps <= wanted[1]:
        return "; to score a part, pass a DataArray that names its test_sample and time"
    return ""


def _as_real(given: Any, noun: str = "rollout") -> np.ndarray:
    """Return what NumPy makes of an array of any framework.

    Raises
    ------
    ShapeError
        If it cannot be read, or does not hold real numbers.
    """
    if isinstance(given, xr.Dataset):
        names = ", ".join(map(str, given.data_vars))
        raise ShapeError(f"{noun} must be an array, got a Dataset; pass one of {names}")
    try:
        values = np.asarray(given)
    except Exception as error:  # frameworks raise what they like
        raise ShapeError(
            f"{noun}: NumPy cannot read {type(given).__name__} ({error}); pass a NumPy array"
        ) from error
    _check_real(values.dtype, noun)
    return values


def _check_real(dtype: np.dtype[Any], noun: str = "rollout") -> None:
    if dtype.kind not in "fiu" and dtype.name != "bfloat16":
        raise ShapeError(f"{noun} must hold real numbers, got {dtype}")


# --- labeled arrays -------------------------------------------------------------------------


def _by_name(rollout: xr.DataArray, truth: xr.DataArray) -> xr.DataArray:
    """Return labeled values, their dimensions and labels in the order of the reference.

    Raises
    ------
    ShapeError
        If a dimension is missing or unknown, or labels such as the grid differ.
    """
    _check_real(rollout.dtype)
    named = rollout.rename({old: new for old, new in _ALIASES.items() if old in rollout.dims})
    if "seed" not in named.dims:
        named = named.expand_dims("seed" if "seed" in named.coords else {"seed": [0]})
    elif "seed" not in named.coords:
        named = named.assign_coords(seed=np.arange(named.sizes["seed"]))
    dims = tuple(map(str, truth.dims))
    expected = Expected(
        noun="rollout",
        owner="reference",
        dims=("seed", *dims),
        labels={dim: truth[dim].values for dim in dims},
        selectable=_SELECTABLE,
        left_out={"time": (0,)},
    )
    return aligned(named, expected).astype(truth.dtype, copy=False)
