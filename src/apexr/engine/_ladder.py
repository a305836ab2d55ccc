"""A ladder of solvers: what error each has, and what it costs.

A rung is a solver on a grid with a number of substeps. It starts from the test states, truncated
to its grid; its solution is brought back to the grid of the states and compared with the truth, a
solution with many more substeps in double precision. Samples are worked on a few at a time.
"""

import dataclasses
import warnings
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from apexr._precision import computing_in
from apexr.engine._evaluate import score_rollouts
from apexr.errors import ApexrWarning, SpecError
from apexr.metrics import Metric
from apexr.spectral import Grid, resample
from apexr.steppers import (
    Equation,
    ETDRKStepper,
    RepeatedStepper,
    SolverSpec,
    Stepper,
    simulate,
)
from apexr.steppers._exponential import ClosedForm

TENTH = 0.1
"""The truth may have an error of so much of the smallest error of a rung."""
ROUNDING = 1e-9
"""An error below which solutions are equal."""
FINER = 4
"""The truth has so many times the substeps of the finest rung; four doublings more are tried."""
_DOUBLINGS = 4
_BLOCK_BYTES = 64 * 2**20

Frames = Float[np.ndarray, "sample time channel *space"]


@dataclasses.dataclass(frozen=True)
class Rung:
    """A solver on a grid, with so many substeps in a step of the scenario."""

    solver: SolverSpec
    grid: Grid
    substeps: int

    def build(self, equation: Equation, dt: float) -> Stepper:
        """Return its stepper of one step of the scenario; too coarse a grid shows in its error."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ApexrWarning)
            return self.solver.build(equation, self.grid, dt, num_substeps=self.substeps)


@dataclasses.dataclass(frozen=True)
class Problem:
    """The problem that all rungs solve.

    Attributes
    ----------
    equation, grid, dt
        The equation, the grid of the states and the step between two of them.
    reference
        The test trajectories, with their initial states.
    metrics
        Metrics by config string.
    """

    equation: Equation
    grid: Grid
    dt: float
    reference: Frames
    metrics: dict[str, Metric]

    @property
    def states(self) -> Float[np.ndarray, "sample channel *space"]:
        """The initial states of the test trajectories."""
        return self.reference[:, 0]

    @property
    def num_steps(self) -> int:
        """Steps of the trajectories."""
        return self.reference.shape[1] - 1


@dataclasses.dataclass(frozen=True)
class Judged:
    """The errors of a ladder.

    Attributes
    ----------
    errors
        For each metric ``(rung, test_sample, time, *metric)``.
    relative
        ``(rung, time)``: relative Euclidean error, mean over the samples.
    truth, reference
        ``(time)``: the same of the truth, against half its substeps, and of the test trajectories.
    truth_substeps
        Its substeps.
    """

    errors: dict[str, Float[np.ndarray, "rung test_sample time *metric"]]
    relative: Float[np.ndarray, "rung time"]
    truth: Float[np.ndarray, " time"]
    reference: Float[np.ndarray, " time"]
    truth_substeps: int


def judge(problem: Problem, rungs: Sequence[Rung], truth_substeps: int | None) -> Judged:
    """Return the errors of all rungs.

    Parameters
    ----------
    problem, rungs
        The problem, and how it is solved.
    truth_substeps
        Those of the truth. None takes 4 times those of the finest rung, and doubles them until
        the truth is good enough.

    Raises
    ------
    SpecError
        If the error of the truth is more than a tenth of the smallest error of a rung.
    """
    substeps = truth_substeps or FINER * max(rung.substeps for rung in rungs)
    attempts = 1 if truth_substeps else 1 + _DOUBLINGS
    while True:
        judged = _judge(problem, rungs, substeps)
        worst, step = _worst(judged)
        attempts -= 1
        if worst <= TENTH:
            return judged
        if not attempts:
            raise SpecError(
                f"the truth of this ladder, with {substeps} substeps, is too coarse: at step {step}"
                f" its own error is {worst:.2g} of the smallest error of a rung, at most {TENTH:g}"
                " is allowed. Take more truth_substeps, fewer num_steps (a chaotic system cannot be"
                " predicted for long) or coarser rungs"
            )
        substeps *= 2


def _worst(judged: Judged) -> tuple[float, int]:
    """Return the largest ratio of the truth's error to the smallest of a rung, and its step."""
    finite = np.where(np.isfinite(judged.relative), judged.relative, np.inf)
    allowed = np.maximum(finite.min(axis=0), ROUNDING / TENTH)
    ratio = np.nan_to_num(judged.truth / allowed, nan=np.inf)
    place = int(np.argmax(ratio))
    return float(ratio[place]), place + 1


def _judge(problem: Problem, rungs: Sequence[Rung], substeps: int) -> Judged:
    samples = len(problem.reference)
    size = max(1, min(samples, _BLOCK_BYTES // problem.reference[0].nbytes))
    blocks = [
        _judge_block(problem, rungs, substeps, problem.reference[first : first + size])
        for first in range(0, samples, size)
    ]
    scores, parts = zip(*blocks, strict=True)
    errors = {name: np.concatenate([one[name] for one in scores], axis=1) for name in scores[0]}
    *of_rungs, truth, reference = np.concatenate(parts, axis=1).mean(axis=1)
    return Judged(errors, np.stack(of_rungs), truth, reference, substeps)


def _judge_block(
    problem: Problem, rungs: Sequence[Rung], substeps: int, reference: Frames
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the errors of some samples: by metrics, and relative ones of all that was made.

    The last two of these are the truth with half its substeps, and the test trajectories.
    """
    states = reference[:, 0]
    with computing_in("float64"):
        truth = _solved(problem, states, substeps)
        coarser = _solved(problem, states, max(1, substeps // 2))
    made = [_climbed(problem, rung, states) for rung in rungs]
    with computing_in("float64"):
        parts = [score_rollouts(one[None], truth, problem.metrics) for one in made]
    scores = {name: np.concatenate([part[name] for part in parts]) for name in problem.metrics}
    return scores, np.stack([relative(one, truth) for one in (*made, coarser, reference[:, 1:])])


def _solved(problem: Problem, states: np.ndarray, substeps: int) -> Frames:
    """Return a solution of order 4, without the initial states; a linear equation's is exact."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ApexrWarning)  # the scenario's own solver has warned
        single = ETDRKStepper(problem.equation, problem.grid, problem.dt / substeps, 4)
        stepper: Stepper = single if substeps == 1 else RepeatedStepper(single, substeps)
        if isinstance(single.kernel, ClosedForm):
            stepper = ETDRKStepper(problem.equation, problem.grid, problem.dt)
    frames = simulate(stepper, states, problem.num_steps, include_init=False)
    return np.asarray(frames)


def _climbed(problem: Problem, rung: Rung, states: np.ndarray) -> Frames:
    """Return what a rung makes of states, on their grid, in double precision."""
    stepper = rung.build(problem.equation, problem.dt)
    start = on_grid(states, rung.grid)
    frames = simulate(stepper, start, problem.num_steps, include_init=False)
    with computing_in("float64"):
        return on_grid(np.asarray(frames, np.float64), problem.grid)


def on_grid(states: np.ndarray, grid: Grid) -> np.ndarray:
    """Return states ``(…, channel, *space)`` on another grid; the Nyquist waves are dropped."""
    given = states.shape
    if given[-grid.num_spatial_dims :] == grid.shape:
        return states
    flat = states.reshape(-1, *given[-grid.num_spatial_dims :])
    moved = np.asarray(resample(jnp.asarray(flat), grid.shape, nyquist="zero"))
    return moved.reshape(*given[: -grid.num_spatial_dims], *grid.shape)


def relative(frames: Frames, truth: Frames) -> Float[np.ndarray, "sample time"]:
    """Return ``‖frames - truth‖ / ‖truth‖`` of each state; infinite where it is not finite."""
    axes = tuple(range(2, truth.ndim))
    with np.errstate(all="ignore"):
        off = np.sqrt(np.sum((frames - truth) ** 2, axis=axes))
        part = np.where(off == 0, 0.0, off / np.sqrt(np.sum(truth**2, axis=axes)))
    return np.where(np.isfinite(part), part, np.inf)
