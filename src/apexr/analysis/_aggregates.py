"""Methods compared over many problems and seeds at once, with bootstrap intervals.

A *problem* is everything in an experiment's configuration but the *method* that is compared
(``by``, by default the network): equation, training, task. A run's score is the logarithm of its
error relative to the median error of the baseline on the same problem, so that problems of any
difficulty weigh the same; lower is better. A diverged run is infinite, never left out.

Bootstrap samples are stratified: seeds are drawn within each problem, as many as there are
(Agarwal et al. 2021, Deep reinforcement learning at the edge of the statistical precipice,
arXiv:2108.13264, sections 4.1 to 4.3).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._entries import entries, orientation
from apexr.analysis._groups import config_rows, label_rows
from apexr.analysis._intervals import check_confidence, check_resampling
from apexr.errors import SpecError, suggest

NUM_RESAMPLES = 2_000
TRIMMED = 0.25
"""Share of runs that the interquartile mean leaves out at either end."""
_RATIOS = tuple(np.geomspace(0.1, 10, 41).tolist())


@dataclass(frozen=True)
class Runs:
    """The scores of all runs.

    Attributes
    ----------
    by
        The label that tells methods apart.
    scores
        For each method, for each problem, the scores of its seeds.
    baseline
        The method whose median score is zero.
    attrs
        What results say about themselves.
    """

    by: str
    scores: dict[str, list[np.ndarray]]
    baseline: str
    attrs: dict[str, Any]


def interquartile_mean(
    data: xr.Dataset,
    variable: str = "mean_nRMSE",
    *,
    baseline: str,
    by: str = "net",
    time: int | None = None,
    confidence: float = 0.95,
    num_resamples: int = NUM_RESAMPLES,
    random_seed: int = 0,
) -> xr.Dataset:
    """Return the mean of the middle half of all runs of each method, relative to a baseline.

    It moves less with single runs than a mean and tells more than a median: of all runs over
    all problems, the best and the worst quarter are left out. A quarter of the runs may diverge
    before it is infinite.

    Parameters
    ----------
    data
        A study in which every method has run on every problem. It is computed.
    variable
        Name or config string of an error or a loss.
    baseline
        The method that the others are relative to, a value of ``by``.
    by
        What is compared: a label or a parameter of the scenario.
    time
        The time step; by default the geometric mean over all steps.
    confidence, num_resamples, random_seed
        Level, resamples and seed of the stratified percentile bootstrap.

    Returns
    -------
    Along ``by``: ``ratio`` (of errors, 1 as good as the baseline's median run, lower is better)
    with ``low`` and ``high``, ``num_runs`` and ``num_diverged``.

    Raises
    ------
    SpecError
        If the baseline or a run is missing, or high values of the variable are the good ones.
    MissingVariableError
        If there is no such variable or label.
    """
    runs = read_runs(data, variable, baseline, by, time)

    def middle(scores: np.ndarray) -> np.ndarray:
        ordered = np.sort(scores, axis=-1)
        cut = int(TRIMMED * ordered.shape[-1])
        return ordered[..., cut : ordered.shape[-1] - cut].mean(axis=-1)

    return _with_intervals(
        runs, middle, "ratio", np.exp, confidence, num_resamples, random_seed
    ).assign_attrs(statistic="interquartile mean")


def optimality_gap(
    data: xr.Dataset,
    variable: str = "mean_nRMSE",
    *,
    baseline: str,
    by: str = "net",
    goal: float = 1.0,
    time: int | None = None,
    confidence: float = 0.95,
    num_resamples: int = NUM_RESAMPLES,
    random_seed: int = 0,
) -> xr.Dataset:
    """Return by which factor runs of each method miss a goal, on average; 1 where none does.

    The exponential of the mean of ``max(0, log(error ratio / goal))``: what is better than the
    goal counts as reaching it. Infinite as soon as one run diverged.

    Parameters
    ----------
    goal
        Ratio to the baseline's median run that counts as good enough.
    data, variable, baseline, by, time, confidence, num_resamples, random_seed
        As in :func:`interquartile_mean`.

    Returns
    -------
    Along ``by``: ``gap`` with ``low`` and ``high``, ``num_runs`` and ``num_diverged``.

    Raises
    ------
    SpecError, MissingVariableError
        As in :func:`interquartile_mean`.
    """
    if not 0 < goal < np.inf:
        raise SpecError(f"goal must be a positive ratio, got {goal!r}")
    runs = read_runs(data, variable, baseline, by, time)

    def missed(scores: np.ndarray) -> np.ndarray:
        return np.maximum(scores - np.log(goal), 0).mean(axis=-1)

    return _with_intervals(
        runs, missed, "gap", np.exp, confidence, num_resamples, random_seed
    ).assign_attrs(statistic="optimality gap", goal=float(goal))


def performance_profile(
    data: xr.Dataset,
    variable: str = "mean_nRMSE",
    *,
    baseline: str,
    by: str = "net",
    ratios: Sequence[float] = _RATIOS,
    time: int | None = None,
    confidence: float = 0.95,
    num_resamples: int = NUM_RESAMPLES,
    random_seed: int = 0,
) -> xr.Dataset:
    """Return which share of the runs of each method has an error ratio below each threshold.

    A method whose curve lies above another's everywhere is better in every quantile.

    Parameters
    ----------
    ratios
        Thresholds for the ratio to the baseline's median run.
    data, variable, baseline, by, time, confidence, num_resamples, random_seed
        As in :func:`interquartile_mean`.

    Returns
    -------
    Along ``(by, ratio)``: ``share`` with ``low`` and ``high`` (pointwise); along ``by``
    ``num_runs`` and ``num_diverged``.

    Raises
    ------
    SpecError, MissingVariableError
        As in :func:`interquartile_mean`.
    """
    limits = np.asarray(ratios, float)
    if limits.ndim != 1 or not limits.size or not (limits > 0).all():
        raise SpecError(f"ratios must be positive numbers, got {ratios!r}")
    runs = read_runs(data, variable, baseline, by, time)
    how = (confidence, num_resamples, random_seed)
    shares = [
        _with_intervals(runs, _ShareBelow(float(np.log(limit))), "share", np.asarray, *how)
        for limit in limits
    ]
    counted = shares[0][["num_runs", "num_diverged"]]
    parts = [one.drop_vars(["num_runs", "num_diverged"]) for one in shares]
    joined = xr.concat(parts, xr.DataArray(limits, dims="ratio", name="ratio"))
    return (
        joined.transpose(by, "ratio").merge(counted).assign_attrs(statistic="performance profile")
    )


@dataclass(frozen=True)
class _ShareBelow:
    """Gives the share of scores below a limit."""

    limit: float

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        return (scores < self.limit).mean(axis=-1)


def probability_of_improvement(
    data: xr.Dataset,
    a: str,
    b: str,
    variable: str = "mean_nRMSE",
    *,
    by: str = "net",
    time: int | None = None,
    confidence: float = 0.95,
    num_resamples: int = NUM_RESAMPLES,
    random_seed: int = 0,
) -> xr.Dataset:
    """Return how likely a run of A beats a run of B on a problem, on average over problems.

    The share of pairs of seeds in which A is better, ties counting one half (Mann and Whitney),
    averaged over the problems. :func:`probability_better` tells the same for each problem.

    Parameters
    ----------
    a, b
        Values of ``by``.
    data, variable, by, time, confidence, num_resamples, random_seed
        As in :func:`interquartile_mean`.

    Returns
    -------
    ``probability`` with ``low`` and ``high``, and ``num_problems``.

    Raises
    ------
    SpecError, MissingVariableError
        As in :func:`interquartile_mean`.
    """
    runs = read_runs(data, variable, a, by, time, others=(b,), relative=False)
    first, second = (
        _resampled(runs.scores[name], num_resamples, random_seed + place, confidence)
        for place, name in enumerate((a, b))
    )
    shares = [_beats(one, other) for one, other in zip(first, second, strict=True)]
    values = np.mean(shares, axis=0)
    low, high = _percentiles(values[1:], confidence)
    parts = {"probability": values[0], "low": low, "high": high, "num_problems": len(shares)}
    return xr.Dataset(parts, attrs={**runs.attrs, "a": a, "b": b, "confidence": confidence})


def read_runs(
    data: xr.Dataset,
    variable: str,
    baseline: str,
    by: str,
    time: int | None,
    others: Sequence[str] = (),
    relative: bool = True,
) -> Runs:
    """Return the scores of all runs of a study, or of the baseline and ``others`` alone.

    Raises
    ------
    SpecError
        If it is no study, the baseline or a run is missing, or the baseline diverged.
    """
    if not isinstance(data, xr.Dataset) or "experiment" not in data.dims:
        raise SpecError("aggregates compare the experiments of a study; open one by open_study")
    entered = entries(data, variable)
    if (
        orientation(xr.DataArray(name=entered.attrs["variable"], attrs=entered.attrs), None)
        != "lower"
    ):
        raise SpecError(f"{variable} is no error: high values are the good ones; give an error")
    methods = [str(row[by]) for row in label_rows(entered, [by])]
    for name in (baseline, *others):
        if name not in methods:
            known = list(dict.fromkeys(methods))
            raise SpecError(
                f"no experiment has {by}={name!r}; there is {', '.join(known)}"
                + suggest(name, known)
            )
    problems = [tuple(row.items()) for row in config_rows(entered, without=[by])]
    logs = over_time(entered, time)
    wanted = list(dict.fromkeys((baseline, *others) if others else methods))
    found: dict[str, list[np.ndarray]] = {}
    for method in wanted:
        found[method] = []
        for problem in dict.fromkeys(problems):
            rows = [
                row
                for row, key in enumerate(zip(methods, problems, strict=True))
                if key == (method, problem)
            ]
            values = logs[rows][~np.isnan(logs[rows])]
            if not values.size:
                told = ", ".join(f"{name} {value}" for name, value in problem)
                raise SpecError(
                    f"{method} has no run of {told}; every method must have run on every problem:"
                    " choose experiments first"
                )
            found[method].append(values)
    centers = (
        [np.median(values) for values in found[baseline]]
        if relative
        else [0.0] * len(found[baseline])
    )
    if not np.isfinite(centers).all():
        raise SpecError(f"half of the runs of the baseline {baseline} diverged; take another one")
    scores = {
        method: [values - center for values, center in zip(of, centers, strict=True)]
        for method, of in found.items()
    }
    return Runs(by, scores, baseline, {"variable": entered.attrs["variable"], "better": "lower"})


def over_time(entered: xr.Dataset, time: int | None) -> np.ndarray:
    """Return the logarithm of each run's error, ``(experiment, seed)``; NaN where there is none.

    Parameters
    ----------
    entered
        See :func:`entries`.
    time
        The step; None takes the mean over all steps.

    Raises
    ------
    SpecError
        If there is no such step.
    """
    value, there = entered["value"], entered["there"]
    over = [dim for dim in value.dims if dim not in ("experiment", "seed")]
    if time is not None:
        dim = next((name for name in ("time", "update_step") if name in value.dims), None)
        if dim is None or time not in value[dim].values:
            raise SpecError(f"there is no time step {time!r} of {entered.attrs['variable']}")
        value, there = value.sel({dim: time}), there.sel({dim: time})
        over.remove(dim)
    with np.errstate(divide="ignore"):
        logs = xr.ufuncs.log(value).where(there, 0).sum(over) / there.sum(over)
    exists = there.any(over) if over else there
    return logs.where(exists).transpose("experiment", "seed").values


def _with_intervals(
    runs: Runs,
    statistic: Callable[[np.ndarray], np.ndarray],
    name: str,
    shown: Callable[[Any], Any],
    confidence: float,
    num_resamples: int,
    random_seed: int,
) -> xr.Dataset:
    """Return a statistic of the scores of each method, over all its runs."""
    rows = []
    for scores in runs.scores.values():
        drawn = np.concatenate(_resampled(scores, num_resamples, random_seed, confidence), axis=1)
        with np.errstate(invalid="ignore"):
            values = statistic(drawn)
        rows.append((values[0], *_percentiles(values[1:], confidence)))
    table = shown(np.array(rows).T)
    parts = dict(zip((name, "low", "high"), table, strict=True))
    every = [np.concatenate(scores) for scores in runs.scores.values()]
    return xr.Dataset(
        {
            **{key: (runs.by, value) for key, value in parts.items()},
            "num_runs": (runs.by, [len(scores) for scores in every]),
            "num_diverged": (runs.by, [int(np.isinf(scores).sum()) for scores in every]),
        },
        {runs.by: np.array(list(runs.scores), dtype=object)},
        {**runs.attrs, "baseline": runs.baseline, "confidence": confidence},
    )


def _resampled(
    scores: Sequence[np.ndarray], num_resamples: int, random_seed: int, confidence: float
) -> list[np.ndarray]:
    """Return for each problem the scores themselves and then resamples, ``(1 + draw, seed)``."""
    check_confidence(confidence)
    check_resampling(num_resamples, random_seed)
    rng = np.random.default_rng(random_seed)
    return [
        np.concatenate([of[None], of[rng.integers(0, len(of), (num_resamples, len(of)))]])
        for of in scores
    ]


def _beats(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    one, other = first[:, :, None], second[:, None, :]
    return ((one < other) + 0.5 * (one == other)).mean(axis=(1, 2))


def _percentiles(values: np.ndarray, confidence: float) -> np.ndarray:
    """Return the ends of the percentile interval; infinite values are ordered, not averaged."""
    tail = (1 - confidence) / 2
    low = np.quantile(values, tail, axis=0, method="lower")
    return np.stack([low, np.quantile(values, 1 - tail, axis=0, method="higher")])
