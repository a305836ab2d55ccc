"""Lazy readers of a study: all experiments along one dimension, rollouts by grid."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from apexr.errors import StoreError, warn
from apexr.schema import CONFIG_COORDS, COORDINATES, SPATIAL_DIMS, presence_name, step_dim
from apexr.store._along_seed import along_seed
from apexr.store._files import read_json
from apexr.store._layout import EXPERIMENTS, STUDY, PathLike, check_id, is_study
from apexr.store._manifest import check_version
from apexr.store._parts import experiment_of
from apexr.store._publish import STUDY_FORMAT
from apexr.store._read import open_unit

_JOINED = ("seed", "update_step", "time", "test_sample", "parameter")


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
    parts = _open_all(path)
    if len({grid_key(ds) for ds in parts.values()}) > 1:
        parts = {name: _without_grid(ds) for name, ds in parts.items()}
    return _along_experiment(parts)


def open_rollouts(path: PathLike) -> xr.DataTree:
    """Return rollouts, references and initial states of a study, one group for each grid.

    Groups are named by dimension and points, such as ``1d_160``.
    """
    groups: dict[tuple[Any, ...], dict[str, xr.Dataset]] = {}
    for name, ds in _open_all(path).items():
        rollouts = ds.drop_vars([str(v) for v in ds.data_vars if not _on_grid(ds[v])])
        used = {dim for array in rollouts.data_vars.values() for dim in array.dims}
        rollouts = rollouts.drop_dims([dim for dim in rollouts.dims if dim not in used])
        if rollouts.data_vars:
            groups.setdefault(grid_key(ds), {})[name] = rollouts
    names = _group_names(groups)
    return xr.DataTree.from_dict(
        {names[key]: _along_experiment(parts) for key, parts in groups.items()}
    )


# --- opening ---------------------------------------------------------------------------------


def check_study(path: PathLike) -> None:
    """Check that a folder is a study that this apexr can read.

    Raises
    ------
    StoreError
        If it is none, or a newer one.
    """
    if not is_study(path):
        raise StoreError(f"{path}: not an apexr study (no {STUDY})")
    marker = Path(path) / STUDY
    check_version(marker, read_json(marker), STUDY_FORMAT)


def units_of(path: PathLike) -> list[Path]:
    """Return the units of a study, in the order of their names."""
    folder = Path(path).absolute() / EXPERIMENTS
    units = sorted(folder.iterdir()) if folder.is_dir() else []
    for unit in units:
        check_id(unit.name)
    return units


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
    return {name: along_seed(sorted(opened[name], key=_first_seeds)) for name in sorted(opened)}


def _first_seeds(ds: xr.Dataset) -> list[int]:
    return ds["seed"].values.tolist() if "seed" in ds.coords else []


# --- joining ---------------------------------------------------------------------------------


def grid_key(ds: xr.Dataset) -> tuple[Any, ...]:
    """Return what two results share when their rollouts can lie in one array."""
    axes = [ds[dim] for dim in SPATIAL_DIMS if dim in ds.coords]
    channels = tuple(ds["channel"].values.tolist()) if "channel" in ds.coords else ()
    return (*((axis.size, axis.attrs.get("extent")) for axis in axes), channels)


def _group_names(keys: Iterable[tuple[Any, ...]]) -> dict[tuple[Any, ...], str]:
    names: dict[tuple[Any, ...], str] = {}
    for key in keys:
        stem = f"{len(key) - 1}d_{key[0][0]}"
        taken = sum(name == stem or name.startswith(f"{stem}_") for name in names.values())
        names[key] = f"{stem}_{taken + 1}" if taken else stem
    return names


def _on_grid(array: xr.DataArray) -> bool:
    return any(dim in SPATIAL_DIMS for dim in array.dims)


def _without_grid(ds: xr.Dataset) -> xr.Dataset:
    grid = [dim for dim in (*SPATIAL_DIMS, "channel", "sample") if dim in ds.dims]
    return ds.drop_dims(grid)


def _along_experiment(parts: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Join results along ``experiment``, lazily; see :func:`open_study`."""
    labels = {dim: _labels(dim, parts.values()) for dim in _joined(parts.values())}
    rows = [_as_row(name, ds, labels) for name, ds in parts.items()]
    joined = xr.concat(
        rows,
        dim="experiment",
        join="outer",
        data_vars="all",
        coords="different",
        compat="equals",
        combine_attrs="drop_conflicts",
    )
    complete = [n for n in map(presence_name, labels) if n in joined and joined[n].all()]
    return joined.drop_vars(complete)


def _joined(parts: Iterable[xr.Dataset]) -> list[str]:
    """Return the dimensions along which results may differ: steps of callbacks are among them."""
    own = (str(dim) for ds in parts for dim in ds.dims if str(dim).startswith(step_dim("")))
    return list(dict.fromkeys((*_JOINED, *own)))


def _labels(dim: str, parts: Iterable[xr.Dataset]) -> np.ndarray:
    found = [ds[dim].values for ds in parts if dim in ds.coords]
    return np.unique(np.concatenate(found)) if found else np.array([], dtype=np.int64)


def _as_row(name: str, ds: xr.Dataset, labels: Mapping[str, np.ndarray]) -> xr.Dataset:
    """Return one result as a row of the study: config and presence along ``experiment``."""
    config = {c: ("experiment", [ds[c].item()], ds[c].attrs) for c in CONFIG_COORDS if c in ds}
    presence = {
        presence_name(dim): (("experiment", dim), _held(ds, dim, all_labels)[None])
        for dim, all_labels in labels.items()
        if len(all_labels)
    }
    absent = {dim: at for dim, at in labels.items() if len(at) and dim not in ds.coords}
    wide = ds.reindex({dim: at for dim, at in labels.items() if dim in ds.coords})
    wide = wide.assign_coords(absent).drop_vars(config)
    row = wide.expand_dims(experiment=np.array([name], dtype=object))
    row["experiment"].attrs.update(COORDINATES["experiment"].attrs)
    return row.assign_coords({**_text(config), **presence})


def _held(ds: xr.Dataset, dim: str, labels: np.ndarray) -> np.ndarray:
    """Tell which of the labels a result has."""
    return np.isin(labels, ds[dim].values) if dim in ds.coords else np.zeros(len(labels), bool)


def _text(config: Mapping[str, tuple[str, list[str], dict[str, Any]]]) -> dict[str, xr.Variable]:
    return {
        name: xr.Variable(dim, np.array(values, dtype=object), attrs)
        for name, (dim, values, attrs) in config.items()
    }
