"""``apexr.ensemble``: the seeds of a network as members of an ensemble."""

from collections.abc import Iterator
from typing import Any, get_args

import jax.numpy as jnp
import numpy as np
import xarray as xr

from apexr import analysis, labels
from apexr._precision import computing_in
from apexr.comparisons._states import initial_states, read_steps
from apexr.comparisons._subjects import Subject, read_subject
from apexr.engine import Block, EnsembleMode, ensemble_blocks
from apexr.errors import SpecError
from apexr.experiment import machine
from apexr.kernels import prepare_host_devices
from apexr.scenarios import BaseScenario
from apexr.schema import ENSEMBLE
from apexr.steppers import as_solver

_SAMPLE = "test_sample"


def ensemble(
    source: Any,
    scenario: str | BaseScenario | None = None,
    *,
    states: Any = None,
    num_steps: int | None = None,
    mode: str = "independent",
    experiment: str | None = None,
) -> xr.Dataset:
    """Return how well seeds, as members of an ensemble, tell the error of their mean.

    Parameters
    ----------
    source, scenario, states, num_steps, experiment
        As for :func:`apexr.decompose`; one experiment with at least two seeds.
    mode
        ``"independent"``: each member is rolled out from its own state. ``"mean_rollout"``: at
        every step all members go on from their mean.

    Returns
    -------
    A Dataset; see :data:`apexr.schema.ENSEMBLE`. Along ``(test_sample, time)`` ``crps`` and
    ``energy_score`` (both fair) and ``mean_error``, the root mean square of the error of the
    mean; along ``time`` ``spread``, ``skill`` (the unbiased error of the mean), ``spread_skill``
    (1 for a calibrated ensemble, below 1 for an overconfident one) and ``num_diverged`` members;
    ``rank_histogram`` along ``(time, member_rank)``; ``coverage`` along ``(time, interval)``, of
    the intervals between order statistics, whose ``level`` is exact.

    Where a member is NaN or infinite, scores are infinite and ranks are not counted.

    Raises
    ------
    SpecError
        If there are fewer than two seeds, or an argument means nothing.
    ShapeError, StoreError
        As for :func:`apexr.decompose`.

    Notes
    -----
    States are scored a few steps at a time and not kept: memory does not grow with the number of
    steps. See :func:`apexr.analysis.crps` for the scores and their sources.

    Examples
    --------
    >>> scores = apexr.ensemble("ks.zarr")
    >>> scores.spread_skill.sel(time=[1, 10, 100])
    """
    prepare_host_devices()
    if mode not in get_args(EnsembleMode):
        raise SpecError(f"mode must be one of {', '.join(get_args(EnsembleMode))}, got {mode!r}")
    subject = read_subject(source, scenario, experiment)
    if len(subject.seeds) < 2:
        raise SpecError(f"an ensemble needs at least 2 seeds as members, got {len(subject.seeds)}")
    horizon = read_steps(subject.scenario, num_steps)
    with computing_in(subject.precision):
        samples, start = initial_states(subject.scenario, states)
        with np.errstate(all="ignore"):  # squares of members that diverge overflow
            blocks = [_scored(block) for block in _blocks(subject, start, horizon, mode)]
        about = {**machine(), "mode": mode}
    joined = {name: np.concatenate([block[name] for block in blocks], axis=0) for name in blocks[0]}
    for name in ("crps", "energy_score", "mean_error"):
        joined[name] = joined[name].T
    count = len(subject.seeds)
    ranks, intervals = np.arange(count + 1), np.arange(1, count // 2 + 1)
    joined["coverage"] = _coverage(joined["rank_histogram"], intervals)
    joined["level"] = (count + 1 - 2 * intervals) / (count + 1)
    coords = {
        _SAMPLE: samples,
        "time": np.arange(1, horizon + 1),
        "member_rank": ranks,
        "interval": intervals,
    }
    dt = getattr(subject.scenario, "dt", None)
    return labels.comparison(joined, ENSEMBLE, coords, dt=dt, config=subject.config, attrs=about)


def _blocks(subject: Subject, start: np.ndarray, horizon: int, mode: Any) -> Iterator[Block]:
    solver = as_solver(subject.scenario.get_ref_stepper())
    return ensemble_blocks(subject.emulators, solver, jnp.asarray(start), horizon, mode)


def _scored(block: Block) -> dict[str, np.ndarray]:
    """Return the scores of some steps; arrays lead with time."""
    space = tuple(f"axis_{axis}" for axis in range(block.truth.ndim - 3))
    members = xr.DataArray(block.members, dims=("time", "seed", _SAMPLE, "channel", *space))
    truth = xr.DataArray(block.truth, dims=("time", _SAMPLE, "channel", *space))
    state, over = ["channel", *space], [_SAMPLE, "channel", *space]
    calibration = analysis.spread_skill(members, truth, dims=over)
    finite = xr.ufuncs.isfinite(members)
    error = ((members.mean("seed", skipna=False) - truth) ** 2).mean(state, skipna=False)
    return {
        "crps": analysis.crps(members, truth).mean(state, skipna=False).values,
        "energy_score": analysis.energy_score(members, truth, dims=state).values,
        "mean_error": np.sqrt(error.where(finite.all(["seed", *state]), np.inf).values),
        "spread": calibration["spread"].values,
        "skill": calibration["error"].values,
        "spread_skill": calibration["ratio"].values,
        "num_diverged": (~finite.all([_SAMPLE, *state])).sum("seed").values,
        "rank_histogram": analysis.rank_histogram(
            members, truth, dims=over, seed=int(block.steps[0])
        ).values,
    }


def _coverage(counts: np.ndarray, intervals: np.ndarray) -> np.ndarray:
    """Return the shares of truths between the k-th smallest and the k-th largest member."""
    totals = counts.sum(axis=1)
    last = counts.shape[1] - 1
    inside = [counts[:, k : last + 1 - k].sum(axis=1) for k in intervals]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack(inside, axis=1) / totals[:, None]
