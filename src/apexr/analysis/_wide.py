"""The wide table: one row a seed, one column a number."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from apexr.analysis._entries import with_worst
from apexr.analysis._numbered import NUMBERED
from apexr.analysis._rollouts import frames
from apexr.analysis._select import (
    Data,
    by_seed,
    config_columns,
    experiments,
    leaves,
    missing,
)
from apexr.schema import CONFIG_COORDS, metric_curves, record_dim, step_dim

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
