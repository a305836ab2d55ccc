"""Tidy tables: one row a value, one column a label."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import overload

import numpy as np
import pandas as pd
import xarray as xr

from apexr._typing import PathInput
from apexr.analysis._selection import (
    BASE_COLUMNS,
    Data,
    is_score,
    leaves,
    missing,
    pick,
    present,
    with_worst,
)
from apexr.analysis.frames._wide import melt_wide, to_wide, wide_quantities
from apexr.exchange._tables import check_table_path, pieces_of, write_table
from apexr.schema import CONFIG_COORDS, step_dim

COLUMN_OF_DIM = {"time": "time_step"}
_STEP_OF_QUANTITY = {
    "train_loss": "update_step",
    "aux": "update_step",
    "sample_rollout": "sample_index",
}


@overload
def to_long(data: Data, variable: str) -> pd.DataFrame: ...


@overload
def to_long(data: Data, variable: str, path: PathInput) -> Path: ...


def to_long(data: Data, variable: str, path: PathInput | None = None) -> pd.DataFrame | Path:
    """Return a variable as a tidy table: labels, positions, value; or write it to a file.

    Columns are ``seed, scenario, task, net, train, scenario_kwargs``, one for each further
    dimension (``time`` is called ``time_step``) and the value. Losses and errors of an emulator
    that diverged are infinite (correlations ``-inf``): pandas counts them as worst in a median,
    where it would skip a NaN. seaborn skips both, so aggregate before it draws.

    Parameters
    ----------
    data
        A result, a study, a tree of rollouts or a wide table.
    variable
        Name of a variable, or the config string of a metric.
    path
        A file that ends in ``.parquet`` or ``.csv``: the table is written to it piece by piece, so
        that it need not fit into memory, and the path is returned. A piece holds a few experiments
        and is a row group of the Parquet file.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    SpecError, MissingExtraError, StoreError
        If the file is of another kind, lacks its package (pyarrow) or cannot be written.

    Examples
    --------
    >>> apexr.to_long(study, "mean_nRMSE", "errors.parquet")
    """
    if path is not None:
        check_table_path(path)
        return write_table(_pieces(data, variable), path)
    if isinstance(data, pd.DataFrame):
        return melt_wide(data, [variable], _STEP_OF_QUANTITY.get(variable, "time_step"))
    if isinstance(data, xr.DataTree):
        parts = [to_long(ds, variable) for ds in leaves(data)]
        if not parts:
            raise missing(variable, [])
        return pd.concat(parts, ignore_index=True)
    return _from_array(pick(data, variable), variable)


def _pieces(data: Data, variable: str) -> Iterator[pd.DataFrame]:
    """Yield the table of a variable piece by piece; it has one piece at least."""
    if isinstance(data, pd.DataFrame):
        yield to_long(data, variable)
        return
    arrays = [pick(ds, variable) for ds in leaves(data)] if isinstance(data, xr.DataTree) else []
    if isinstance(data, xr.Dataset):
        arrays = [pick(data, variable)]
    if not arrays:
        raise missing(variable, [])
    for array in arrays:
        yield from (_from_array(part, variable) for part in pieces_of(array))


def melt_loss(data: Data, loss_name: str = "train_loss") -> pd.DataFrame:
    """Return the training loss as a tidy table with the column ``update_step``."""
    if isinstance(data, pd.DataFrame):
        return melt_wide(data, [loss_name], "update_step")
    return to_long(data, loss_name)


def melt_metrics(data: Data, metric_name: str | Sequence[str] = "mean_nRMSE") -> pd.DataFrame:
    """Return one metric or several as a tidy table with the column ``time_step``."""
    names = [metric_name] if isinstance(metric_name, str) else list(metric_name)
    if isinstance(data, pd.DataFrame):
        return melt_wide(data, names, "time_step")
    tables = [to_long(data, name) for name in names]
    values = {name: table[name] for name, table in zip(names, tables, strict=True)}
    return tables[0].drop(columns=names[0]).assign(**values)


def melt_data(
    data: Data,
    quantity: str | Sequence[str],
    uniquifier: str,
    base_columns: Sequence[str] = BASE_COLUMNS,
) -> pd.DataFrame:
    """Return columns ``{quantity}_0001, …`` of a wide table as rows.

    Parameters
    ----------
    data
        A wide table, or a result that is made one first.
    quantity
        One name or several.
    uniquifier
        Name of the column that takes the number.
    base_columns
        Columns to repeat in each row.
    """
    wide = data if isinstance(data, pd.DataFrame) else to_wide(data)
    names = [quantity] if isinstance(quantity, str) else list(quantity)
    return melt_wide(wide, names, uniquifier, base_columns)


def available(data: Data) -> list[str]:
    """Return the names of what a result or a wide table holds."""
    if isinstance(data, pd.DataFrame):
        return wide_quantities(data)
    if isinstance(data, xr.DataTree):
        return sorted({str(name) for ds in leaves(data) for name in ds.data_vars})
    return [str(name) for name in data.data_vars]


def _from_array(array: xr.DataArray, column: str) -> pd.DataFrame:
    """Return the table of one array; rows that only fill a study up are left out."""
    array = with_worst(array) if is_score(array) else array
    rows = _rows(array)
    labels = {
        name: rows(array.coords[name])
        for name in BASE_COLUMNS
        if name in array.coords and set(array.coords[name].dims) <= set(array.dims)
    }
    positions = {
        _column_of(str(dim)): rows(array[dim])
        for dim in array.dims
        if dim not in ("experiment", *labels)
    }
    mask = present(array)
    keep = slice(None) if mask is None else np.flatnonzero(rows(mask))
    values = {**labels, **positions, column: np.asarray(array.values).ravel()}
    table = pd.DataFrame({name: entries[keep] for name, entries in values.items()})
    texts = [name for name in CONFIG_COORDS if name in table]
    return table.astype(dict.fromkeys(texts, "str"))


def _column_of(dim: str) -> str:
    """Return the name of a dimension's column; all update steps are called so."""
    return "update_step" if dim.startswith(step_dim("")) else COLUMN_OF_DIM.get(dim, dim)


def _rows(array: xr.DataArray) -> Callable[[xr.DataArray], np.ndarray]:
    """Return the function that spreads a coordinate over the rows of ``array``."""

    def spread(coord: xr.DataArray) -> np.ndarray:
        absent = [dim for dim in array.dims if dim not in coord.dims]
        values = coord.values[(..., *[None] * len(absent))]
        order = [(*coord.dims, *absent).index(dim) for dim in array.dims]
        return np.broadcast_to(values.transpose(order), array.shape).ravel()

    return spread
