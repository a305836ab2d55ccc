"""Lazy readers of a study: all experiments along one dimension, rollouts by grid.

``xr.open_dataset("study.zarr", engine="apexr")`` comes in here, too.
"""

import os
from collections.abc import Iterable, Mapping
from typing import Any

import xarray as xr
from xarray.backends import BackendEntrypoint

from apexr._files._place import PathLike, Place
from apexr.errors import SpecError, StoreError, warn
from apexr.store.study._experiment import open_experiment
from apexr.store.study._index import INDEX_FROM, open_indexed
from apexr.store.study._join import (
    along_experiment,
    along_seed,
    grid_key,
    group_names,
    on_grid,
    with_channels_counted,
    without_grid,
)
from apexr.store.study._study import Study
from apexr.store.unit._manifest import experiment_of
from apexr.store.unit._read import open_unit


def open_study(path: PathLike | Study) -> xr.Dataset:
    """Return all finished experiments as one Dask-backed Dataset along ``experiment``.

    Config coordinates (scenario, task, net, train, scenario_kwargs) lie along ``experiment``.
    Results of different extent (seeds, steps) are filled up with NaN, and a boolean coordinate
    such as ``has_time`` tells which labels an experiment has. An experiment has one row, with all
    its seeds, whenever they were run; rows stand in the order in which they were asked for.
    Rollouts are left out where the grids differ; see :func:`open_rollouts`.

    Raises
    ------
    StoreError
        If ``path`` is not a study or none of its experiments is finished.

    Warns
    -----
    ApexrWarning
        Naming the experiments that are damaged; the others are read.
    """
    study = Study.open(path)
    units = study.units()
    if len(units) > INDEX_FROM:
        return open_indexed(study, units)
    return join_experiments(_open_all(study, units))


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


def open_rollouts(path: PathLike | Study) -> xr.DataTree:
    """Return rollouts, references and initial states of a study, one group for each grid.

    Groups are named by dimension and points, such as ``1d_160``.
    """
    study = Study.open(path)
    groups: dict[tuple[Any, ...], dict[str, xr.Dataset]] = {}
    for name, ds in _open_all(study, study.units()).items():
        rollouts = ds.drop_vars([str(v) for v in ds.data_vars if not on_grid(ds[v])])
        used = {dim for array in rollouts.data_vars.values() for dim in array.dims}
        rollouts = rollouts.drop_dims([dim for dim in rollouts.dims if dim not in used])
        if rollouts.data_vars:
            groups.setdefault(grid_key(ds), {})[name] = rollouts
    names = group_names(groups)
    return xr.DataTree.from_dict(
        {names[key]: along_experiment(parts) for key, parts in groups.items()}
    )


def _open_all(study: Study, units: Iterable[Place]) -> dict[str, xr.Dataset]:
    """Return every experiment with all its seeds, by id."""
    opened: dict[str, list[xr.Dataset]] = {}
    damaged = []
    for unit in units:
        try:
            ds = open_unit(unit)
        except StoreError as error:
            damaged.append(str(error))
        else:
            opened.setdefault(experiment_of(ds.attrs, unit.name), []).append(ds)
    if damaged:
        warn("left out:\n" + "\n".join(damaged))
    if not opened:
        raise StoreError(f"{study}: no experiment is finished yet")
    return {name: along_seed(opened[name]) for name in study.notes.in_order(opened)}


# --- the door of xarray --------------------------------------------------------------------------


class ApexrBackend(BackendEntrypoint):
    """Opens a study, joined along ``experiment``, or a single experiment."""

    description = "Studies and experiments of apexr"
    url = "https://github.com/apexr/apexr"
    open_dataset_parameters = ("filename_or_obj", "drop_variables")

    def open_dataset(
        self, filename_or_obj: Any, *, drop_variables: str | Iterable[str] | None = None
    ) -> xr.Dataset:
        """Return a study as :func:`apexr.open_study` does, or an experiment.

        Raises
        ------
        SpecError
            If what is given is no path.
        StoreError
            If nothing of apexr is there.
        """
        if not isinstance(filename_or_obj, str | os.PathLike):
            raise SpecError(f"a store is named by its path, got {type(filename_or_obj).__name__}")
        study = Study.at(filename_or_obj)
        ds = open_study(study) if study.is_there() else open_experiment(study.place)
        dropped = [drop_variables] if isinstance(drop_variables, str) else [*(drop_variables or ())]
        return ds.drop_vars(dropped, errors="ignore")

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Return False: a single experiment is a Zarr group, which others open, too."""
        return False
