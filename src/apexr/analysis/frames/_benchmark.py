"""The published benchmark's helpers on long tables; the input is never changed."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from apexr.analysis._selection import BASE_COLUMNS, missing
from apexr.errors import SpecError
from apexr.exchange.benchmark._cells import read_keywords

_RELATIVE_GROUP = ("seed", "scenario", "task", "net", "scenario_kwargs")
_AROUND = ("loss", "weights", "cut")


def split_train(df: pd.DataFrame) -> pd.DataFrame:
    """Return the table with ``category``, ``type`` and ``rollout`` of the training config.

    ``category`` is the first field, ``type`` is ``sup`` for supervised training (one, sup) and
    ``div`` for the rest, ``rollout`` is the number of unrolled steps (1 for ``one``). A loss,
    weights or cuts around a training (``loss;MAE;sup;3``) are passed over.
    """
    _require(df, ["train"])
    texts = [str(text) for text in df["train"]]
    parsed = {text: _parse_train(text) for text in set(texts)}
    columns = ("category", "type", "rollout")
    return df.assign(**{c: [parsed[text][i] for text in texts] for i, c in enumerate(columns)})


def _parse_train(text: str) -> tuple[str, str, int]:
    category, _, rest = text.strip().partition(";")
    if category.lower() in _AROUND:
        return _parse_train(rest.partition(";")[2])
    unrolled = rest.partition(";")[0].strip()
    kind = "sup" if category.lower() in ("one", "sup") else "div"
    return category, kind, int(unrolled) if unrolled.isdecimal() else 1


def aggregate_gmean(
    df: pd.DataFrame,
    up_to: int = 100,
    grouping_cols: Sequence[str] = BASE_COLUMNS,
    value_col: str = "mean_nRMSE",
) -> pd.DataFrame:
    """Return the geometric mean over time of each group, and how many of its seeds diverged.

    Parameters
    ----------
    df
        A long table with ``time_step`` and ``value_col``.
    up_to
        Last time step that counts.
    grouping_cols
        The columns that identify a group.
    value_col
        The value; the result is called ``gmean_{value_col}``.

    Returns
    -------
    pandas.DataFrame
        ``grouping_cols``, ``gmean_{value_col}``, ``num_diverged``. A zero makes the mean zero. A
        NaN or an infinity counts in ``num_diverged`` and makes the mean infinite, so that a
        median over groups does not leave it out.
    """
    keys = list(grouping_cols)
    _require(df, [*keys, "time_step", value_col])
    early = df[df["time_step"] <= up_to]
    values = early[value_col].to_numpy(dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(values)
    seed = early["seed"] if "seed" in early else pd.Series(early.index, index=early.index)
    lost = ~np.isfinite(values)
    work = early[keys].assign(
        _log=logs, _nan=np.isnan(logs), _any=lost, _lost=seed.where(lost).to_numpy()
    )
    groups = work.groupby(keys, dropna=False, observed=True)
    mean = np.exp(groups["_log"].mean()).mask(groups["_nan"].any())
    mean = mean.mask(groups["_any"].any(), np.inf)
    result = pd.DataFrame({f"gmean_{value_col}": mean, "num_diverged": groups["_lost"].nunique()})
    return result.reset_index()


def relative_by_config(
    df: pd.DataFrame,
    grouping_cols: Sequence[str] = _RELATIVE_GROUP,
    norm_query: str = "train == 'one'",
    value_col: str = "mean_nRMSE",
    suffix: str = "_rel",
) -> pd.DataFrame:
    """Return the table with each value divided by the one of its group's reference row.

    Infinite values are those of diverged seeds: two of them are equal, their ratio is 1.

    Parameters
    ----------
    df
        A table with one row for each configuration.
    grouping_cols
        Rows that agree in these are compared with each other.
    norm_query
        Expression, as for ``DataFrame.query``, that holds for one row in each group.
    value_col, suffix
        The value, and what is added to its name for the new column.

    Raises
    ------
    SpecError
        If a group has no reference row or several, or the expression cannot be read.
    """
    keys = list(grouping_cols)
    _require(df, [*keys, value_col])
    if value_col in keys:
        raise SpecError(f"value_col {value_col!r} must not be among grouping_cols")
    reference = _queried(df, norm_query)
    counts = reference.groupby(keys, dropna=False, observed=True).size().rename("_count")
    groups = df[keys].drop_duplicates().merge(counts.reset_index(), on=keys, how="left")
    wrong = groups[groups["_count"] != 1]
    if len(wrong):
        first = wrong.iloc[0]
        found = 0 if pd.isna(first["_count"]) else int(first["_count"])
        group = ", ".join(f"{key}={first[key]!r}" for key in keys)
        raise SpecError(
            f"norm_query {norm_query!r} must hold for one row of each group; it holds for {found} "
            f"where {group}"
        )
    norm = reference[[*keys, value_col]].rename(columns={value_col: "_norm"})
    divisor = df[keys].merge(norm, on=keys, how="left")["_norm"].to_numpy()
    values = df[value_col].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(np.isinf(values) & np.isinf(divisor), 1.0, values / divisor)
    return df.assign(**{f"{value_col}{suffix}": ratio})


def _queried(df: pd.DataFrame, norm_query: str) -> pd.DataFrame:
    """Return the rows for which an expression holds.

    Raises
    ------
    SpecError
        If it is no expression of the columns.
    """
    try:
        return df.query(norm_query)
    except Exception as error:  # pandas and what it evaluates with raise what they like
        raise SpecError(
            f"norm_query {norm_query!r} must be an expression of the columns, such as"
            f" \"train == 'one'\" ({error}); columns are {', '.join(map(str, df.columns))}"
        ) from error


def read_in_kwargs(df: pd.DataFrame) -> pd.DataFrame:
    """Return the table with a column for each scenario keyword of any row.

    ``scenario_kwargs`` may hold JSON or the text of a Python dictionary; it is read, never run.
    Rows that lack a keyword get NaN.

    Raises
    ------
    SpecError
        If a text is not a dictionary, or a keyword is called like a column that identifies rows.
    """
    _require(df, ["scenario_kwargs"])
    texts = df["scenario_kwargs"].astype("str")
    parsed = {text: read_keywords(text) for text in texts.unique()}
    keywords = dict.fromkeys(key for kwargs in parsed.values() for key in kwargs)
    taken = [key for key in keywords if key in BASE_COLUMNS]
    if taken:
        raise SpecError(f"scenario keywords {taken} are called like columns of the table")
    columns = {key: _column(texts, parsed, key) for key in keywords}
    return df.assign(**columns)


def _column(texts: pd.Series, parsed: dict[str, dict[str, Any]], key: str) -> pd.Series:
    values = [parsed[text].get(key, np.nan) for text in texts]
    column = pd.Series(values, index=texts.index, dtype=object)
    return column.infer_objects()


def _require(df: pd.DataFrame, columns: Sequence[Hashable]) -> None:
    for column in columns:
        if column not in df:
            raise missing(str(column), [str(name) for name in df.columns])
