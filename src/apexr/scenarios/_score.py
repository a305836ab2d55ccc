"""Scores of rollouts that somebody else made."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from apexr import labels
from apexr.engine import score_rollouts
from apexr.errors import ShapeError, suggest
from apexr.experiment import machine, metric_arrays
from apexr.metrics import parse_metrics
from apexr.scenarios import _data
from apexr.schema import SPATIAL_DIMS, identifier

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
    expected = ("seed", *map(str, truth.dims))
    for dim in expected:
        if dim not in named.dims:
            hint = suggest(dim, map(str, named.dims))
            raise ShapeError(f"rollout has no dimension {dim!r}{hint}; it has {named.dims}")
    extra = [dim for dim in named.dims if dim not in expected]
    if extra:
        raise ShapeError(f"rollout has dimensions {extra} that the reference lacks")
    for name in truth.dims:
        named = _match_labels(named, truth, str(name))
    return named.transpose(*expected).astype(truth.dtype)


def _match_labels(rollout: xr.DataArray, truth: xr.DataArray, dim: str) -> xr.DataArray:
    """Return the rollout with the reference's labels along one dimension.

    Raises
    ------
    ShapeError
        If the rollout lacks some of them.
    """
    wanted = truth[dim].values
    if dim not in rollout.coords:
        if rollout.sizes[dim] != len(wanted):
            raise ShapeError(f"{dim}: expected {len(wanted)} entries, got {rollout.sizes[dim]}")
        return rollout.assign_coords({dim: wanted})
    if not rollout.get_index(dim).is_unique:
        raise ShapeError(f"{dim}: the rollout has a label more than once")
    if dim in SPATIAL_DIMS:
        return _match_grid(rollout, wanted, dim)
    missing = [label for label in wanted.tolist() if label not in rollout[dim].values]
    if missing:
        raise ShapeError(
            f"{dim}: the rollout lacks {missing[:5]}{' …' if len(missing) > 5 else ''}; "
            f"it has {rollout[dim].values[:5].tolist()} …"
        )
    return rollout.sel({dim: wanted})


def _match_grid(rollout: xr.DataArray, wanted: np.ndarray, dim: str) -> xr.DataArray:
    given = rollout[dim].values
    if given.shape != wanted.shape or not np.allclose(np.sort(given), wanted, rtol=1e-5):
        raise ShapeError(
            f"{dim}: the rollout lives on another grid ({len(given)} points from {given.min():g}"
            f" to {given.max():g}) than the scenario ({len(wanted)} points from {wanted.min():g}"
            f" to {wanted.max():g}); map it to that grid first"
        )
    return rollout.sortby(dim).assign_coords({dim: wanted})
