"""Scores of rollouts that somebody else made."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from apexr import labels
from apexr.engine import score_rollouts
from apexr.errors import ShapeError
from apexr.experiment import machine, metric_arrays
from apexr.metrics import parse_metrics
from apexr.scenarios import _data
from apexr.scenarios._align import Expected, aligned
from apexr.schema import identifier

if TYPE_CHECKING:
    from apexr.scenarios._base import BaseScenario

_ALIASES = {"sample": "test_sample"}
_SELECTABLE = ("test_sample", "time")  # of these, a labelled rollout may hold a part


def score(
    scenario: "BaseScenario", rollout: Any, reference: Any = None, name: str = "external"
) -> xr.Dataset:
    """Return the scenario's metrics of rollouts from its test states.

    See :func:`apexr.evaluate` for parameters and errors.
    """
    test = scenario.get_test_data().rename(sample="test_sample")
    truth = _reference(test, reference)
    predicted = _aligned(rollout, truth)
    partial = [dim for dim in _SELECTABLE if predicted.sizes[dim] < truth.sizes[dim]]
    truth = truth.sel({dim: predicted[dim].values for dim in partial})
    errors = score_rollouts(predicted.values, truth.values, parse_metrics(scenario.report_metrics))
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
        "initial_state": test.sel(time=0, test_sample=kept).values,
        "sample_rollout": predicted.values[:, : len(kept)],
        "sample_reference": truth.values[: len(kept)],
    }
    return labels.experiment(
        arrays,
        scenario.axes,
        seeds=predicted["seed"].values,
        update_steps=(),
        counts={"time": truth["time"].values, "test_sample": samples, "sample": kept},
        config=config,
        metrics={identifier(config): config for config in errors},
        attrs={**machine(), **_data.provenance(scenario)},
    )


def _reference(test: xr.DataArray, reference: Any) -> xr.DataArray:
    """Return the true trajectories ``(test_sample, time, channel, *space)``, from step 1 on."""
    truth = test.isel(time=slice(1, None))
    if reference is None:
        return truth
    if isinstance(reference, xr.DataArray):
        named = _by_name(reference, truth)
        if named.sizes["seed"] != 1:
            raise ShapeError(f"reference must not have several seeds, got {named.sizes['seed']}")
        return named.isel(seed=0, drop=True)
    values = _by_shape(reference, truth)
    if len(values) != 1:
        raise ShapeError(f"reference must not have several seeds, got {len(values)}")
    return truth.copy(data=values[0])


def _aligned(rollout: Any, truth: xr.DataArray) -> xr.DataArray:
    """Return a rollout ``(seed, test_sample, time, channel, *space)`` in the reference's order."""
    if isinstance(rollout, xr.DataArray):
        return _by_name(rollout, truth)
    values = _by_shape(rollout, truth)
    return truth.expand_dims(seed=np.arange(len(values))).copy(data=values)


# --- arrays ----------------------------------------------------------------------------------


def _by_shape(given: Any, truth: xr.DataArray) -> np.ndarray:
    """Return unlabelled values with a leading seed axis.

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


def _as_real(given: Any) -> np.ndarray:
    """Return what NumPy makes of an array of any framework.

    Raises
    ------
    ShapeError
        If it cannot be read, or does not hold real numbers.
    """
    if isinstance(given, xr.Dataset):
        names = ", ".join(map(str, given.data_vars))
        raise ShapeError(f"rollout must be an array, got a Dataset; pass one of {names}")
    try:
        values = np.asarray(given)
    except Exception as error:  # frameworks raise what they like
        raise ShapeError(
            f"rollout: NumPy cannot read {type(given).__name__} ({error}); pass a NumPy array"
        ) from error
    _check_real(values.dtype)
    return values


def _check_real(dtype: np.dtype[Any]) -> None:
    if dtype.kind not in "fiu" and dtype.name != "bfloat16":
        raise ShapeError(f"rollout must hold real numbers, got {dtype}")


# --- labelled arrays -------------------------------------------------------------------------


def _by_name(rollout: xr.DataArray, truth: xr.DataArray) -> xr.DataArray:
    """Return labelled values, their dimensions and labels in the order of the reference.

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
