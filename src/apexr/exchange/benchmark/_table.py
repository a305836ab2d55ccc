"""The wide table of results, one row a seed, taken apart into its experiments."""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from apexr.errors import SpecError, StoreError
from apexr.exchange.benchmark._cells import is_double, read_nested, read_number, read_record

LABELS = ("scenario", "task", "train", "net", "scenario_kwargs")
REQUIRED = (*LABELS, "seed")
_LONGEST_CELL = 2**30
_LOSS, _AUX, _ROLLOUT = "train_loss", "aux", "sample_rollout"
_NUMBERED = re.compile(r"(?P<quantity>.+)_(?P<number>\d{3,})", re.ASCII)

T = TypeVar("T")
Columns = dict[str, dict[int, int]]
"""Of each quantity: number to place in the row."""


@dataclass(frozen=True)
class Table:
    """The part of a table about one experiment.

    Attributes
    ----------
    where
        The file.
    labels
        ``scenario``, ``task``, ``train``, ``net``, ``scenario_kwargs`` as they stand there.
    seeds
        One for each row.
    metrics
        By config string, ``(seed, time)``.
    update_steps, losses
        ``(seed, update_step)``.
    records
        Records of callbacks, by name: steps, ``(seed, step)``.
    rollouts
        ``(seed, sample, frame, channel, *space)``; None if there are none.
    double
        Whether numbers have more digits than single precision.
    """

    where: Path
    labels: dict[str, str]
    seeds: tuple[int, ...]
    metrics: dict[str, np.ndarray]
    update_steps: tuple[int, ...]
    losses: np.ndarray
    records: dict[str, tuple[tuple[int, ...], np.ndarray]]
    rollouts: np.ndarray | None
    double: bool


def read_tables(path: Path) -> list[Table]:
    """Return the experiments of a table.

    Raises
    ------
    StoreError
        If the file cannot be read, or a row is cut.
    SpecError
        If it is no table of results, or a cell is not what it must be.
    """
    header, rows = _read_rows(path)
    missing = [name for name in REQUIRED if name not in header]
    if missing or not rows:
        wanted = ", ".join(REQUIRED)
        found = f"no column {missing[0]!r}" if missing else "no rows"
        raise SpecError(
            f"{path}: not a table of results ({found}); it has the columns {wanted}, a metric such"
            " as mean_nRMSE_0001, … and one row for each seed"
        )
    columns = _columns(path, header)
    groups: dict[tuple[str, ...], list[list[str]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[header.index(name)] for name in LABELS), []).append(row)
    return [
        _table(path, dict(zip(LABELS, labels, strict=True)), header, columns, held)
        for labels, held in groups.items()
    ]


def _read_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with path.open(newline="", encoding="utf-8") as file, _long_cells():
            reader = csv.reader(file, strict=True)
            header, rows = next(reader, []), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StoreError(f"{path}: cannot be read as a table ({error})") from error
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise StoreError(
                f"{path}: row {number} has {len(row)} cells of {len(header)}; it is cut"
            )
    return header, rows


@contextmanager
def _long_cells() -> Iterator[None]:
    """Let cells hold whole trajectories."""
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _columns(path: Path, header: Sequence[str]) -> Columns:
    """Return the places of all numbered columns, in the order of their numbers."""
    found: Columns = {}
    for place, name in enumerate(header):
        match = _NUMBERED.fullmatch(name)
        if match:
            found.setdefault(match["quantity"], {})[int(match["number"])] = place
        elif name not in REQUIRED and (place or name):  # the first may be an index without a name
            raise SpecError(f"{path}: unknown column {name!r}")
    if len(set(header)) < len(header):
        raise SpecError(f"{path}: a column is there twice")
    return {quantity: dict(sorted(places.items())) for quantity, places in found.items()}


def _table(
    path: Path,
    labels: dict[str, str],
    header: Sequence[str],
    columns: Columns,
    rows: Sequence[list[str]],
) -> Table:
    names = [name for name in columns if name not in (_LOSS, _AUX, _ROLLOUT)]
    for name in names:
        if list(columns[name]) != list(range(1, len(columns[name]) + 1)):
            raise SpecError(f"{path}: steps of {name} are missing; they count from 0001 on")
    losses = columns.get(_LOSS, {})
    scored = [place for name in (*names, _LOSS) for place in columns.get(name, {}).values()]
    return Table(
        where=path,
        labels=labels,
        seeds=_seeds(path, [row[header.index("seed")] for row in rows]),
        metrics={name: _numbers(path, header, columns[name], rows) for name in names},
        update_steps=tuple(losses),
        losses=_numbers(path, header, losses, rows),
        records=_records(path, header, columns.get(_AUX, {}), rows),
        rollouts=_rollouts(path, header, columns.get(_ROLLOUT, {}), rows),
        double=any(is_double(row[place]) for row in rows for place in scored),
    )


def _seeds(path: Path, texts: Sequence[str]) -> tuple[int, ...]:
    wrong = [text for text in texts if not (text.isascii() and text.isdigit())]
    if wrong:
        raise SpecError(f"{path}: seed must be a whole number, got {wrong[0][:80]!r}")
    seeds = tuple(map(int, texts))
    if len(set(seeds)) < len(seeds):
        raise SpecError(f"{path}: a seed is there twice for one experiment")
    return seeds


@contextmanager
def _told_where(path: Path, column: str) -> Iterator[None]:
    try:
        yield
    except SpecError as error:
        raise SpecError(f"{path}: column {column}: {error}") from None


def _numbers(
    path: Path, header: Sequence[str], places: dict[int, int], rows: Sequence[list[str]]
) -> np.ndarray:
    values = np.empty((len(rows), len(places)))
    for index, place in enumerate(places.values()):
        with _told_where(path, header[place]):
            values[:, index] = [read_number(row[place]) for row in rows]
    return values


def _rollouts(
    path: Path, header: Sequence[str], places: dict[int, int], rows: Sequence[list[str]]
) -> np.ndarray | None:
    """Return all trajectories, if there are any."""
    found = []
    for place in places.values():
        with _told_where(path, header[place]):
            found.append([read_nested(row[place]) for row in rows])
    shapes = {one.shape for held in found for one in held}
    if len(shapes) > 1:
        raise SpecError(f"{path}: trajectories of different shapes, {sorted(shapes)}")
    return np.stack([np.stack(held) for held in found], axis=1) if found else None


def _records(
    path: Path, header: Sequence[str], places: dict[int, int], rows: Sequence[list[str]]
) -> dict[str, tuple[tuple[int, ...], np.ndarray]]:
    """Return the numbers that callbacks recorded for all seeds, by callback."""
    found: dict[str, dict[int, list[float]]] = {}
    for step, place in places.items():
        with _told_where(path, header[place]):
            cells = [read_record(row[place]) for row in rows]
        for name in set.intersection(*map(set, cells)):
            found.setdefault(name, {})[step] = [cell[name] for cell in cells]
    return {
        name: (tuple(steps), np.array(list(steps.values())).T)
        for name, steps in sorted(found.items())
    }
