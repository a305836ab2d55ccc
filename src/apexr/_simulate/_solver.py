"""The solver of a simulation, and the labels of its trajectories."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from apexr.errors import ShapeError, SpecError, suggest
from apexr.experiment._data import label
from apexr.labels import Axes
from apexr.scenarios import BaseScenario, resolve
from apexr.spectral import Grid
from apexr.steppers import Equation, FieldMarch, March, RepeatedStepper, SpectralMarch, Stepper
from apexr.steppers._arrays import default_float

OPTIONS = (
    "initial_states",
    "num_steps",
    "num_warmup_steps",
    "include_init",
    "save_every",
    "num_samples",
    "seed",
    "grid",
    "dt",
    "channel_names",
    "store",
    "overwrite",
    "memory_budget",
    "devices",
    "progress",
)
"""Keywords of :func:`apexr.simulate` in addition to those of a scenario."""


@dataclasses.dataclass(frozen=True)
class Solver:
    """A solver whose parts are known.

    Parameters
    ----------
    step
        A stepper, or a function of one state.
    axes
        The labels of its states.
    num_channels
        Channels of a state; None where any number will do.
    attrs
        Attributes of results about it.
    scenario
        The scenario that it is the reference stepper of.
    """

    step: Stepper | Callable[[Any], Any]
    axes: Axes
    num_channels: int | None
    attrs: Mapping[str, Any]
    scenario: BaseScenario | None = None

    @property
    def grid(self) -> Grid:
        """The grid of the states."""
        axes = self.axes
        return Grid(axes.num_spatial_dims, axes.num_points, axes.domain_extent)

    def march(self, every: int) -> March:
        """Return what makes frames, ``every`` steps apart."""
        if isinstance(self.step, Stepper):
            return SpectralMarch(self.step, every)
        return FieldMarch(every=every, function=self.step)

    def check_step(self, num_channels: int) -> None:
        """Refuse a function that does not take a state to a state.

        Raises
        ------
        ShapeError
            If it returns another shape.
        SpecError
            If JAX cannot trace it.
        """
        if isinstance(self.step, Stepper):
            return
        state = jax.ShapeDtypeStruct((num_channels, *self.grid.shape), default_float())
        try:
            made = jax.eval_shape(self.step, state)
        except jax.errors.JAXTypeError as error:
            raise SpecError(
                f"{self.step!r} cannot be traced by JAX; write it with jax.numpy"
            ) from error
        if getattr(made, "shape", None) != state.shape:
            shape = getattr(made, "shape", type(made).__name__)
            raise ShapeError(f"{self.step!r} must take a state {state.shape} to such, got {shape}")


def read_solver(
    given: Any,
    *,
    grid: Grid | None,
    dt: float | None,
    channel_names: Sequence[str] | None,
    keywords: Mapping[str, Any],
) -> Solver:
    """Return the solver that the first argument of :func:`apexr.simulate` means.

    Raises
    ------
    SpecError
        If it means none, or a keyword does not belong to it.
    """
    if isinstance(given, str | BaseScenario):
        solver = _of_scenario(given, grid, dt, keywords)
    else:
        _refuse_keywords(given, keywords)
        make = _of_stepper if isinstance(given, Stepper) else _of_function
        solver = make(given, grid, dt)
    return solver if channel_names is None else _renamed(solver, channel_names)


def _of_scenario(
    given: str | BaseScenario, grid: Grid | None, dt: float | None, keywords: Mapping[str, Any]
) -> Solver:
    if grid is not None:
        raise SpecError("a scenario has its own grid; set num_points and the like instead of grid")
    named = dict(keywords) if dt is None else {**keywords, "dt": dt}
    scenario = resolve(given, named, beside=OPTIONS)
    step = scenario.get_ref_stepper()
    about = {
        "scenario": scenario.get_scenario_name(),
        "scenario_kwargs": label(scenario.changed_parameters),
        **scenario.numerics_attributes,
    }
    return Solver(
        step, scenario.axes, scenario.num_channels, {**about, **_described(step)}, scenario
    )


def _of_stepper(stepper: Stepper, grid: Grid | None, dt: float | None) -> Solver:
    for name, wanted, held in (("grid", grid, stepper.grid), ("dt", dt, stepper.dt)):
        if wanted is not None and wanted != held:
            raise SpecError(f"the stepper has the {name} {held!r}, got {wanted!r}; leave it out")
    axes = _axes(stepper.grid, float(stepper.dt))
    return Solver(stepper, axes, stepper.num_channels, _described(stepper))


def _of_function(given: Any, grid: Grid | None, dt: float | None) -> Solver:
    if isinstance(given, Equation):
        raise SpecError(
            f"{given!r} has no grid and no time step; make a solver of it:"
            " ETDRKStepper(equation, grid, dt)"
        )
    if not callable(given) or isinstance(given, type):
        raise SpecError(
            "the first argument must be a stepper, a scenario or its key, or a function of one"
            f" state, got {given!r}"
        )
    if not isinstance(grid, Grid):
        raise SpecError(
            f"the grid of {given!r} is not known; give grid=Grid(num_spatial_dims, num_points,"
            f" domain_extent), got {grid!r}"
        )
    if dt is not None and not (isinstance(dt, int | float | np.number) and 0 < dt < np.inf):
        raise SpecError(f"dt must be a finite number above 0, got {dt!r}")
    return Solver(given, _axes(grid, dt), None, _described(given))


def _refuse_keywords(given: Any, keywords: Mapping[str, Any]) -> None:
    for name in keywords:
        raise SpecError(
            f"unknown keyword {name!r}{suggest(name, OPTIONS)}; only a scenario has more of them,"
            f" got {given!r}"
        )


def _axes(grid: Grid, dt: float | None) -> Axes:
    step = None if dt is None else float(dt)
    return Axes(grid.num_spatial_dims, grid.num_points, grid.domain_extent, step)


def _renamed(solver: Solver, names: Sequence[str]) -> Solver:
    count = len(names) if solver.num_channels is None else solver.num_channels
    if isinstance(names, str) or len(names) != count or len(set(names)) != count:
        raise SpecError(f"channel_names must be {count} different names, got {names!r}")
    axes = dataclasses.replace(solver.axes, channel_names=tuple(names))
    return dataclasses.replace(solver, axes=axes, num_channels=count)


def _described(step: Any) -> dict[str, Any]:
    """Return what attributes say of a stepper or a function."""
    if not isinstance(step, Stepper):
        return {"stepper": getattr(step, "__qualname__", type(step).__qualname__)}
    inner: Any = step.stepper if isinstance(step, RepeatedStepper) else step
    about = {
        "stepper": type(inner).__name__,
        "equation": repr(getattr(inner, "equation", None)),
        "dt": float(step.dt),
        "num_substeps": getattr(step, "num_substeps", 1),
        "order": getattr(inner, "order", None),
        "etdrk_coefficients": getattr(inner, "coefficients", None),
    }
    return {name: value for name, value in about.items() if value is not None}
