"""Lazy readers of a study: all experiments along one dimension, rollouts by grid, a table."""

from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from apexr.errors import StoreError, warn
from apexr.schema import CONFIG_COORDS
from apexr.store._failures import read_failures
from apexr.store._index import INDEX_FROM, open_indexed
from apexr.store._join import along_experiment, grid_key, group_names, on_grid, without_grid
from apexr.store._layout import PathLike
from apexr.store._manifest import read_manifest
from apexr.store._read import open_experiment
from apexr.store._units import check_study, units_of


def open_study(path: PathLike) -> xr.Dataset:
    """Return all finished experiments as one Dask-backed Dataset along ``experiment``.

    Config coordinates (scenario, task, net, train, scenario_kwargs) lie along ``experiment``.
    Results of different extent (seeds, steps) are filled up with NaN, and a boolean coordinate
    such as ``has_time`` tells which labels an experiment has. Rollouts are left out where the
    grids differ; see :func:`open_rollouts`.

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
        return open_indexed(Path(path).absolute(), units)
    parts = _open_all(path)
    if len({grid_key(ds) for ds in parts.values()}) > 1:
        parts = {name: without_grid(ds) for name, ds in parts.items()}
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


def list_experiments(path: PathLike) -> pd.DataFrame:
    """Return a table of a study's experiments, from their manifests and failure records alone.

    Columns: ``id``, ``state`` (finished, damaged or failed), the config coordinates, ``seeds``,
    ``num_diverged``, ``bytes``, ``error``.
    """
    check_study(path)
    failures = read_failures(path)
    finished = {unit.name: _row(unit) for unit in units_of(path)}
    failed = {
        name: {
            "id": name,
            "state": "failed",
            **record.get("config", {}),
            "error": f"{record.get('error')}: {record.get('message')}",
        }
        for name, record in failures.items()
        if name not in finished
    }
    columns = ["id", "state", *CONFIG_COORDS, "seeds", "num_diverged", "bytes", "error"]
    return pd.DataFrame([*finished.values(), *failed.values()], columns=columns)


def _row(unit: Path) -> dict[str, Any]:
    try:
        manifest = read_manifest(unit)
    except StoreError as error:
        return {"id": unit.name, "state": "damaged", "error": str(error)}
    return {
        "id": unit.name,
        "state": "finished",
        **manifest["config"],
        "seeds": manifest["seeds"],
        "num_diverged": manifest.get("num_diverged", 0),
        "bytes": sum(entry["size"] for entry in manifest["files"].values()),
        "error": "",
    }


# --- opening ---------------------------------------------------------------------------------


def _open_all(path: PathLike) -> dict[str, xr.Dataset]:
    check_study(path)
    opened, damaged = {}, []
    for unit in units_of(path):
        try:
            opened[unit.name] = open_experiment(unit)
        except StoreError as error:
            damaged.append(str(error))
    if damaged:
        warn("left out:\n" + "\n".join(damaged))
    if not opened:
        raise StoreError(f"{path}: no experiment is finished yet")
    return opened
