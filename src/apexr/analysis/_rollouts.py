"""Rollouts as whole trajectories: the initial state as frame 0, then the predictions."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr

from apexr.analysis._numbered import melt_wide
from apexr.analysis._select import (
    BASE_COLUMNS,
    Data,
    by_seed,
    config_columns,
    experiments,
    leaves,
    pick,
)
from apexr.errors import MissingVariableError
from apexr.schema import CONFIG_COORDS


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
