"""Numbered columns of a wide table, ``{quantity}_0001``, and the way from them to rows."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from apexr.analysis._select import BASE_COLUMNS, missing
from apexr.schema import identifier

NUMBERED = re.compile(r"(?P<quantity>.+)_(?P<number>\d{3,})")


def melt_wide(
    wide: pd.DataFrame,
    quantities: Sequence[str],
    number_column: str,
    base_columns: Sequence[str] = BASE_COLUMNS,
) -> pd.DataFrame:
    """Return the numbered columns of ``quantities`` as rows, one for each number."""
    found = {quantity: _numbered(wide, quantity) for quantity in quantities}
    numbers = sorted({number for columns in found.values() for number in columns})
    base = [name for name in base_columns if name in wide]
    repeated = {name: wide[name].repeat(len(numbers)).array for name in base}
    count = np.tile(np.asarray(numbers, dtype=np.int64), len(wide))
    values = {name: _stacked(wide, columns, numbers) for name, columns in found.items()}
    return pd.DataFrame({**repeated, number_column: count, **values})


def wide_quantities(wide: pd.DataFrame) -> list[str]:
    """Return the quantities that the numbered columns of a wide table hold."""
    matches = (NUMBERED.fullmatch(str(column)) for column in wide.columns)
    return list(dict.fromkeys(match["quantity"] for match in matches if match))


def _numbered(wide: pd.DataFrame, quantity: str) -> dict[int, str]:
    """Return number to column name of a quantity, asked for by name or by config string."""
    columns = {
        int(match["number"]): str(column)
        for column in wide.columns
        if (match := NUMBERED.fullmatch(str(column)))
        and quantity in (match["quantity"], identifier(match["quantity"]))
    }
    if not columns:
        raise missing(quantity, wide_quantities(wide))
    return columns


def _stacked(wide: pd.DataFrame, columns: dict[int, str], numbers: Sequence[int]) -> Any:
    """Return the columns row by row; absent ones as NaN."""
    series = [
        wide[columns[number]] if number in columns else pd.Series(np.nan, index=wide.index)
        for number in numbers
    ]
    if any(part.dtype == object for part in series):
        return pd.Series(
            [value for row in zip(*series, strict=True) for value in row], dtype=object
        )
    return np.stack([part.to_numpy() for part in series], axis=1).ravel()
