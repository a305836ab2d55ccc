"""Initial states: drawn from a distribution, or given as arrays of any kind and checked."""

import dataclasses
from typing import Any

import jax
import numpy as np
import xarray as xr
from jaxtyping import Float

from apexr._simulate._solver import Solver
from apexr.errors import ShapeError, SpecError
from apexr.experiment._data import initial
from apexr.initial import INITIAL_CONDITIONS, sample_set
from apexr.scenarios import Expected, aligned
from apexr.spectral import Grid
from apexr.steppers._arrays import default_float

States = Float[np.ndarray, "sample channel *space"]


@dataclasses.dataclass(frozen=True)
class Start:
    """Where trajectories begin.

    Parameters
    ----------
    states
        The states, finite, in JAX's default precision.
    samples
        Their labels; None counts them.
    attrs
        Attributes of results about them.
    drawn
        Whether they are drawn, and so not yet warmed up.
    """

    states: States
    samples: np.ndarray | None
    attrs: dict[str, Any]
    drawn: bool


def read_states(solver: Solver, given: Any, *, num_samples: int | None, seed: int | None) -> Start:
    """Return the states that :func:`apexr.simulate` is given.

    Raises
    ------
    SpecError
        If they are of no kind that is known, hold NaN or infinite numbers, or cannot be drawn.
    ShapeError
        If their shape, grid or channels do not fit the solver.
    """
    if given is None and solver.scenario is None:
        raise SpecError(
            "initial_states are missing: give an array (sample, channel, *space) or a config"
            ' string such as "fourier;5;true;true"; only a scenario has its own'
        )
    if given is None or isinstance(given, str):
        return _drawn(solver, given, num_samples, seed)
    for name, value in (("num_samples", num_samples), ("seed", seed)):
        if value is not None:
            raise SpecError(f"{name} goes with initial states that are drawn, not with an array")
    if isinstance(given, jax.core.Tracer):
        raise SpecError(
            "apexr.simulate labels its result and cannot be traced; within jit, vmap or grad use"
            " apexr.steppers.simulate or rollout"
        )
    if isinstance(given, xr.Dataset | xr.DataTree):
        raise SpecError(
            f"initial_states must be a DataArray, got a {type(given).__name__}; choose a variable"
        )
    labeled = isinstance(given, xr.DataArray)
    array, samples = _by_name(solver, given) if labeled else (np.asarray(given), None)
    states = _by_shape(solver, _as_floats(array))
    _require_finite(states, array)
    return Start(states, samples, {"initial_states": "given"}, drawn=False)


def _drawn(solver: Solver, config: str | None, num_samples: int | None, seed: int | None) -> Start:
    scenario = solver.scenario
    if scenario is not None:
        config = scenario.ic_config if config is None else config
        num_samples = scenario.num_test_samples if num_samples is None else num_samples
        seed = scenario.test_seed if seed is None else seed
    distribution = INITIAL_CONDITIONS.parse(str(config))
    seed = 0 if seed is None else seed
    states = sample_set(
        distribution,
        Grid(solver.grid.num_spatial_dims, solver.grid.num_points),
        num_samples=1 if num_samples is None else num_samples,
        num_channels=solver.num_channels or 1,
        seed=seed,
    )
    if scenario is not None:
        states = initial(scenario, solver.step, states)
    attrs = {"initial_states": str(distribution), "seed": seed}
    return Start(np.asarray(states), None, attrs, drawn=True)


def _by_name(solver: Solver, given: xr.DataArray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the values of labeled states in the solver's order, and the sample labels.

    Raises
    ------
    ShapeError
        If dimensions, grid or channels are others.
    """
    axes, grid = solver.axes, solver.grid
    labels: dict[str, np.ndarray] = {
        dim: np.arange(points) * spacing
        for dim, points, spacing in zip(axes.space, grid.shape, grid.spacings, strict=True)
    }
    if axes.channel_names is not None and _has_names(given):
        labels["channel"] = np.array(axes.channel_names, dtype=object)
    leading = ("sample",) if "sample" in given.dims else ()
    dims = (*leading, "channel", *axes.space)
    ordered = aligned(given, Expected("array of initial states", "solver", dims, labels))
    return ordered.values, _whole_labels(ordered)


def _has_names(given: xr.DataArray) -> bool:
    return "channel" in given.coords and given["channel"].dtype.kind in "OTU"


def _whole_labels(given: xr.DataArray) -> np.ndarray | None:
    """Return the labels of the samples where they are whole numbers."""
    if "sample" not in given.coords or given["sample"].dtype.kind not in "iu":
        return None
    return np.atleast_1d(given["sample"].values)


def _as_floats(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "fiu" and array.dtype.name != "bfloat16":
        raise SpecError(f"initial_states must be real numbers, got an array of {array.dtype}")
    with np.errstate(over="ignore"):  # what is too large for the precision is refused below
        return array.astype(default_float())


def _by_shape(solver: Solver, states: np.ndarray) -> States:
    """Return states with a sample axis.

    Raises
    ------
    ShapeError
        If the shape is not that of states of the solver.
    """
    space, channels = solver.grid.shape, solver.num_channels
    batch = states[None] if states.ndim == len(space) + 1 else states
    fits = batch.ndim == len(space) + 2 and batch.shape[2:] == space and batch.shape[0] > 0
    if not fits or channels not in (None, batch.shape[1]):
        count = "any" if channels is None else channels
        expected = ", ".join(map(str, (count, *space)))
        raise ShapeError(
            f"initial_states must have shape (sample, channel, *space) = (any, {expected}), or"
            f" ({expected}) for a single one; got {states.shape}"
        )
    return batch


def _require_finite(states: States, given: np.ndarray) -> None:
    wrong = ~np.isfinite(states)
    if not wrong.any():
        return
    each = wrong.reshape(*states.shape[:2], -1).sum(axis=-1)
    sample, channel = np.argwhere(each)[0]
    cause = "NaN or infinite numbers"
    if np.isfinite(given).all():
        cause = f"numbers too large for {states.dtype}"
    raise SpecError(
        f"initial_states hold {cause} in {int((each > 0).any(axis=1).sum())} of {len(states)}"
        f" samples, {int(each.sum())} in all; the first: {int(each[sample, channel])} in sample"
        f" {sample}, channel {channel}"
    )
