"""The cost of accuracy: the front of cost and error, and when an emulator has paid for itself."""

import json
from typing import Any, Literal

import numpy as np
import xarray as xr

from apexr.analysis._selection import (
    TRAINING_KEYWORDS,
    by_seed,
    choose,
    in_one_chunk,
    keyword_rows,
    missing,
    pick,
    present,
    read_labels,
    same_labels,
    with_worst,
    worst_of,
)
from apexr.errors import MissingVariableError, ShapeError, SpecError
from apexr.schema import TRAIN_SOLVER, metric_identifiers


def pareto_front(cost: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return the places of what nothing else beats in cost and error, in order of cost.

    Entries that are not finite are beaten by everything.

    Raises
    ------
    ShapeError
        If they are not as many costs as errors, along one axis.
    """
    if cost.ndim != 1 or cost.shape != error.shape:
        raise ShapeError(
            f"pareto_front needs as many costs as errors, got {cost.shape} and {error.shape}"
        )
    best, front = np.inf, []
    for place in np.lexsort((error, cost)):
        if np.isfinite(cost[place]) and error[place] < best:
            best = error[place]
            front.append(int(place))
    return np.array(front, dtype=int)


Cost = Literal["throughput", "latency"]
Steps = int | slice | tuple[int, int] | None

TRAINING = (
    *TRAINING_KEYWORDS,
    "num_test_samples",
    "test_temporal_horizon",
    "report_metrics",
    "vlim",
    "train_solver",
)
"""Keywords of a scenario that a ladder and the emulators compared with it need not share."""
_TINY = 1e-300


def breakeven(
    ds: xr.Dataset,
    ladder: xr.Dataset,
    variable: str = "mean_nRMSE",
    over: Steps = None,
    *,
    cost: str = "throughput",
    inference: xr.Dataset | float | None = None,
    data_seconds: float | None = None,
    tune_seconds: float = 0.0,
) -> xr.Dataset:
    """Return how many trajectories an emulator must make to pay for itself, at equal accuracy.

    ``N* = B / (C(d) - C_inference)`` trajectories, where ``B`` is the time for the training data,
    the training and the tuning, ``d`` the emulator's error, and ``C(d)`` the time of the cheapest
    solver of the ladder with that error, interpolated in logarithms between the rungs that no other
    one beats. Where the solver is not slower, it is infinite: the emulator never pays. Where the
    emulator is better than every rung, the last rung's cost stands for a larger one, and the number
    is an upper bound.

    Parameters
    ----------
    ds
        A result or a study of the scenario, in memory or lazy. A study is not computed, but for
        its labels.
    ladder
        The result of :func:`apexr.solver_ladder` for the scenario, on the same machine and in the
        same precision.
    variable
        Name or config string of a metric that is small where a prediction is good.
    over
        Steps over which errors are averaged: the first so many, a slice or a pair of first and
        last step. By default all of the ladder.
    cost
        ``"throughput"``: time of a trajectory among all test samples at once; ``"latency"``: of
        one alone, which needs ``inference``.
    inference
        The result of :func:`apexr.clock`, or the seconds of an emulator's trajectory as long as
        those of the ladder. By default the recorded ``inference_seconds``, which hold the scoring
        and what a first call takes, too: emulators are then a little better than they look.
    data_seconds
        Time for the training data, by default that of the ladder.
    tune_seconds
        Time for finding the network and its training, which only you know.

    Returns
    -------
    xarray.Dataset
        Along ``seed``: ``breakeven``; ``upper_bound``, whether it is one; ``error``, ``d``;
        ``solver_seconds``, ``C(d)``; ``inference_seconds``; ``invested_seconds``, ``B``;
        ``equal_accuracy``, whether ``d`` lies between those of the rungs. The same for the worst
        test sample, whose error is the largest mean over the steps: ``breakeven_worst_sample``,
        ``upper_bound_worst_sample``, ``error_worst_sample``. Over the seeds: ``finite_share``,
        ``median``, ``lowest`` and ``highest``. A seed that diverged never pays, and is counted.
        Attributes say which rules of fair comparisons are met.

    Raises
    ------
    MissingVariableError
        If a variable is not there, listing those that are.
    SpecError
        If the ladder is of another scenario, lacks the steps, or an argument is out of its range.

    Examples
    --------
    >>> ladder = apexr.solver_ladder("diff_burgers", num_steps=50)
    >>> found = apexr.analysis.breakeven(study, ladder, over=50)
    >>> found[["median", "finite_share"]].to_dataframe()
    """
    choose("cost", cost, Cost)
    check_ladder(ds, ladder)
    mean = pick(ds, variable)
    if worst_of(mean) < 0:
        raise SpecError(f"{mean.name} is no error; name a metric that is small where it is good")
    if "channel" in mean.dims:
        raise SpecError(f"{mean.name} has one number a channel; name one of all channels")
    if mean.name not in ladder:
        raise missing(str(mean.name), metric_identifiers(ladder))
    steps = _steps(over, ladder, mean)
    price = 1 / ladder["throughput"] if cost == "throughput" else ladder["latency"]
    paid = _inference(ds, mean, ladder, cost, inference)
    invested = _invested(ds, mean, ladder, data_seconds, tune_seconds)
    each = _of_each_sample(ds, mean)
    held: dict[str, xr.DataArray] = {}
    for suffix, array in (("", mean), ("_worst_sample", each)):
        rung_errors = _over(ladder[str(array.name)], steps)
        held |= {
            f"{name}{suffix}": value
            for name, value in _priced(
                _over(array, steps), rung_errors, price, paid, invested
            ).items()
        }
    kept = ("breakeven", "upper_bound", "error", "solver_seconds", "equal_accuracy")
    worst = [f"{name}_worst_sample" for name in kept[:3]]
    named = {name: held[name] for name in (*kept, *worst)}
    named |= {"inference_seconds": paid, "invested_seconds": invested}
    return _summarized(xr.Dataset(named), ladder, cost, inference, steps)


def check_ladder(ds: xr.Dataset, ladder: xr.Dataset) -> None:
    """Refuse what is no ladder, and one of another problem.

    Raises
    ------
    MissingVariableError
        If it is no ladder.
    SpecError
        If it is of another scenario than an experiment.
    """
    if "rung" not in ladder.dims or "throughput" not in ladder:
        raise MissingVariableError(
            "the second argument is no ladder: pass what apexr.solver_ladder returns"
        )
    names = set(np.atleast_1d(read_labels(ds["scenario"])).tolist()) if "scenario" in ds else set()
    solved = str(ladder["scenario"].item())
    if others := names - {solved}:
        raise SpecError(
            f"the ladder solves {solved}, the results are of {', '.join(sorted(others))}; select"
            f" some with study.isel(experiment=(study.scenario == {solved!r}).values)"
        )
    wanted = _problem(json.loads(str(ladder["scenario_kwargs"].item())))
    for row in keyword_rows(ds):
        own = _problem(row)
        differs = sorted(key for key in {*own, *wanted} if own.get(key) != wanted.get(key))
        if differs:
            raise SpecError(
                f"the ladder is of another problem than the results: {', '.join(differs)} differ;"
                " make it with the parameters of the scenario"
            )


def _problem(keywords: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keywords.items() if key not in TRAINING}


def _steps(over: Steps, ladder: xr.Dataset, errors: xr.DataArray) -> np.ndarray:
    """Return the steps that errors are averaged over; ladder and results have them all.

    Raises
    ------
    SpecError
        If they do not, or none is meant.
    """
    there = ladder["time"].values
    match over:
        case None:
            wanted = there
        case int() if not isinstance(over, bool):
            wanted = np.arange(1, over + 1)
        case slice():
            wanted = ladder["time"].sel(time=over).values
        case (int(first), int(last)):
            wanted = np.arange(first, last + 1)
        case _:
            raise SpecError(f"over must be a number of steps, a slice or (first, last); got {over}")
    known = set(there.tolist()) & set(errors["time"].values.tolist())
    if not len(wanted) or not set(wanted.tolist()) <= known:
        raise SpecError(
            f"over must name steps that the ladder (1 to {there[-1]}) and the results (1 to"
            f" {errors['time'].values[-1]}) have, got {over!r}"
        )
    return np.asarray(wanted)


def _of_each_sample(ds: xr.Dataset, mean: xr.DataArray) -> xr.DataArray:
    """Return the errors of each test sample of a metric.

    Raises
    ------
    MissingVariableError
        If the result does not hold them.
    """
    config = mean.attrs.get("config")
    for name, array in ds.data_vars.items():
        own = array.attrs.get("config") == config and not str(name).startswith(TRAIN_SOLVER)
        if own and "test_sample" in array.dims:
            return array
    raise MissingVariableError(f"there are no errors of each test sample for {mean.name!r}")


def _over(errors: xr.DataArray, steps: np.ndarray) -> xr.DataArray:
    """Return the mean error over the steps, of the worst sample where there are samples."""
    value = with_worst(errors).sel(time=steps).mean("time", skipna=False)
    if "test_sample" in value.dims:
        value = value.max("test_sample", skipna=True)  # absent samples only fill a study up
    return value if "rung" in value.dims else by_seed(value)


def _inference(
    ds: xr.Dataset, mean: xr.DataArray, ladder: xr.Dataset, cost: str, given: Any
) -> xr.DataArray:
    """Return the seconds of an emulator's trajectory of as many steps as the ladder's.

    Raises
    ------
    SpecError
        If the results do not tell what is asked for.
    """
    length = ladder.sizes["time"]
    if isinstance(given, xr.Dataset):
        given = given.reset_coords(drop=True)
        for dim in (dim for dim in given.dims if dim in mean.dims):
            if not same_labels(given, mean, dim):
                raise SpecError(
                    f"inference= was measured for other labels along {dim!r} than those of the"
                    " results; select the same of both"
                )
        measured = 1 / pick(given, "throughput") if cost == "throughput" else pick(given, "latency")
        return measured * (length / given.attrs.get("num_steps", length))
    if given is not None:
        if not given >= 0:
            raise SpecError(f"inference must be seconds of at least 0, got {given!r}")
        return xr.DataArray(float(given))
    if cost == "latency":
        raise SpecError(
            "results record no latency of emulators: pass inference=apexr.clock(…), or take"
            " cost='throughput'"
        )
    return inference_seconds(ds, mean, ladder)


def inference_seconds(ds: xr.Dataset, mean: xr.DataArray, ladder: xr.Dataset) -> xr.DataArray:
    """Return the recorded seconds of an emulator's trajectory as long as those of a ladder.

    Parameters
    ----------
    ds
        The results.
    mean
        A metric of theirs, which says how many seeds, samples and steps there are.
    ladder
        The ladder.
    """
    samples = _count(_of_each_sample(ds, mean), "test_sample")
    seconds = _per_seed(pick(ds, "inference_seconds"), mean) / samples
    return seconds * (ladder.sizes["time"] / _count(mean, "time"))


def _invested(
    ds: xr.Dataset,
    mean: xr.DataArray,
    ladder: xr.Dataset,
    data_seconds: float | None,
    tune_seconds: float,
) -> xr.DataArray:
    """Return the seconds for data, training and tuning of a seed."""
    of_data = float(ladder["data_seconds"]) if data_seconds is None else data_seconds
    for name, value in (("data_seconds", of_data), ("tune_seconds", tune_seconds)):
        if not value >= 0:
            raise SpecError(f"{name} must be at least 0, got {value!r}")
    return _per_seed(pick(ds, "train_seconds"), mean) + of_data + tune_seconds


def _per_seed(seconds: xr.DataArray, like: xr.DataArray) -> xr.DataArray:
    """Return the seconds of one seed, where those of all are one number."""
    return seconds if "seed" in seconds.dims else seconds / _count(by_seed(like), "seed")


def _count(array: xr.DataArray, dim: str) -> xr.DataArray | int:
    """Return how many labels along a dimension an experiment has."""
    has = array.coords.get(f"has_{dim}")
    return array.sizes[dim] if has is None else has.sum(dim)


def _priced(
    error: xr.DataArray,
    rung_errors: xr.DataArray,
    price: xr.DataArray,
    paid: xr.DataArray,
    invested: xr.DataArray,
) -> dict[str, xr.DataArray]:
    """Return the numbers of one kind of error."""
    values, costs = np.asarray(rung_errors.values, float), np.asarray(price.values, float)
    front = pareto_front(costs, values)
    if not len(front):
        raise SpecError(
            "no rung of the ladder is finite over these steps; take fewer or finer ones"
        )
    errors, costs = np.maximum(values[front], _TINY), costs[front]
    there = present(error)
    there = xr.ones_like(error, bool) if there is None else there & xr.ones_like(error, bool)
    error = error.astype(float).where(there)
    seconds = xr.apply_ufunc(
        _cost_at,
        error,
        kwargs={"errors": errors, "costs": costs},
        dask="parallelized",
        output_dtypes=[float],
    )
    saved = seconds - paid
    number = (invested / saved.where(saved > 0)).fillna(np.inf)
    number = number.where(xr.ufuncs.isfinite(error), np.inf).where(there)
    return {
        "breakeven": number,
        "upper_bound": error < errors[-1],
        "error": error,
        "solver_seconds": seconds,
        "equal_accuracy": (error >= errors[-1]) & (error <= errors[0]),
    }


def _cost_at(error: np.ndarray, *, errors: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Return the cost of an error, between the ends of a front that is in order of cost."""
    with np.errstate(divide="ignore"):
        at = np.log(np.maximum(error, _TINY))
    return np.exp(np.interp(at, np.log(errors[::-1]), np.log(costs[::-1])))


_MEANINGS = {
    "breakeven": ("trajectories until the emulator pays", "1"),
    "upper_bound": ("whether that is an upper bound", "1"),
    "error": ("error of the emulator", "1"),
    "solver_seconds": ("time of a solver's trajectory of that error", "s"),
    "equal_accuracy": ("whether the ladder has that error", "1"),
    "inference_seconds": ("time of an emulator's trajectory", "s"),
    "invested_seconds": ("time for data, training and tuning", "s"),
}


def _summarized(
    found: xr.Dataset, ladder: xr.Dataset, cost: str, inference: Any, steps: np.ndarray
) -> xr.Dataset:
    """Return the numbers with those over the seeds, and what attributes say."""
    number = in_one_chunk(found["breakeven"], "seed")
    there = number.notnull()
    summary = {
        "finite_share": xr.ufuncs.isfinite(number).sum("seed") / there.sum("seed"),
        "median": xr.apply_ufunc(
            np.nanmedian,
            number,
            input_core_dims=[["seed"]],
            kwargs={"axis": -1},
            dask="parallelized",
            output_dtypes=[float],
        ),
        "lowest": number.min("seed", skipna=True),
        "highest": number.max("seed", skipna=True),
    }
    named = found.assign(summary).drop_vars([str(n) for n in found.coords if "has_" in str(n)])
    for name, array in named.data_vars.items():
        stem = str(name).removesuffix("_worst_sample")
        label, units = _MEANINGS.get(stem, (f"{stem.replace('_', ' ')} over the seeds", "1"))
        worst = ", worst test sample" if stem != name else ""
        array.attrs = {"long_name": f"{label}{worst}", "units": units}
    how = "as recorded, with scoring" if inference is None else "measured or given"
    told = {key: ladder.attrs[key] for key in _TOLD if key in ladder.attrs}
    first_last = f"{steps[0]} to {steps[-1]}"
    return named.assign_attrs({**told, "cost": cost, "inference": how, "over": first_last})


_TOLD = ("truth", "clock", "rule_equal_accuracy", "rule_efficient_solver", "efficient_solver")
