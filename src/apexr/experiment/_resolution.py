"""Whether reference data are resolved: a look at their spectrum, and at errors that are known."""

import functools
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Array, Bool, Float

from apexr.errors import ResolutionWarning, warn
from apexr.recipe import Protocol, Recipe, scenario_key
from apexr.spectral import Grid, dealiasing_mask, wavenumbers
from apexr.steppers import ETDRKStepper, PseudoSpectral, RepeatedStepper, ZeroTerm
from apexr.steppers._exponential import ClosedForm

if TYPE_CHECKING:
    import xarray as xr


Frames = Float[np.ndarray, "sample time channel *space"]

LAST_TENTH = 0.9
FAINT = 1e-3
"""Energy in the last tenth of the spectrum from which on data count as not resolved."""
COARSE, EARLY = 0.1, 50
"""An error from which on steps count as too coarse, and up to which step one looks at it."""
_SAMPLES, _FRAMES = 2, 9
"""How much of the data is looked at: a few transforms."""
_SAMPLING = (
    *("num_points", "num_spatial_dims", "num_train_samples", "num_test_samples"),
    *("train_seed", "test_seed", "train_temporal_horizon", "test_temporal_horizon"),
    *Protocol.parameters(),
)
"""Parameters on which the known errors do not depend, or that select them."""
_said: set[tuple[type, str, Grid]] = set()


def look_at(scenario: Recipe, stepper: Any, data: "Array | xr.DataArray") -> None:
    """Warn, once for a scenario on a grid, if its reference data are not resolved.

    In space: by the energy in the last tenth of the spectrum of a few frames. In time: by the
    error that was measured for the scenario's defaults, where it has these.

    Parameters
    ----------
    scenario, stepper
        The solver that made the data.
    data
        ``(sample, time, channel, *space)``; of lazy ones, a few frames are read.
    """
    key = (type(scenario), scenario.get_scenario_name(), scenario.grid)
    kept = kept_waves(stepper)
    if kept is None or key in _said or not data.shape[1]:
        return
    chosen = np.unique(np.linspace(0, data.shape[1] - 1, _FRAMES).astype(int))
    whole = np.asarray(data) if isinstance(data, np.ndarray | Array) else data
    frames = np.asarray(whole[:_SAMPLES, chosen])
    tail = tail_energy(frames, scenario.grid, kept)
    tail = tail[np.isfinite(frames).all(axis=tuple(range(2, frames.ndim)))]
    said = []
    if tail.size and tail.max() > FAINT:
        said.append(
            f"{tail.max():.1%} of the energy is in the last tenth of the spectrum: the grid of"
            f" {scenario.num_points} points does not resolve the states; take more points"
        )
    error = known_error(scenario)
    if error > COARSE:
        amount = f"{error:.0%}" if np.isfinite(error) else "more than can be told"
        said.append(
            f"the data differ from the solution of their equation by {amount} within {EARLY}"
            " steps; take more num_substeps, or numerics='exact' with order=4"
        )
    if said:
        _said.add(key)
        told = ". And ".join(said)
        warn(
            f"{scenario.get_scenario_name()}: {told}. reference_error() measures it",
            ResolutionWarning,
        )


def known_error(scenario: Recipe) -> float:
    """Return the largest early error that was measured for the scenario's parameters; 0 if none."""
    if set(scenario.changed_parameters) - set(_SAMPLING):
        return 0.0
    key = scenario_key(type(scenario)), scenario.num_spatial_dims, scenario.num_points
    errors = {int(step): float(value) for step, value in _known().get(key, {}).items()}
    early = [np.inf if np.isnan(value) else value for at, value in errors.items() if at <= EARLY]
    return max(early, default=0.0)


@functools.cache
def _known() -> dict[tuple[Any, ...], dict[str, float]]:
    """Return the errors that docs/reference_errors.py measured, by key, dimensions and points."""
    text = (files("apexr.experiment") / "reference_errors.json").read_text(encoding="utf-8")
    named = ("scenario", "num_spatial_dims", "num_points")
    return {tuple(row[name] for name in named): row["errors"] for row in json.loads(text)}


def unwrapped(stepper: Any) -> tuple[Any, int]:
    """Return the stepper of one substep, and how many of them make a step."""
    if isinstance(stepper, RepeatedStepper):
        inner, count = unwrapped(stepper.stepper)
        return inner, count * stepper.num_substeps
    return stepper, 1


def is_nonlinear(inner: Any) -> bool:
    """Tell whether a stepper solves an equation that is known and has a nonlinear term."""
    if not isinstance(inner, ETDRKStepper) or inner.equation is None:
        return False
    if not isinstance(inner.kernel, ClosedForm):
        return True
    transform = PseudoSpectral(inner.grid, inner.dealiasing_fraction)
    return not isinstance(inner.equation.nonlinear_term(transform), ZeroTerm)


def kept_waves(stepper: Any) -> Bool[np.ndarray, "*spectrum"] | None:
    """Return which waves a solver's nonlinear products are made of; None where there are none."""
    inner, _ = unwrapped(stepper)
    if not is_nonlinear(inner):
        return None
    mask: np.ndarray = dealiasing_mask(inner.grid, inner.dealiasing_fraction)[0]
    return mask


def tail_energy(
    frames: Frames, grid: Grid, kept: Bool[np.ndarray, "*spectrum"] | None
) -> Float[np.ndarray, "sample time"]:
    """Return the part of each frame's energy that is in the last tenth of the spectrum.

    These are the waves that a solver keeps with ``|k_d|`` above nine tenths of the largest that it
    keeps, along any axis. In well-resolved data they are faint.

    Parameters
    ----------
    frames
        The states.
    grid
        Their grid.
    kept
        Which waves the solver keeps, those of its dealiasing mask; None means all.
    """
    kept = np.ones(grid.spectral_shape, bool) if kept is None else kept
    waves = np.abs(wavenumbers(grid))
    largest = np.array([axis[kept].max() for axis in waves])
    scaled = waves / np.maximum(largest, 1).reshape(-1, *(1,) * grid.num_spatial_dims)
    tail = kept & (scaled.max(axis=0) > LAST_TENTH)
    axes = tuple(range(-grid.num_spatial_dims, 0))
    power = np.abs(np.fft.rfftn(frames, axes=axes)) ** 2
    last = waves[-1] * 2
    power = power * np.where((last == 0) | (last == grid.shape[-1]), 1, 2)
    summed = tuple(range(2, frames.ndim))
    with np.errstate(all="ignore"):
        share = np.sum(power, axis=summed, where=tail) / np.sum(power, axis=summed)
    return np.nan_to_num(share, nan=1.0)
