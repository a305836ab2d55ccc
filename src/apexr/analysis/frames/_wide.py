"""The wide table, one row a seed and one column a number, and the way from it to rows."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from apexr.analysis._selection import (
    BASE_COLUMNS,
    Data,
    by_seed,
    config_columns,
    experiments,
    leaves,
    missing,
    pick,
    with_worst,
)
from apexr.errors import MissingVariableError
from apexr.schema import CONFIG_COORDS, identifier, metric_curves, record_dim, step_dim

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


def frames(ds: xr.Dataset, name: str = "sample_rollout") -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield ``(seed, sample, trajectory)``, trajectories of shape ``(time + 1, channel, *space)``.

    Frame ``n`` is the state at time ``n``; NaN where it is given to the emulator, not predicted.

    Raises
    ------
    MissingVariableError
        If the result holds no rollouts or no initial states.
    """
    array = by_seed(pick(ds, name))
    rollout = array.transpose("seed", "sample", "time", "channel", ...).values
    missing = (int(array["time"].values[0]) - 1, *rollout.shape[3:])
    given = [np.full(missing, np.nan, rollout.dtype)] if missing[0] else []
    start = pick(ds, "initial_state").transpose("sample", "channel", ...).values
    for seed, of_seed in zip(array["seed"].values.tolist(), rollout, strict=True):
        for sample, first, rest in zip(array["sample"].values, start, of_seed, strict=True):
            yield seed, int(sample), np.concatenate([first[None], *given, rest])


def melt_sample_rollouts(data: Data, sample_rollout_name: str = "sample_rollout") -> pd.DataFrame:
    """Return the sample rollouts, one row a trajectory, with the column ``sample_index``.

    A cell of ``sample_rollout`` is an array of shape ``(time + 1, channel, *space)`` whose frame 0
    is the initial state (from a wide table: the nested list that it holds).

    Parameters
    ----------
    data
        A result, a study, a tree of rollouts (grids may differ) or a wide table.
    sample_rollout_name
        Name of the variable, and of the column.
    """
    if isinstance(data, pd.DataFrame):
        return melt_wide(data, [sample_rollout_name], "sample_index")
    parts = list(leaves(data)) if isinstance(data, xr.DataTree) else [data]
    if not any(sample_rollout_name in ds for ds in parts):
        raise MissingVariableError(
            f"no {sample_rollout_name!r} here; where grids differ, a study leaves rollouts out: "
            "use apexr.open_rollouts(store)"
        )
    rows = [
        {
            "seed": seed,
            **{name: one[name].item() for name in config_columns(one)},
            "sample_index": sample,
            sample_rollout_name: values,
        }
        for ds in parts
        for one in experiments(ds)
        for seed, sample, values in frames(one, sample_rollout_name)
    ]
    columns = [*BASE_COLUMNS, "sample_index", sample_rollout_name]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype(dict.fromkeys(CONFIG_COORDS, "str"))


_WIDE_BASE = ("scenario", "task", "train", "net", "seed", "scenario_kwargs")


def to_wide(data: Data) -> pd.DataFrame:
    """Return a result or a study with one row for each seed.

    Columns: ``scenario, task, train, net, seed, scenario_kwargs``; ``{metric}_{time:04d}`` with
    the metric's config string; ``train_loss_{update:06d}``; ``aux_{update:06d}``, dictionaries,
    only where callbacks recorded something; ``sample_rollout_{sample:03d}``, nested lists of shape
    ``(time + 1, channel, *space)`` whose frame 0 is the initial state. Losses and metrics that
    diverged are infinite, as in :func:`to_long`; NaN is what an experiment does not have.
    """
    if isinstance(data, pd.DataFrame):
        return data.copy()
    parts = leaves(data) if isinstance(data, xr.DataTree) else [data]
    tables = [_table(one) for ds in parts for one in experiments(ds)]
    if not tables:
        raise missing("result", [])
    table = tables[0] if len(tables) == 1 else pd.concat(tables, ignore_index=True)
    return table[sorted(table.columns, key=_order(list(table.columns)))]


# --- one experiment --------------------------------------------------------------------------


def _table(ds: xr.Dataset) -> pd.DataFrame:
    seeds = np.atleast_1d(ds["seed"].values) if "seed" in ds.coords else None
    count = 1 if seeds is None else len(seeds)
    labels = {name: [ds[name].item()] * count for name in config_columns(ds)}
    base = pd.DataFrame(labels if seeds is None else {**labels, "seed": seeds})
    base = base.astype({name: "str" for name in CONFIG_COORDS if name in base})
    blocks = [block for block in _blocks(ds) if len(block.columns)]
    return pd.concat([base[[n for n in _WIDE_BASE if n in base]], *blocks], axis=1)


def _blocks(ds: xr.Dataset) -> Iterator[pd.DataFrame]:
    for config, array in metric_curves(ds):
        yield _block(array, "time", config, 4)
    if "train_loss" in ds:
        yield _block(ds["train_loss"], "update_step", "train_loss", 6)
    yield _aux(ds)
    if "sample_rollout" in ds and "initial_state" in ds:
        yield _rollouts(ds)


def _block(array: xr.DataArray, dim: str, stem: str, digits: int) -> pd.DataFrame:
    columns = [f"{stem}_{number:0{digits}d}" for number in array[dim].values]
    return pd.DataFrame(by_seed(with_worst(array)).transpose("seed", dim).values, columns=columns)


def _aux(ds: xr.Dataset) -> pd.DataFrame:
    """Return what callbacks recorded: a dictionary for each seed and recorded update.

    Its keys are the callbacks; where one records several things, such as metrics, they are a
    dictionary again.
    """
    cells: dict[int, list[dict[str, Any]]] = {}
    for array in ds.data_vars.values():
        dim = record_dim(array)
        if dim is None:
            continue
        values = by_seed(array).transpose("seed", dim, ...).values
        for index, step in enumerate(array[dim].values):
            rows = cells.setdefault(int(step), [{} for _ in range(len(values))])
            for row, value in zip(rows, values[:, index], strict=True):
                _enter(row, dim.removeprefix(step_dim("")), array.attrs.get("config"), value)
    return pd.DataFrame({f"aux_{step:06d}": rows for step, rows in sorted(cells.items())})


def _enter(row: dict[str, Any], callback: str, key: str | None, value: np.ndarray) -> None:
    if key is None:
        row[callback] = value.tolist()
    else:
        row.setdefault(callback, {})[key] = value.tolist()


def _rollouts(ds: xr.Dataset) -> pd.DataFrame:
    cells: dict[str, list[Any]] = {}
    for _, sample, values in frames(ds):
        cells.setdefault(f"sample_rollout_{sample:03d}", []).append(values.tolist())
    return pd.DataFrame({name: pd.Series(rows, dtype=object) for name, rows in cells.items()})


def _order(columns: list[str]) -> Any:
    """Return the sort key that keeps quantities together, in their first order, by number."""
    matches = {column: NUMBERED.fullmatch(column) for column in columns}
    stems = {c: m["quantity"] if m else c for c, m in matches.items()}
    rank = {stem: index for index, stem in enumerate(dict.fromkeys(stems.values()))}
    last = {"train_loss": 1, "aux": 2, "sample_rollout": 3}
    return lambda column: (
        last.get(stems[column], 0),
        rank[stems[column]],
        int(match["number"]) if (match := matches[column]) else 0,
    )
