"""``apexr.solver_ladder`` and ``apexr.clock``: what solvers and emulators cost."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr import labels
from apexr._precision import check_precision, computing_in
from apexr._typing import Precision
from apexr.comparisons._states import read_steps
from apexr.comparisons._subjects import read_subject
from apexr.engine import (
    Clocked,
    Judged,
    Problem,
    Rung,
    clocked,
    emulator_programs,
    judge,
    on_grid,
    select_seed,
    solver_programs,
)
from apexr.errors import SpecError
from apexr.experiment import _data as data
from apexr.experiment import machine, metric_arrays
from apexr.experiment._plan import metrics
from apexr.experiment._resolution import unwrapped
from apexr.kernels import prepare_host_devices
from apexr.scenarios import BaseScenario, resolve
from apexr.schema import CLOCK, LADDER, ladder_metrics, metric_names
from apexr.spectral import Grid
from apexr.steppers import SOLVERS, Equation, ETDRKStepper, FiniteDifferenceStepper
from apexr.steppers._arrays import check_count

FEWEST_POINTS = 4
DEFAULT_SOLVERS = ("etdrk;2", "etdrk;4")
_CLOCK = (
    "compiled, warm, the best of at least 5 calls; latency is that of one trajectory, throughput"
    " that of all test samples; all frames are made, on the grid of the rung"
)
_RULE_1 = (
    "solvers and emulators are compared at equal accuracy: a solver's cost is that of the cheapest"
    " rung with the emulator's error, interpolated between rungs"
)
_EFFICIENT = ("etdrk;2", "etdrk;3", "etdrk;4")
_RULES_2 = {
    True: "met: ETDRK, spectral in space and of high order in time, on several grids or steps",
    False: "not met: add etdrk;2 or etdrk;4 with several points or substeps to the ladder",
}


def solver_ladder(
    scenario: str | BaseScenario,
    *,
    points: Sequence[int] | int | None = None,
    substeps: Sequence[int] | int = (1, 2, 4, 8),
    solvers: Sequence[str] | str = DEFAULT_SOLVERS,
    num_samples: int | None = None,
    num_steps: int | None = None,
    truth_substeps: int | None = None,
    precision: Precision | None = None,
    **scenario_kwargs: Any,
) -> xr.Dataset:
    """Return error and cost of solvers of a scenario's equation: a ladder of accuracy.

    Every rung is a solver on a grid with so many substeps. It begins with the scenario's test
    states, truncated to its grid (Nyquist waves dropped); what it makes is brought back to the
    scenario's grid and scored by the scenario's metrics against the truth, a solution of order 4
    with more substeps, in double precision. Energy that the grid of a rung cannot hold counts as
    error.

    Parameters
    ----------
    scenario
        Key or object.
    points
        Points along the longest axis, at most the scenario's; others in proportion. By default a
        quarter, a half and all of them.
    substeps
        Solver steps in one step of the scenario.
    solvers
        ``etdrk;ORDER`` (exact coefficients) or ``fd;THETA;PICARD``.
    num_samples, num_steps
        Test samples and steps; by default those of the scenario. For a chaotic system take no
        more steps than the truth can be computed for.
    truth_substeps
        Substeps of the truth. By default four times the most of the ladder, and more where these
        are too few.
    precision
        Of rungs and clocks: that of the emulators to compare with, ``"float32"`` or
        ``"float64"``; by default what JAX is set to.
    scenario_kwargs
        Parameters of a scenario that is given by its key.

    Returns
    -------
    A Dataset with ``rung``, labeled by ``solver``, ``points`` and ``substeps``; see
    :data:`apexr.schema.LADDER`. For each metric the errors ``(rung, test_sample, time)`` and
    their mean over the samples; ``latency``, ``throughput`` and ``compile_seconds``;
    ``truth_error`` and ``reference_error``; ``data_seconds``. A rung that diverged has errors
    that are infinite or NaN. Attributes say how the clock was read and which of the two rules of
    fair comparisons the ladder can meet.

    Raises
    ------
    SpecError
        If an argument is out of its range, the scenario has no solver whose equation is known, a
        solver lacks a term of it, or the truth is too coarse: its error, estimated with half its
        substeps, is more than a tenth of the smallest error of a rung.

    References
    ----------
    McGreivy and Hakim (2024), "Weak baselines and reporting biases lead to overoptimism in
    machine learning for fluid-related partial differential equations", Nature Machine
    Intelligence. arXiv:2407.07218.

    Examples
    --------
    >>> ladder = apexr.solver_ladder("diff_burgers", points=(40, 80, 160), num_steps=50)
    >>> ladder.mean_nRMSE.sel(time=10)
    >>> apexr.analysis.breakeven(study, ladder, over=50)
    """
    prepare_host_devices()
    check_precision(precision)
    with computing_in(precision):
        chosen = resolve(scenario, scenario_kwargs)
        equation, dt = _equation_of(chosen)
        rungs = _rungs(chosen, equation, points, substeps, solvers)
        if truth_substeps is not None:
            check_count("truth_substeps", truth_substeps, minimum=1)
        reference = _test_data(chosen, num_samples, num_steps)
        problem = Problem(equation, chosen.grid, dt, reference, metrics(chosen))
        judged = judge(problem, rungs, truth_substeps)
        timed = [(rung.build(equation, dt), on_grid(problem.states, rung.grid)) for rung in rungs]
        timed.append((chosen.get_train_stepper(), problem.states))
        *costs, own = clocked([solver_programs(*one, problem.num_steps) for one in timed])
        attrs = {**machine(), **data.provenance(chosen), **_told(rungs, judged)}
    arrays = {
        **metric_arrays(judged.errors),
        **{field: np.array([getattr(cost, field) for cost in costs]) for field in _COSTS},
        "relative_error": judged.relative,
        "truth_error": judged.truth,
        "reference_error": judged.reference,
        "data_seconds": np.asarray(_data_seconds(chosen, own, problem.num_steps)),
    }
    return _labeled(chosen, problem, rungs, arrays, attrs)


_COSTS = ("latency", "throughput", "compile_seconds")


def _equation_of(scenario: BaseScenario) -> tuple[Equation, float]:
    """Return the equation of a scenario's test data, and the time of a step.

    Raises
    ------
    SpecError
        If it has no solver, or one whose equation is not known.
    """
    stepper = scenario.get_ref_stepper()
    inner, count = unwrapped(stepper)
    if isinstance(inner, ETDRKStepper | FiniteDifferenceStepper) and inner.equation is not None:
        return inner.equation, float(inner.dt) * count
    raise SpecError(
        f"{type(scenario).__name__} has no solver whose equation is known: its reference stepper is"
        f" {type(stepper).__name__}, and a ladder is made of ETDRKStepper or"
        " FiniteDifferenceStepper"
    )


def _rungs(
    scenario: BaseScenario, equation: Equation, points: Any, substeps: Any, solvers: Any
) -> list[Rung]:
    """Return all rungs: each solver on each grid with each number of substeps.

    Raises
    ------
    SpecError
        Naming what is out of its range or lacking.
    """
    specs = [SOLVERS.parse(config) for config in _listed("solvers", solvers)]
    counts = _listed("substeps", substeps)
    most = max(scenario.grid.shape)
    given = (most // 4, most // 2, most) if points is None else _listed("points", points)
    sizes = [size for size in given if points is not None or size >= FEWEST_POINTS]
    for name, values in (("substeps", counts), ("points", sizes)):
        for value in values:
            check_count(name, value, minimum=1 if name == "substeps" else FEWEST_POINTS)
    grids = [_grid(scenario.grid, int(size)) for size in sizes]
    rungs = [Rung(*parts) for parts in itertools.product(specs, grids, map(int, counts))]
    for rung in rungs:
        rung.solver.check(equation, rung.grid)
    return rungs


def _listed(name: str, given: Any) -> list[Any]:
    """Return one value or several, without those that are there twice.

    Raises
    ------
    SpecError
        If there is none.
    """
    single = isinstance(given, str | int | np.integer)
    values = list(dict.fromkeys([given] if single else given))
    if not values:
        raise SpecError(f"{name} must hold at least one value, got {given!r}")
    return values


def _grid(grid: Grid, points: int) -> Grid:
    """Return the grid with so many points along its longest axis.

    Raises
    ------
    SpecError
        If it has fewer.
    """
    most = max(grid.shape)
    if points > most:
        raise SpecError(
            f"points must be at most those of the scenario, {most}, got {points}: test states are"
            " truncated to the grid of a rung; for finer rungs take a scenario with more num_points"
        )
    sizes = tuple(max(2, round(size * points / most)) for size in grid.shape)
    return dataclasses.replace(grid, num_points=sizes)


def _test_data(scenario: BaseScenario, num_samples: Any, num_steps: Any) -> np.ndarray:
    """Return the test trajectories, with their initial states, as far as they are asked for.

    Raises
    ------
    SpecError
        If more is asked for than there is.
    """
    asked = {"num_samples": num_samples, "num_steps": read_steps(scenario, num_steps)}
    limits = {"num_samples": "num_test_samples", "num_steps": "test_temporal_horizon"}
    for name, limit in limits.items():
        most = getattr(scenario, limit)
        asked[name] = most if asked[name] is None else asked[name]
        check_count(name, asked[name], minimum=1)
        if asked[name] > most:
            raise SpecError(f"{name} must be at most {limit} ({most}), got {asked[name]}")
    trajectories = data.finite_test(scenario)
    return np.asarray(trajectories[: asked["num_samples"], : asked["num_steps"] + 1])


def _data_seconds(scenario: BaseScenario, own: Clocked, num_steps: int) -> float:
    """Return what the scenario's own solver takes for its training trajectories."""
    steps = scenario.train_temporal_horizon + scenario.num_warmup_steps
    return scenario.num_train_samples * steps / (own.throughput * num_steps)


def _told(rungs: Sequence[Rung], judged: Judged) -> dict[str, Any]:
    """Return what attributes say of the truth, the clock and the rules of fairness."""
    spectral = {
        (rung.grid.shape, rung.substeps, str(rung.solver))
        for rung in rungs
        if str(rung.solver) in _EFFICIENT
    }
    return {
        "truth": f"etdrk;4 with {judged.truth_substeps} substeps in double precision",
        "truth_substeps": judged.truth_substeps,
        "clock": _CLOCK,
        "rule_equal_accuracy": _RULE_1,
        "rule_efficient_solver": _RULES_2[len(spectral) > 1],
        "efficient_solver": int(len(spectral) > 1),
    }


def _labeled(
    scenario: BaseScenario,
    problem: Problem,
    rungs: Sequence[Rung],
    arrays: dict[str, Any],
    attrs: dict[str, Any],
) -> xr.Dataset:
    names = metric_names(problem.metrics)
    declared = dict(LADDER)
    for config, pair in names.items():
        declared |= ladder_metrics(config, pair)
    counts = {
        "rung": np.arange(len(rungs)),
        "test_sample": np.arange(len(problem.reference)),
        "time": np.arange(1, problem.num_steps + 1),
    }
    about = {
        "scenario": scenario.get_scenario_name(),
        "task": "solve",
        "net": "none",
        "train": "none",
        "scenario_kwargs": data.label(scenario.changed_parameters),
    }
    dt = getattr(scenario, "dt", None)
    ds = labels.comparison(arrays, declared, counts, dt=dt, config=about, attrs=attrs)
    return ds.assign_coords(
        solver=("rung", np.array([str(rung.solver) for rung in rungs], dtype=object)),
        points=("rung", np.array([max(rung.grid.shape) for rung in rungs])),
        substeps=("rung", np.array([rung.substeps for rung in rungs])),
    )


def clock(
    source: Any,
    scenario: str | BaseScenario | None = None,
    *,
    num_samples: int | None = None,
    num_steps: int | None = None,
    experiment: str | None = None,
) -> xr.Dataset:
    """Return what trajectories of an emulator cost, by the clock of :func:`apexr.solver_ladder`.

    All seeds of an experiment have the same cost; that of the first is measured, in the precision
    that it was trained in.

    Parameters
    ----------
    source, scenario, experiment
        As for :func:`apexr.decompose`; one experiment.
    num_samples, num_steps
        Test samples and steps; by default those of the scenario.

    Returns
    -------
    A Dataset with ``latency``, ``throughput`` and ``compile_seconds``; see
    :data:`apexr.schema.CLOCK`.

    Raises
    ------
    SpecError, ShapeError, StoreError
        As for :func:`apexr.decompose`.

    Examples
    --------
    >>> cost = apexr.clock("burgers.zarr", num_steps=50)
    >>> apexr.analysis.breakeven(result, ladder, over=50, inference=cost)
    """
    prepare_host_devices()
    subject = read_subject(source, scenario, experiment)
    with computing_in(subject.precision):
        reference = _test_data(subject.scenario, num_samples, num_steps)
        steps = reference.shape[1] - 1
        first = select_seed(subject.emulators, 0)
        (cost,) = clocked([emulator_programs(first, reference[:, 0], steps)])
        attrs = {**machine(), "clock": _CLOCK, "num_steps": steps}
    arrays = {field: np.asarray(getattr(cost, field)) for field in _COSTS}
    return labels.comparison(arrays, CLOCK, {}, config=subject.config, attrs=attrs)
