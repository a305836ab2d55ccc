"""Lazy readers of a study: all experiments along one dimension, rollouts by grid."""

from collections.abc import Mapping
from typing import Any

import xarray as xr

from apexr.errors import StoreError, warn
from apexr.store._along_seed import along_seed
from apexr.store._index import INDEX_FROM, open_indexed
from apexr.store._join import (
    along_experiment,
    grid_key,
    group_names,
    on_grid,
    with_channels_counted,
    without_grid,
)
from apexr.store._parts import experiment_of
from apexr.store._place import PathLike, place
from apexr.store._read import open_unit
from apexr.store._units import check_study, units_of


def open_study(path: PathLike) -> xr.Dataset:
    """Return all finished experiments as one Dask-backed Dataset along ``experiment``.

    Config coordinates (scenario, task, net, train, scenario_kwargs) lie along ``experiment``.
    Results of different extent (seeds, steps) are filled up with NaN, and a boolean coordinate
    such as ``has_time`` tells which labels an experiment has. An experiment has one row, with all
    its seeds, whenever they were run. Rollouts are left out where the grids differ; see
    :func:`open_rollouts`.

    Raises
    ------
    StoreError
        If ``path`` is not a study or none of its experiments is finished.

    Warns
    -----
    ApexrWarning
        Naming the experiments that are damaged; the others are read.
    """
    check_study(path)
    if len(units := units_of(path)) > INDEX_FROM:
        return open_indexed(place(path), units)
    return join_experiments(_open_all(path))


def join_experiments(parts: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Return results by id as one Dataset along ``experiment``, as :func:`open_study` does.

    Parameters
    ----------
    parts
        At least one result, such as :func:`open_experiment` returns, by its id.
    """
    fields = any(on_grid(array) for ds in parts.values() for array in ds.data_vars.values())
    if fields and len({grid_key(ds) for ds in parts.values()}) > 1:
        counts = [ds.sizes.get("channel", 1) for ds in parts.values()]
        bare = {name: without_grid(ds) for name, ds in parts.items()}
        return with_channels_counted(along_experiment(bare), counts)
    return along_experiment(parts)


def open_rollouts(path: PathLike) -> xr.DataTree:
    """Return rollouts, references and initial states of a study, one group for each grid.

    Groups are named by dimension and points, such as ``1d_160``.
    """
    groups: dict[tuple[Any, ...], dict[str, xr.Dataset]] = {}
    for name, ds in _open_all(path).items():
        rollouts = ds.drop_vars([str(v) for v in ds.data_vars if not on_grid(ds[v])])
        used = {dim for array in rollouts.data_vars.values() for dim in array.dims}
        rollouts = rollouts.drop_dims([dim for dim in rollouts.dims if dim not in used])
        if rollouts.data_vars:
            groups.setdefault(grid_key(ds), {})[name] = rollouts
    names = group_names(groups)
    return xr.DataTree.from_dict(
        {names[key]: along_experiment(parts) for key, parts in groups.items()}
    )


def _open_all(path: PathLike) -> dict[str, xr.Dataset]:
    """Return every experiment with all its seeds, by id."""
    check_study(path)
    opened: dict[str, list[xr.Dataset]] = {}
    damaged = []
    for unit in units_of(path):
        try:
            ds = open_unit(unit)
        except StoreError as error:
            damaged.append(str(error))
        else:
            opened.setdefault(experiment_of(ds.attrs, unit), []).append(ds)
    if damaged:
        warn("left out:\n" + "\n".join(damaged))
    if not opened:
        raise StoreError(f"{path}: no experiment is finished yet")
    return {name: along_seed(opened[name]) for name in sorted(opened)}
