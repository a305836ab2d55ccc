"""The shape of a table: what makes its rows and columns, their order, what is the best."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from apexr.analysis._groups import is_of_experiments, needed
from apexr.analysis._numbers import STEP_DIMS, as_list
from apexr.errors import MissingVariableError, SpecError, suggest

Names = str | Sequence[str] | None


def as_names(names: Names) -> tuple[str, ...] | None:
    """Return one name or several as a tuple."""
    return names if names is None else (names,) if isinstance(names, str) else tuple(names)


def keys_of(numbers: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Return the labels ``names`` of each row together, as a tuple of texts."""
    texts = [numbers[name].map(str) for name in names]
    rows = list(zip(*texts, strict=True)) if texts else [()] * len(numbers)
    return pd.Series(rows, index=numbers.index, dtype=object)


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


def in_order(
    keys: pd.Series, names: Sequence[str], order: Mapping[str, Sequence[str]]
) -> list[tuple[str, ...]]:
    """Return the keys (see :func:`keys_of`) of some labels, each once, in order."""
    places = [{text: i for i, text in enumerate(order[name])} for name in names]
    return sorted(
        dict.fromkeys(keys), key=lambda key: [p[t] for p, t in zip(places, key, strict=True)]
    )


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
