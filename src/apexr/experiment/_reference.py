"""How good reference data are: their error against a converged solution, and their resolution."""

import time
import warnings
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from apexr import labels
from apexr._precision import computing_in
from apexr.errors import ApexrWarning, SpecError
from apexr.experiment import _data
from apexr.experiment._resolution import is_nonlinear, kept_waves, tail_energy, unwrapped
from apexr.recipe import Recipe
from apexr.schema import REFERENCE_ERROR
from apexr.steppers import (
    ETDRKStepper,
    FiniteDifferenceStepper,
    Poisson,
    RepeatedStepper,
    Stepper,
    simulate,
)
from apexr.steppers._arrays import check_count

if TYPE_CHECKING:
    import xarray as xr


Frames = Float[np.ndarray, "sample time channel *space"]

FEW = {1: 30, 2: 2, 3: 1}
"""Samples by the number of dimensions."""
AGREE, TRUSTED, ROUNDING = 0.05, 0.1, 1e-9
"""Two solutions that differ by such a part of the error are converged, may be used; are equal."""
MOST_SUBSTEPS = 4096


def reference_error(
    scenario: Recipe, num_samples: int | None, num_steps: int | None, max_seconds: float
) -> "xr.Dataset":
    """Return what :meth:`apexr.BaseScenario.reference_error` promises."""
    dims = scenario.num_spatial_dims
    samples = min(FEW[dims], scenario.num_test_samples) if num_samples is None else num_samples
    steps = scenario.test_temporal_horizon if num_steps is None else num_steps
    check_count("num_samples", samples, minimum=1)
    check_count("num_steps", steps, minimum=1)
    number = isinstance(max_seconds, int | float) and not isinstance(max_seconds, bool)
    if not number or not max_seconds >= 0:
        raise SpecError(f"max_seconds must be a number of at least 0, got {max_seconds!r}")
    if samples > scenario.num_test_samples:
        raise SpecError(
            f"num_samples must be at most num_test_samples ({scenario.num_test_samples}), got"
            f" {samples}"
        )
    stepper = scenario.get_ref_stepper()
    states = _data.drawn(scenario, "test", stepper)[:samples]
    warmup = scenario.num_warmup_steps
    data = np.asarray(_data.simulated(stepper, states, steps, warmup), np.float64)
    with computing_in("float64"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ApexrWarning)  # the reference solver has warned already
        exact, coarser, substeps = _converged(scenario, stepper, data, max_seconds)
    errors, agreement = _relative(data, exact), _relative(coarser, exact)
    unknown = agreement > np.maximum(TRUSTED * errors, ROUNDING)
    errors = np.where(np.isfinite(data).all(axis=_rest(data)), errors, np.inf)
    errors[unknown & np.isfinite(errors)] = np.nan
    arrays = {
        "mean_nRMSE": errors.mean(axis=0)[1:],
        "nRMSE": errors[:, 1:],
        "tail_energy": tail_energy(data, scenario.grid, kept_waves(stepper)).mean(axis=0)[1:],
        "agreement": agreement.mean(axis=0)[1:],
        "num_substeps": np.asarray(substeps),
    }
    coords = {"test_sample": np.arange(samples), "time": np.arange(1, steps + 1)}
    attrs = _data.provenance(scenario)
    return labels.comparison(
        arrays, REFERENCE_ERROR, coords, dt=getattr(scenario, "dt", None), attrs=attrs
    )


def _converged(
    scenario: Recipe, stepper: Any, data: Frames, max_seconds: float
) -> tuple[Frames, Frames, int]:
    """Return a converged solution, the one with half the substeps, and their number.

    Raises
    ------
    SpecError
        If the solver is of a kind whose equation apexr does not know.
    """
    inner, count = unwrapped(stepper)
    if isinstance(inner, FiniteDifferenceStepper):
        inner = ETDRKStepper(inner.equation, inner.grid, inner.dt, 4)
    states, num_steps = jnp.asarray(data[:, 0]), data.shape[1] - 1
    if not is_nonlinear(inner):
        closed = isinstance(inner, Poisson | Stepper)
        if not closed or (isinstance(inner, ETDRKStepper) and inner.equation is None):
            raise SpecError(
                f"the equation of {type(scenario).__name__} is not known: its reference stepper is"
                f" {inner!r}, no ETDRKStepper, so that no converged solution can be made of it"
            )
        closed_form = inner if count == 1 else RepeatedStepper(inner, count)
        exact = np.asarray(_data.simulated(closed_form, states, num_steps, 0))
        return exact, exact, count

    def solve(substeps: int) -> Frames:
        dt = float(inner.dt) * count / substeps
        fine = ETDRKStepper(
            inner.equation, inner.grid, dt, 4, dealiasing_fraction=inner.dealiasing_fraction
        )
        return np.asarray(simulate(RepeatedStepper(fine, substeps), states, num_steps))

    substeps, coarser = count, solve(count)
    started = time.perf_counter()
    while True:
        substeps, began = 2 * substeps, time.perf_counter()
        exact = solve(substeps)
        now = time.perf_counter()
        allowed = np.maximum(AGREE * _relative(data, exact), ROUNDING)
        agreed = bool(np.all(_relative(coarser, exact) <= allowed))
        late = now - started + 2 * (now - began) > max_seconds
        if agreed or late or substeps > MOST_SUBSTEPS:
            return exact, coarser, substeps
        coarser = exact


def _relative(frames: Frames, exact: Frames) -> Float[np.ndarray, "sample time"]:
    """Return ``‖frames - exact‖ / ‖exact‖`` of each frame; 0 where both are zero."""
    axes = _rest(exact)
    with np.errstate(all="ignore"):
        difference = np.sqrt(np.sum((frames - exact) ** 2, axis=axes))
        size = np.sqrt(np.sum(exact**2, axis=axes))
        return np.where(difference == 0, 0.0, difference / size)


def _rest(frames: Frames) -> tuple[int, ...]:
    return tuple(range(2, frames.ndim))
