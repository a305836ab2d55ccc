"""Scores of rollouts that somebody else made."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from apexr import labels
from apexr.engine import score_rollouts
from apexr.errors import ShapeError
from apexr.experiment import machine, metric_arrays
from apexr.metrics import parse_metrics
from apexr.scenarios import _data
from apexr.scenarios._align import aligned
from apexr.schema import identifier

if TYPE_CHECKING:
    from apexr.scenarios._base import BaseScenario

_ALIASES = {"sample": "test_sample"}


def score(
    scenario: "BaseScenario", rollout: Any, reference: Any = None, name: str = "external"
) -> xr.Dataset:
    """Return the scenario's metrics of rollouts from its test states.

    See :func:`apexr.evaluate` for parameters and errors.
    """
    truth = _reference(scenario, reference)
    values, seeds = _aligned(rollout, truth)
    errors = score_rollouts(values, truth.values, parse_metrics(scenario.report_metrics))
    config = {
        "scenario": scenario.get_scenario_name(),
        "task": "predict",
        "net": name,
        "train": "none",
        "scenario_kwargs": _data.label(scenario.changed_parameters),
    }
    kept = scenario.num_trjs_returned
    start = scenario.get_ref_sample_data().isel(time=0)
    arrays = {
        **metric_arrays(errors),
        "initial_state": start.values,
        "sample_rollout": values[:, :kept],
        "sample_reference": truth.values[:kept],
    }
    return labels.experiment(
        arrays,
        scenario.axes,
        seeds=seeds,
        update_steps=(),
        config=config,
        metrics={identifier(config): config for config in errors},
        attrs={**machine(), **_data.provenance(scenario)},
    )


def _reference(scenario: "BaseScenario", reference: Any) -> xr.DataArray:
    """Return the true trajectories ``(test_sample, time, channel, *space)``, from step 1 on."""
    test = scenario.get_test_data().rename(sample="test_sample").isel(time=slice(1, None))
    if reference is None:
        return test
    if isinstance(reference, xr.DataArray):
        return _by_name(reference, test).squeeze("seed")
    return test.copy(data=_by_shape(np.asarray(reference), test)[0])


def _aligned(
    rollout: Any, truth: xr.DataArray
) -> tuple[Float[np.ndarray, "seed test_sample time channel ..."], np.ndarray]:
    """Return the values of a rollout in the order of the reference, and its seeds."""
    if isinstance(rollout, xr.DataArray):
        named = _by_name(rollout, truth)
        return named.values, named["seed"].values
    values = _by_shape(np.asarray(rollout), truth)
    return values, np.arange(len(values))


def _by_shape(values: np.ndarray, truth: xr.DataArray) -> np.ndarray:
    """Return unlabelled values with a leading seed axis.

    Raises
    ------
    ShapeError
        If the shape is neither that of the reference nor seeds of it.
    """
    if values.shape == truth.shape:
        values = values[None]
    if values.shape[1:] != truth.shape or values.ndim != truth.ndim + 1:
        named = ", ".join(f"{dim}: {size}" for dim, size in truth.sizes.items())
        with_start = (
            values.ndim >= truth.ndim and values.shape[1 - truth.ndim] == truth.shape[1] + 1
        )
        hint = "; leave the initial state out, step 1 is the first" if with_start else ""
        raise ShapeError(
            f"rollout must have shape ({named}), optionally led by seeds; got {values.shape}{hint}"
        )
    return values.astype(truth.dtype)


def _by_name(rollout: xr.DataArray, truth: xr.DataArray) -> xr.DataArray:
    """Return labelled values, their dimensions and labels in the order of the reference.

    Raises
    ------
    ShapeError
        If a dimension is missing or unknown, or labels such as the grid differ.
    """
    renames = {old: new for old, new in _ALIASES.items() if old in rollout.dims}
    named = rollout.rename(renames)
    if "seed" not in named.dims:
        named = named.expand_dims(seed=[0])
    wanted = {str(dim): truth[dim].values for dim in truth.dims}
    return aligned(named, ("seed", *wanted), wanted, noun="rollout").astype(truth.dtype)
