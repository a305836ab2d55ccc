"""Long tables that are written piece by piece, so that they need not fit into memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from apexr._fits import describe
from apexr._typing import PathInput
from apexr.errors import SpecError, needs
from apexr.exchange._whole import written_aside

ROWS = 2**18
"""Rows of a piece: some tens of megabytes."""
CSV, PARQUET = ".csv", ".parquet"

Append = Callable[[pd.DataFrame], None]


def write_table(pieces: Iterator[pd.DataFrame], path: PathInput) -> Path:
    """Write the pieces of a table to a CSV or Parquet file, which comes into sight whole.

    Each piece becomes a row group of the Parquet file.

    Raises
    ------
    SpecError
        If a piece is no table, or the path ends in neither ``.csv`` nor ``.parquet``.
    MissingExtraError
        If Parquet is asked for and pyarrow is not installed.
    StoreError
        If the file cannot be written.
    """
    target = check_table_path(path)
    with written_aside(target) as aside, _WRITERS[target.suffix](aside) as append:
        for piece in pieces:
            if not isinstance(piece, pd.DataFrame):
                raise SpecError(f"write_table takes pandas tables, got {describe(piece)}")
            append(piece)
    return target


def check_table_path(path: PathInput) -> Path:
    """Return the absolute path of a table; see :func:`write_table` for what is raised."""
    target = Path(path).absolute()
    if target.suffix not in _WRITERS:
        raise SpecError(f"a table must end in {CSV} or {PARQUET}, got {str(path)!r}")
    if target.suffix == PARQUET:
        _parquet()
    return target


def pieces_of(array: xr.DataArray) -> Iterator[xr.DataArray]:
    """Yield an array in parts of its first dimension, each in memory; parts that are read at once.

    Small chunks are joined and large ones cut, so that a part has some :data:`ROWS` values; a chunk
    is read once.
    """
    dim = array.dims[0] if array.dims else None
    if dim is None:
        yield array.load()
        return
    rows = max(1, ROWS // max(1, array.size // max(1, array.sizes[dim])))
    for start, stop in _joined(array.chunksizes.get(dim, (array.sizes[dim],)), rows):
        part = array.isel({dim: slice(start, stop)}).load()
        for first in range(0, stop - start, rows):
            yield part.isel({dim: slice(first, first + rows)})
        del part


def _joined(chunks: tuple[int, ...], rows: int) -> Iterator[tuple[int, int]]:
    """Yield where parts of one or more chunks start and stop."""
    start = stop = 0
    for size in chunks:
        if stop > start and stop - start + size > rows:
            yield start, stop
            start = stop
        stop += size
    yield start, stop


FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters of a text that a spreadsheet takes for a formula."""


def inert_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of which no text is run by a spreadsheet: an apostrophe stands before it."""
    text = table.select_dtypes(exclude=["number", "bool"])
    guarded = {str(name): _guarded(column) for name, column in text.items()}
    names = {name: f"'{name}" for name in table.columns if str(name).startswith(FORMULA)}
    return table.assign(**guarded).rename(columns=names)


def _guarded(column: "pd.Series[Any]") -> "pd.Series[Any]":
    runs = column.map(lambda held: isinstance(held, str) and held.startswith(FORMULA)).astype(bool)
    return column.mask(runs, "'" + column[runs].astype(str)) if runs.any() else column


@contextmanager
def _csv_writer(path: Path) -> Iterator[Append]:
    with path.open("w", newline="", encoding="utf-8") as file:

        def append(piece: pd.DataFrame) -> None:
            inert_text(piece).to_csv(file, index=False, header=file.tell() == 0)

        yield append


@contextmanager
def _parquet_writer(path: Path) -> Iterator[Append]:
    arrow, parquet = _parquet()
    writer: Any = None

    def append(piece: pd.DataFrame) -> None:
        nonlocal writer
        schema = None if writer is None else writer.schema
        table = arrow.Table.from_pandas(piece, schema=schema, preserve_index=False)
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=max(1, len(piece)))

    try:
        yield append
    finally:
        if writer is not None:
            writer.close()


def _parquet() -> tuple[Any, Any]:
    with needs("parquet", "parquet files need"):
        import pyarrow
        import pyarrow.parquet
    return pyarrow, pyarrow.parquet


_WRITERS = {CSV: _csv_writer, PARQUET: _parquet_writer}
