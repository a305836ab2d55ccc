"""The cells of a table: their numbers and labels, what makes rows and columns, what is the best."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from apexr.analysis._selection import (
    STEP_DIMS,
    Better,
    Diverged,
    Labels,
    chosen_rows,
    config_rows,
    counts,
    default_steps,
    differing,
    entries,
    gather,
    is_of_experiments,
    keyword_rows,
    label_names,
    label_rows,
    needed,
    orientation,
    read_labels,
    values_of,
)
from apexr.analysis.reductions._means import mean_of_logs
from apexr.analysis.statistics._bands import quantile_rows
from apexr.analysis.statistics._power import smallest_effect
from apexr.analysis.tables._written import keys_of
from apexr.errors import MissingVariableError, SpecError, suggest
from apexr.schema import VARIABLES

Steps = int | Sequence[int] | Literal["gmean"] | None

RESULTS = (
    "value",
    "low",
    "high",
    "num_seeds",
    "count",
    "num_diverged",
    "smallest_ratio",
    "better",
    "whole",
)
CONFIDENCE = 0.95
"""Level of the comparisons whose power a table tells."""


@dataclass(frozen=True)
class Request:
    """The numbers that a table shows of each variable; see :func:`table`."""

    steps: Steps
    up_to: int
    levels: tuple[float, float]
    diverged: Diverged
    better: Better | None
    named: tuple[str, ...]
    select: Mapping[str, Any]


def numbers_of(data: xr.Dataset | xr.DataArray, variable: str, request: Request) -> pd.DataFrame:
    """Return the quantiles over seeds, one row for each experiment and step."""
    array = values_of(data, variable)
    way = orientation(array, request.better)
    entered = _at_steps(_with_seeds(array), request, way)
    if "experiment" not in entered.dims:
        entered = entered.expand_dims("experiment")
    entered, rows = _selected(entered, array, request)
    low, high = request.levels
    quantiles = quantile_rows(entered["value"], "seed", (0.5, low, high))
    parts = dict(zip(("value", "low", "high"), quantiles, strict=True))
    reduced = {**parts, "num_seeds": entered["there"].sum("seed"), **counts(entered)}
    reduced["spread"] = _spread_of_logs(entered)
    frame = _tidy(xr.Dataset(reduced).compute(), rows)
    frame = frame.assign(smallest_ratio=_smallest_ratios(frame, way)).drop(columns="spread")
    whole = variable in VARIABLES and VARIABLES[variable].kind == "int"
    return frame.assign(variable=variable, better=way, whole=whole)


def _spread_of_logs(entered: xr.Dataset) -> xr.DataArray:
    """Return the standard deviation of the logarithms over seeds; NaN where one has none."""
    value = entered["value"]
    positive = (value > 0) & xr.ufuncs.isfinite(value)
    sound = (positive | ~entered["there"]).all("seed")
    number = positive.sum("seed")
    logs = xr.ufuncs.log(value.where(positive, 1.0))
    mean = logs.sum("seed") / number.where(number > 0)
    squares = ((logs - mean).where(positive, 0.0) ** 2).sum("seed")
    spread: xr.DataArray = xr.ufuncs.sqrt(squares / (number - 1).where(number > 1)).where(sound)
    return spread


def _smallest_ratios(frame: pd.DataFrame, way: Better) -> list[float]:
    """Return the ratio of two errors like that of each cell that so many seeds can tell.

    Two sides that vary as much as the cell does, compared seed by seed; see
    :func:`seeds_needed`. NaN where there is no such ratio.
    """
    if way != "lower":
        return [np.nan] * len(frame)
    told = zip(frame["num_seeds"], frame["spread"], strict=True)
    return [
        np.nan if np.isnan(spread) else _ratio(int(number), float(spread))
        for number, spread in told
    ]


def _ratio(num_seeds: int, spread: float) -> float:
    return float(np.exp(smallest_effect(num_seeds, np.sqrt(2) * spread, CONFIDENCE)))


def joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the numbers of several variables; one without steps is repeated at each of them."""
    dims = {dim: [p[dim].drop_duplicates() for p in parts if dim in p] for dim in STEP_DIMS}
    spread = list(parts)
    for dim, found in dims.items():
        steps = pd.concat(found).drop_duplicates() if found else None
        if steps is not None:
            spread = [p if dim in p else p.merge(steps, how="cross") for p in spread]
    return pd.concat(spread, ignore_index=True)


def as_list(value: Any) -> list[Any]:
    """Return the values that a keyword selects."""
    return list(value) if isinstance(value, list | tuple | np.ndarray) else [value]


def _with_seeds(array: xr.DataArray) -> xr.DataArray:
    """Return the array along ``seed``; what is one number for all seeds counts as one."""
    if "seed" in array.dims:
        return array
    return array.drop_vars("seed", errors="ignore").expand_dims("seed")


def _at_steps(array: xr.DataArray, request: Request, way: Better) -> xr.Dataset:
    dim = next((name for name in STEP_DIMS if name in array.dims), None)
    steps = request.steps
    if dim is not None and isinstance(steps, str):
        return _geometric_mean(array, dim, request, way)
    if dim is not None:
        labels = array[dim].values
        wanted = default_steps(array, dim) if steps is None else np.atleast_1d(steps)
        unknown = [step for step in wanted.tolist() if step not in labels]
        if unknown:
            raise SpecError(
                f"{array.name!r} has no {dim} {unknown}; it goes from {labels[0]} to {labels[-1]}"
            )
        array = array.sel({dim: wanted})
    return entries(array, diverged=request.diverged, better=way)


def _geometric_mean(array: xr.DataArray, dim: str, request: Request, way: Better) -> xr.Dataset:
    """Return entries of the geometric mean over the steps that exist; lost if one is lost."""
    if request.steps != "gmean" or way != "lower":
        raise SpecError(
            f"steps={request.steps!r}: expected numbers, or 'gmean' where low values are good"
        )
    array = array.sel({dim: slice(None, request.up_to)})
    early = entries(array, diverged=request.diverged, better=way)
    there, lost = early["there"].any(dim), early["lost"].any(dim)
    mean = xr.ufuncs.exp(mean_of_logs(early["value"], early["value"].notnull(), [dim]))
    value = mean.where(~lost) if request.diverged == "drop" else mean
    return xr.Dataset({"value": value, "there": there, "lost": lost}, attrs=early.attrs)


def _selected(
    entered: xr.Dataset, array: xr.DataArray, request: Request
) -> tuple[xr.Dataset, list[Labels]]:
    """Return the selected experiments and their labels; those with equal labels become one."""
    allowed = {name: as_list(value) for name, value in request.select.items()}
    chosen = chosen_rows(label_rows(array, list(allowed)), allowed)
    if not chosen:
        raise SpecError(f"no experiment has all of {dict(request.select)} at once")
    rows, configs = label_rows(array, _label_names(array, request.named)), config_rows(array)
    groups: dict[Any, list[int]] = {}
    for index in chosen:
        key = (tuple(rows[index].items()), tuple(configs[index].items()))
        groups.setdefault(key, []).append(index)
    return gather(entered, groups, "labels"), [dict(key[0]) for key in groups]


def _label_names(array: xr.DataArray, named: Sequence[str]) -> list[str]:
    """Return the labels of the experiments, and what else was named."""
    keywords = differing(keyword_rows(array))
    known = [*keywords, *(n for n, c in array.coords.items() if c.dims in ((), ("experiment",)))]
    return list(dict.fromkeys([*label_names(array), *(n for n in named if n in known)]))


def _tidy(reduced: xr.Dataset, rows: Sequence[Labels]) -> pd.DataFrame:
    dims = [str(dim) for dim in reduced["value"].dims if dim != "experiment"]
    places = list(itertools.product(*(read_labels(reduced[dim]).tolist() for dim in dims)))
    labels = [(*row.values(), *place) for row in rows for place in places]
    frame = pd.DataFrame(labels, columns=[*rows[0], *dims], dtype=object)
    values = {
        str(name): part.transpose("experiment", *dims).values.ravel()
        for name, part in reduced.data_vars.items()
    }
    frame = frame.assign(**values)
    return frame[frame["num_seeds"] > 0]


Names = str | Sequence[str] | None


def as_names(names: Names) -> tuple[str, ...] | None:
    """Return one name or several as a tuple."""
    return names if names is None else (names,) if isinstance(names, str) else tuple(names)


def layout(
    numbers: pd.DataFrame,
    labels: Sequence[str],
    rows: tuple[str, ...] | None,
    columns: tuple[str, ...] | None,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the labels that make the rows and the columns.

    Raises
    ------
    MissingVariableError
        If there is no such label.
    SpecError
        If a label is in both, or several numbers fall into one cell.
    """
    for name in (*(rows or ()), *(columns or ())):
        check_label(name, labels)
    apart = [name for name in labels if keys_of(numbers, [name]).nunique() > 1]
    if columns is None:
        free = [n for n in apart if is_of_experiments(n) and n not in (rows or ())]
        first = ["net"] if "net" in free else free[:1]
        columns = (*first, *(n for n in ("variable",) if n in apart and n not in (rows or ())))
    if rows is None:
        left = [n for n in apart if n not in columns]
        rows = needed(numbers[left].to_dict("records"), left)  # type: ignore[arg-type]
    twice = set(rows) & set(columns)
    if twice:
        raise SpecError(f"{', '.join(sorted(twice))} cannot be both in rows and in columns")
    _check_cells(numbers, (*rows, *columns), apart)
    return rows, columns


def check_label(name: str, labels: Sequence[str]) -> None:
    """Raise a MissingVariableError if a table has no such label."""
    if name not in labels:
        known = ", ".join(labels)
        raise MissingVariableError(
            f"no label {name!r} in this table; there is {known}{suggest(name, labels)}"
        )


def _check_cells(numbers: pd.DataFrame, named: Sequence[str], apart: Sequence[str]) -> None:
    if keys_of(numbers, named).is_unique:
        return
    others = [name for name in apart if name not in named]
    found = "; ".join(f"{n}: {', '.join(numbers[n].map(str).unique()[:5])}" for n in others)
    raise SpecError(
        f"several numbers fall into one cell, they differ in {found or 'nothing that has a label'};"
        " add these to rows= or columns=, or select one value by keyword"
    )


def order_of(
    numbers: pd.DataFrame, names: Sequence[str], select: Mapping[str, Any]
) -> dict[str, list[str]]:
    """Return the texts of labels in order: as selected, else as numbers and texts are by nature."""
    known = {name: list(dict.fromkeys(numbers[name])) for name in names}
    for name in names:
        if name in select:
            known[name] = as_list(select[name])
        elif name != "variable":
            known[name].sort(key=_natural)
    return {name: [str(value) for value in values] for name, values in known.items()}


def _natural(value: Any) -> tuple[Any, ...]:
    if isinstance(value, int | float | np.number):
        return (0, float(value), ())
    pieces = re.split(r"(\d+(?:\.\d+)?)", str(value))
    texts = tuple((float(p), "") if i % 2 else (0.0, p) for i, p in enumerate(pieces))
    return (1, 0.0, texts)


def relative_numbers(
    numbers: pd.DataFrame, labels: Sequence[str], baseline: Mapping[str, Any]
) -> pd.DataFrame:
    """Return the numbers divided by the median of the baseline that agrees in all else.

    NaN where there is none, or where it is infinite.

    Raises
    ------
    MissingVariableError, SpecError
        If there is no such label, or none with this value.
    """
    chosen = np.ones(len(numbers), dtype=bool)
    for name, value in baseline.items():
        check_label(name, labels)
        chosen &= (numbers[name].map(str) == str(value)).to_numpy()
    if not chosen.any():
        known = " and ".join(f"{n} ({', '.join(numbers[n].map(str).unique())})" for n in baseline)
        raise SpecError(
            f"nothing has the labels {dict(baseline)} of the baseline; there is {known}"
        )
    keys = keys_of(numbers, [name for name in labels if name not in baseline])
    medians = dict(zip(keys[chosen], numbers["value"][chosen], strict=True))
    divisor = np.array([medians.get(key, np.nan) for key in keys])
    divisor = np.where(np.isfinite(divisor), divisor, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        divided = {name: numbers[name].to_numpy() / divisor for name in ("value", "low", "high")}
    return numbers.assign(**divided, whole=False)


def compared(compare: str | None, rows: Sequence[str], columns: Sequence[str]) -> str | None:
    """Return the label whose best value is marked."""
    if compare is None:
        return next((name for name in columns if name not in ("variable", *STEP_DIMS)), None)
    check_label(compare, [*rows, *columns])
    return compare


def best(numbers: pd.DataFrame, compare: str | None, named: Sequence[str]) -> pd.Series:
    """Return which values are the best of those that differ in ``compare`` alone."""
    if compare is None or keys_of(numbers, [compare]).nunique() < 2:
        return pd.Series(False, index=numbers.index)
    value = numbers["value"].where(numbers["better"] == "lower", -numbers["value"])
    keys = keys_of(numbers, [name for name in named if name != compare])
    groups = value.groupby(keys)
    several = groups.transform("nunique") > 1
    return (value == groups.transform("min")) & np.isfinite(value) & several
