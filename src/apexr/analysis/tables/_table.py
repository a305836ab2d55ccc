"""Tables of medians over seeds, pivoted by any labels, and tables of ranks."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from apexr.analysis._dialects import PLAIN
from apexr.analysis._selection import Better, Diverged, choose
from apexr.analysis.statistics._power import POWER, least_pairs
from apexr.analysis.tables._cells import (
    CONFIDENCE,
    RESULTS,
    Names,
    Request,
    Steps,
    as_names,
    best,
    compared,
    joined,
    layout,
    numbers_of,
    order_of,
    relative_numbers,
)
from apexr.analysis.tables._written import Table, keys_of
from apexr.errors import SpecError

_MEAN_RANK = "mean rank"
_HOW_COUNTED = {
    "worst": "; a diverged seed counts as worse than all others",
    "drop": "; diverged seeds are left out",
}


def table(
    data: xr.Dataset | xr.DataArray,
    variable: str | Sequence[str] = "mean_nRMSE",
    *,
    rows: Names = None,
    columns: Names = None,
    steps: Steps = None,
    up_to: int = 100,
    quantiles: tuple[float, float] | None = (0.25, 0.75),
    relative_to: Mapping[str, Any] | None = None,
    compare: str | None = None,
    digits: int = 3,
    diverged: Diverged = "worst",
    better: Better | None = None,
    **select: Any,
) -> Table:
    """Return the median over seeds, with quantiles, as a table to be written anywhere.

    Only what the table shows is computed.

    Parameters
    ----------
    data
        A study, a result, or one variable of either.
    variable
        One name or config string, or several, which then are a label called ``variable``.
    rows, columns
        Labels: config coordinates, others along ``experiment``, keywords of the scenario, and
        dimensions such as ``time``. By default the networks (or what else differs) make the
        columns, and all that differs besides makes the rows.
    steps
        Time steps (update steps, for a loss) to show; by default 1, 10, 100, … and the last one.
        ``"gmean"``: the geometric mean over the steps up to ``up_to`` in their place.
    up_to
        Last step of the geometric mean.
    quantiles
        The two next to the median, or None.
    relative_to
        Labels of a baseline, such as ``{"net": "Conv;34;10;relu"}``: all numbers are divided by
        its median.
    compare
        Label whose best value is marked, all others being equal; by default that of the columns.
        The mark says which median is best, not that the seeds tell it from the next.
    digits
        Significant digits of the texts; the numbers are kept in full.
    diverged
        ``"worst"``: a diverged seed is worse than all others, so that a median can be infinite.
        ``"drop"``: it is left out, which flatters. ``"raise"``: an error. Either way the cell says
        how many of its seeds diverged.
    better
        Which values are good; by default high correlations, low everything else.
    **select
        Which experiments: a label with one value, or a list of them in the order to be shown.

    Raises
    ------
    SpecError
        If an argument is invalid, or several experiments fall into one cell.
    MissingVariableError
        If there is no such variable or label, listing what there is.
    DivergenceError
        If a seed diverged and ``diverged="raise"``.

    Examples
    --------
    ``apexr.table(study, steps=[1, 10, 100], columns="net").to_latex("table.tex")``
    """
    choose("diverged", diverged, Diverged)
    if isinstance(digits, bool) or not isinstance(digits, int) or digits < 1:
        raise SpecError(f"digits must be a whole number from 1, got {digits!r}")
    low, high = _check_quantiles(quantiles)
    named_rows, named_columns = as_names(rows), as_names(columns)
    named = (*(named_rows or ()), *(named_columns or ()), *(relative_to or ()))
    request = Request(steps, up_to, (low, high), diverged, better, named, select)
    names = [variable] if isinstance(variable, str) else list(variable)
    numbers = joined([numbers_of(data, name, request) for name in names])
    labels = [str(name) for name in numbers.columns if name not in RESULTS]
    in_rows, in_columns = layout(numbers, labels, named_rows, named_columns)
    if relative_to is not None:
        numbers = relative_numbers(numbers, labels, relative_to)
    marked = best(numbers, compared(compare, in_rows, in_columns), (*in_rows, *in_columns))
    return Table(
        numbers=numbers.assign(best=marked)[[*labels, *RESULTS, "best"]],
        rows=in_rows,
        columns=in_columns,
        order=order_of(numbers, (*in_rows, *in_columns), select),
        note=_note(numbers, names, request, quantiles is not None, relative_to),
        digits=digits,
        band=quantiles is not None,
    )


def rank_table(
    data: xr.Dataset | xr.DataArray,
    variable: str = "mean_nRMSE",
    *,
    of: str = "net",
    steps: Steps = "gmean",
    up_to: int = 100,
    digits: int = 2,
    diverged: Diverged = "worst",
    better: Better | None = None,
    **select: Any,
) -> Table:
    """Return the ranks of networks, or of what else ``of`` names, in all that differs besides.

    1 is the best median over seeds; equal medians share the mean of their ranks; where most seeds
    diverged the median is infinite and comes last. The last row is the mean over the rows that
    have all ranks. A rank does not say how far apart its neighbors are, nor whether the seeds
    tell them apart; see :func:`summarise_comparison`.

    The parameters are those of :func:`table`. ``numbers`` keeps the medians, too.

    Raises
    ------
    SpecError
        If an argument is invalid, or several experiments fall into one cell.
    MissingVariableError
        If there is no such variable or label, listing what there is.
    DivergenceError
        If a seed diverged and ``diverged="raise"``.
    """
    options: dict[str, Any] = {"steps": steps, "up_to": up_to, "diverged": diverged}
    medians = table(data, variable, columns=of, quantiles=None, better=better, **options, **select)
    numbers, rows = medians.numbers.rename(columns={"value": "median"}), medians.rows
    signed = numbers["median"].where(numbers["better"] == "lower", -numbers["median"])
    ranks = signed.groupby(keys_of(numbers, rows)).rank(method="average")
    numbers = numbers.assign(value=ranks, low=ranks, high=ranks, better="lower")
    note, order = (
        f"Rank by the {medians.note[0].lower()}{medians.note[1:]}; 1 is best",
        medians.order,
    )
    if rows:
        order = {**order, **{n: [*order[n], label] for n, label in _mean_labels(rows).items()}}
        means, number = _mean_ranks(numbers, rows, of)
        numbers = pd.concat([numbers, means], ignore_index=True)
        note += f"; mean rank over the {number} rows that have all ranks"
    numbers = numbers.assign(best=best(numbers, of, (*rows, of)))
    return Table(numbers, rows, medians.columns, order, note, digits, band=False)


def _check_quantiles(quantiles: tuple[float, float] | None) -> tuple[float, float]:
    if quantiles is None:
        return 0.5, 0.5
    if len(quantiles) != 2 or not 0 <= quantiles[0] <= quantiles[1] <= 1:
        raise SpecError(f"quantiles must be two, 0 <= low <= high <= 1, or None, got {quantiles!r}")
    return quantiles[0], quantiles[1]


def _mean_ranks(numbers: pd.DataFrame, rows: Sequence[str], of: str) -> tuple[pd.DataFrame, int]:
    """Return the mean rank of each ``of`` over the rows that have all of them, and their number."""
    keys = keys_of(numbers, rows)
    held = numbers["value"].notna().groupby(keys).transform("sum")
    complete = held == numbers[of].nunique()
    means = numbers["value"].where(complete).groupby(numbers[of], sort=False).mean()
    frame = pd.DataFrame({of: means.index, "value": means, "low": means, "high": means})
    ends: dict[str, Any] = {
        "num_seeds": 0,
        "count": 0,
        "num_diverged": 0,
        "better": "lower",
        "whole": False,
    }
    return frame.assign(**_mean_labels(rows), **ends), keys[complete].nunique()


def _mean_labels(rows: Sequence[str]) -> dict[str, str]:
    return {name: _MEAN_RANK if name == rows[0] else "" for name in rows}


def _note(
    numbers: pd.DataFrame,
    names: Sequence[str],
    request: Request,
    band: bool,
    relative_to: Mapping[str, Any] | None,
) -> str:
    what = ", ".join(names)
    if request.steps == "gmean":
        what = f"geometric mean of {what} over the steps up to {request.up_to}"
    seeds = sorted(numbers["num_seeds"].unique())
    number = f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"{seeds[0]}"
    low, high = request.levels
    spread = f" [{100 * low:g} % to {100 * high:g} % quantile]" if band else ""
    note = f"Median{spread} over {number} seeds of {what}" if seeds[-1] > 1 else what
    if relative_to:
        labels = ", ".join(f"{name}={value}" for name, value in relative_to.items())
        note += f", divided by the median of {labels}"
    note += _HOW_COUNTED.get(request.diverged, "") if numbers["num_diverged"].any() else ""
    return note + _power(numbers["smallest_ratio"])


def _power(ratios: pd.Series) -> str:
    """Return which ratios the seeds can tell, in words; nothing where a table has no errors."""
    known = ratios[ratios.notna()]
    if known.empty:
        return ""
    told = known[np.isfinite(known)]
    if told.empty:
        least = least_pairs(CONFIDENCE)
        return f"; too few seeds to tell any two apart ({least} at least)"
    low, high = (PLAIN.number(float(end), 3) for end in (told.min(), told.max()))
    span = low if low == high else f"{low} to {high}"
    some = "" if len(told) == len(known) else ", where there are seeds enough"
    return f"; so many seeds tell ratios of {span} with {100 * POWER:g} % power{some}"
