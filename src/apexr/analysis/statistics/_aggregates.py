"""Methods compared over many problems and seeds at once, with bootstrap intervals.

A *problem* is everything in an experiment's configuration but the *method* that is compared
(``by``, by default the network): equation, training, task. A run's score is the logarithm of its
error relative to the median error of the baseline on the same problem, so that problems of any
difficulty weigh the same; lower is better. A diverged run is infinite, never left out.

The statistics are those of Agarwal et al. (2021), Deep reinforcement learning at the edge of the
statistical precipice, arXiv:2108.13264, sections 4.1 to 4.3; their intervals are wider, see
:mod:`apexr.analysis.statistics._resampling`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._selection import config_rows, entries, label_rows, orientation
from apexr.analysis.reductions._means import mean_of_logs
from apexr.analysis.statistics._intervals import check_confidence, share_bounds
from apexr.analysis.statistics._resampling import (
    Resampling,
    Scores,
    are_enough,
    warn_of_few,
)
from apexr.errors import SpecError, suggest

NUM_RESAMPLES = 2_000
TRIMMED = 0.25
"""Share of runs that the interquartile mean leaves out at either end."""
_RATIOS = tuple(np.geomspace(0.1, 10, 41).tolist())


@dataclass(frozen=True)
class Runs:
    """The logarithms of the errors of all runs.

    Attributes
    ----------
    by
        The label that tells methods apart.
    logs
        For each method, for each problem, the logarithms of its seeds.
    baseline
        The method whose median run the others are relative to.
    attrs
        Attributes of the results.
    """

    by: str
    logs: Mapping[str, Scores]
    baseline: str
    attrs: dict[str, Any]

    def drawn(self, how: Resampling) -> dict[str, np.ndarray]:
        """Return the scores of each method, and then of each resample: ``(1 + draw, run)``.

        They are relative to the baseline's median run on the problem, of the same draw.
        """
        named = enumerate(self.logs.items())
        draws = {name: how.draw(logs, place) for place, (name, logs) in named}
        centers = [np.median(of, axis=-1, keepdims=True) for of in draws[self.baseline]]
        with np.errstate(invalid="ignore"):  # of two that diverged, none is better: worst
            scores = {
                name: [of - center for of, center in zip(parts, centers, strict=True)]
                for name, parts in draws.items()
            }
        joined = {name: np.concatenate(parts, axis=1) for name, parts in scores.items()}
        return {name: np.where(np.isnan(of), np.inf, of) for name, of in joined.items()}


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
        The label or parameter of the scenario to compare.
    time
        The time step; by default the geometric mean over all steps.
    confidence, num_resamples, random_seed
        Level, resamples and seed of the stratified bootstrap, whose tails are widened for few
        seeds. There is no interval, 0 to infinity, where a problem has fewer than 3 seeds of a
        method, or all of its problems together fewer than 4 more than one each.

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

    Warns
    -----
    ApexrWarning
        If there are too few seeds for an interval.

    References
    ----------
    Hesterberg (2015), "What teachers should know about the bootstrap", The American Statistician
    69, 371-386.
    """
    runs = read_runs(data, variable, baseline, by, time)
    how = Resampling(confidence, num_resamples, random_seed)

    def middle(scores: np.ndarray) -> np.ndarray:
        ordered = np.sort(scores, axis=-1)
        cut = int(TRIMMED * ordered.shape[-1])
        return ordered[..., cut : ordered.shape[-1] - cut].mean(axis=-1)

    table = _with_intervals(runs, how, {"ratio": middle})
    return _as_ratio(table, "ratio").assign_attrs(statistic="interquartile mean")


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

    how = Resampling(confidence, num_resamples, random_seed)
    table = _with_intervals(runs, how, {"gap": missed}, mirrored=True)
    return _as_ratio(table, "gap", 1.0).assign_attrs(statistic="optimality gap", goal=float(goal))


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
    how = Resampling(confidence, num_resamples, random_seed)
    below = {f"{limit}": _ShareBelow(float(np.log(limit))) for limit in limits}
    table = _with_intervals(runs, how, below, mirrored=True)
    found = table["value"].rename(of="ratio").assign_coords(ratio=limits)
    shown, numbers = found.sel(part="found", drop=True), table["num_runs"].values[:, None]
    low, high = share_bounds(shown.values * numbers, numbers, confidence)
    parts = {
        "share": shown,
        "low": found.sel(part="low", drop=True).clip(0, low),
        "high": found.sel(part="high", drop=True).clip(high, 1),
    }
    return _joined(parts, table).assign_attrs(statistic="performance profile")


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
) -> xr.Dataset:
    """Return how likely a run of A beats a run of B on a problem, on average over problems.

    The share of pairs of seeds in which A is better, ties counting one half (Mann and Whitney),
    averaged over the problems. :func:`probability_better` tells the same for each problem.

    Parameters
    ----------
    a, b
        Values of ``by``.
    data, variable, by, time
        As in :func:`interquartile_mean`.
    confidence
        Level of the interval: the exact one of as many independent pairs as both have seeds, which
        holds at probabilities of 0 and 1, too, and for any number of seeds.

    Returns
    -------
    ``probability`` with ``low`` and ``high``, and ``num_problems``.

    Raises
    ------
    SpecError, MissingVariableError
        As in :func:`interquartile_mean`.
    """
    check_confidence(confidence)
    runs = read_runs(data, variable, a, by, time, others=(b,), relative=False)
    pairs = list(zip(runs.logs[a], runs.logs[b], strict=True))
    found = float(np.mean([_beats(first, second) for first, second in pairs]))
    number = sum(min(len(first), len(second)) for first, second in pairs)
    low, high = map(float, share_bounds(np.array(found * number), np.array(number), confidence))
    parts = {"probability": found, "low": low, "high": high, "num_problems": len(pairs)}
    return xr.Dataset(parts, attrs={**runs.attrs, "a": a, "b": b, "confidence": confidence})


def _beats(first: np.ndarray, second: np.ndarray) -> float:
    one, other = first[:, None], second[None, :]
    return float(((one < other) + 0.5 * (one == other)).mean())


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
    logs = over_time(_at_common_steps(entered, problems), time)
    wanted = list(dict.fromkeys((baseline, *others) if others else methods))
    found: dict[str, list[np.ndarray]] = {method: [] for method in wanted}
    for method in wanted:
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
    if relative and not np.isfinite([np.median(values) for values in found[baseline]]).all():
        raise SpecError(f"half of the runs of the baseline {baseline} diverged; take another one")
    return Runs(by, found, baseline, {"variable": entered.attrs["variable"], "better": "lower"})


def _at_common_steps(entered: xr.Dataset, problems: Sequence[Any]) -> xr.Dataset:
    """Return entries at those steps alone that all runs of a problem have.

    A network that is given a history predicts from a later step on than the others.
    """
    there = entered["there"]
    if "time" not in there.dims:
        return entered
    has = there.any([dim for dim in there.dims if dim not in ("experiment", "time")])
    held = has.transpose("experiment", "time").values
    common = np.empty_like(held)
    for problem in dict.fromkeys(problems):
        rows = [place for place, other in enumerate(problems) if other == problem]
        ran = [row for row in rows if held[row].any()]
        common[rows] = held[ran].all(axis=0) if ran else False
    return entered.assign(there=there & xr.DataArray(common, dims=("experiment", "time")))


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
    return mean_of_logs(value, there, over).transpose("experiment", "seed").values


def _with_intervals(
    runs: Runs,
    how: Resampling,
    statistics: Mapping[str, Callable[[np.ndarray], np.ndarray]],
    *,
    mirrored: bool = False,
) -> xr.Dataset:
    """Return statistics of the scores of each method with their intervals.

    ``value`` along ``by``, ``of`` (the statistics) and ``part`` (found, low, high); the counts of
    runs.
    """
    drawn, table = runs.drawn(how), []
    center = runs.logs[runs.baseline]
    for name, scores in drawn.items():
        rows = []
        for statistic in statistics.values():
            with np.errstate(invalid="ignore"):
                values = statistic(scores)
            ends = how.ends(values, runs.logs[name], center, mirrored=mirrored)
            rows.append([values[0], *ends])
        table.append(rows)
    warn_of_few([name for name, logs in runs.logs.items() if not are_enough(logs, center)])
    every = [np.concatenate(list(logs)) for logs in runs.logs.values()]
    return xr.Dataset(
        {
            "value": ((runs.by, "of", "part"), np.array(table)),
            "num_runs": (runs.by, [len(logs) for logs in every]),
            "num_diverged": (runs.by, [int(np.isinf(logs).sum()) for logs in every]),
        },
        {
            runs.by: np.array(list(runs.logs), dtype=object),
            "of": list(statistics),
            "part": ["found", "low", "high"],
        },
        {**runs.attrs, "baseline": runs.baseline, "confidence": how.confidence},
    )


def _as_ratio(table: xr.Dataset, name: str, least: float = 0.0) -> xr.Dataset:
    """Return a statistic of logarithms as a ratio, with its ends."""
    ratio = xr.ufuncs.exp(table["value"].isel(of=0, drop=True)).clip(least)
    parts = {
        key: ratio.sel(part=at, drop=True)
        for key, at in ((name, "found"), ("low", "low"), ("high", "high"))
    }
    return _joined(parts, table)


def _joined(parts: Mapping[str, xr.DataArray], table: xr.Dataset) -> xr.Dataset:
    """Return the parts of a table with its counts of runs."""
    counts = table[["num_runs", "num_diverged"]].drop_vars(["of", "part"], errors="ignore")
    return xr.Dataset({**parts, **counts.data_vars}, attrs=table.attrs)
