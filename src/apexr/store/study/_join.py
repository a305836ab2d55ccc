"""Joining results: the seeds of one experiment, and experiments along ``experiment``.

Experiments of different extent are filled up, and it says where.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr._digest import SEED_KEYS, canonical_json, experiment_id
from apexr.errors import StoreError
from apexr.schema import (
    CONFIG_COORDS,
    COORDINATES,
    SPATIAL_DIMS,
    identifier,
    metric_identifiers,
    metric_names,
    presence_name,
    step_dim,
)

JOINED = ("seed", "update_step", "time", "test_sample", "parameter")
GRID_DIMS = (*SPATIAL_DIMS, "channel", "sample")
_COMMON = "common_parameters"


def grid_key(ds: xr.Dataset) -> tuple[Any, ...]:
    """Return what two results share when their rollouts can lie in one array."""
    axes = [ds[dim] for dim in SPATIAL_DIMS if dim in ds.coords]
    channels = tuple(ds["channel"].values.tolist()) if "channel" in ds.coords else ()
    return (*((axis.size, axis.attrs.get("extent")) for axis in axes), channels)


def group_names(keys: Iterable[tuple[Any, ...]]) -> dict[tuple[Any, ...], str]:
    """Return a name for each grid, by dimension and points."""
    names: dict[tuple[Any, ...], str] = {}
    for key in keys:
        stem = f"{len(key) - 1}d_{key[0][0]}"
        taken = sum(name == stem or name.startswith(f"{stem}_") for name in names.values())
        names[key] = f"{stem}_{taken + 1}" if taken else stem
    return names


def on_grid(array: xr.DataArray) -> bool:
    """Tell whether a variable holds fields."""
    return any(dim in SPATIAL_DIMS for dim in array.dims)


def without_grid(ds: xr.Dataset) -> xr.Dataset:
    """Return a result without fields and the dimensions that only they have."""
    grid = [dim for dim in GRID_DIMS if dim in ds.dims]
    return ds.drop_dims(grid)


def with_channels_counted(study: xr.Dataset, counts: Sequence[int]) -> xr.Dataset:
    """Return a study without fields that says how many channels the states of each have."""
    attrs = COORDINATES["num_channels"].attrs
    return study.assign_coords(num_channels=("experiment", np.asarray(counts), attrs))


def along_experiment(parts: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Join results along ``experiment``, lazily; see :func:`apexr.open_study`."""
    return without_complete(filled_up(parts))


def filled_up(parts: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Join results along ``experiment``; presence coordinates tell what is filling."""
    parts = kept_apart(parts)
    labels = all_labels(parts.values())
    return concat([_as_row(name, ds, labels) for name, ds in parts.items()])


def kept_apart(parts: Mapping[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """Return results in which one name means one thing.

    The errors per trajectory of ``mean_nRMSE`` are called ``nRMSE``; where another result holds a
    metric of that name, they get the name that they have in a result of both.
    """
    means = {name for ds in parts.values() for name in metric_identifiers(ds)}
    return {key: ds.rename(_clashes(ds, means)) for key, ds in parts.items()}


def _clashes(ds: xr.Dataset, means: Collection[str]) -> dict[str, str]:
    configs = {str(name): str(array.attrs.get("config", "")) for name, array in ds.items()}
    return {n: name_beside(n, told) for n, told in configs.items() if is_twin(n, told, means)}


def is_twin(name: str, config: str, means: Collection[str]) -> bool:
    """Tell whether a variable is of each trajectory, under a name that means are called, too."""
    return name in means and bool(config) and identifier(config) != name


def name_beside(name: str, config: str) -> str:
    """Return the name of the errors per trajectory of a metric of their usual name."""
    return metric_names([config, name])[config][1]


def all_labels(parts: Collection[xr.Dataset]) -> dict[str, np.ndarray]:
    """Return every label along the dimensions in which results may differ.

    The steps of callbacks are among these dimensions.
    """
    own = (str(dim) for ds in parts for dim in ds.dims if str(dim).startswith(step_dim("")))
    return {dim: _labels(dim, parts) for dim in dict.fromkeys((*JOINED, *own))}


def concat(rows: Sequence[xr.Dataset]) -> xr.Dataset:
    """Join rows of a study along ``experiment``."""
    return xr.concat(
        _of_the_same_coordinates(rows),
        dim="experiment",
        join="outer",
        data_vars="all",
        coords="different",
        compat="equals",
        combine_attrs=agreed,
    )


def _of_the_same_coordinates(rows: Sequence[xr.Dataset]) -> list[xr.Dataset]:
    """Return rows with all coordinates that one of them has: NaN where a row has none.

    Physical times are such: results of recorded data may have none.
    """
    known = {name: coord for row in rows for name, coord in row.coords.items()}
    return [row.assign_coords(_absent(row, known)) for row in rows]


def _absent(row: xr.Dataset, known: Mapping[Any, xr.DataArray]) -> dict[Any, xr.Variable]:
    missing = {name: coord for name, coord in known.items() if name not in row.coords}
    filling = {}
    for name, coord in missing.items():
        dims = tuple(dim for dim in coord.dims if dim != "experiment")
        if all(dim in row.dims for dim in dims):
            shape = tuple(row.sizes[dim] for dim in dims)
            is_text = coord.dtype.kind in "OU"
            nothing = np.full(shape, "" if is_text else np.nan, object if is_text else float)
            filling[name] = xr.Variable(dims, nothing, coord.attrs)
    return filling


def agreed(attrs: Sequence[Mapping[str, Any]], context: object = None) -> dict[str, Any]:
    """Return the attributes that all have, with the same value.

    Where specifications differ, ``common_parameters`` has the parameters of the scenario that all
    share: those at their defaults stand in no other label. It does not matter in which order, or in
    how many steps, results are joined.
    """
    first, *others = attrs or ({},)
    kept = {
        key: value
        for key, value in first.items()
        if all(key in one and _same(value, one[key]) for one in others)
    }
    if others and "specification" not in kept:
        shared = _shared([_parameters(one) for one in attrs])
        kept.pop(_COMMON, None)
        if shared:
            kept[_COMMON] = json.dumps(shared, sort_keys=True)
    return kept


def _parameters(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of the scenario that attributes tell, none of a stranger's."""
    try:
        told = json.loads(str(attrs.get("specification", "{}"))).get("parameters")
        told = told or json.loads(str(attrs.get(_COMMON, "{}")))
    except (ValueError, AttributeError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _shared(every: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first, *others = every
    return {k: v for k, v in first.items() if all(k in o and o[k] == v for o in others)}


def _same(a: object, b: object) -> bool:
    return a is b or bool(np.array_equal(a, b))  # type: ignore[arg-type]


def without_complete(joined: xr.Dataset) -> xr.Dataset:
    """Drop the presence coordinates that are true throughout: nothing has been filled up there."""
    names = [presence_name(str(dim)) for dim in joined.dims]
    return joined.drop_vars([n for n in names if n in joined.coords and joined[n].all()])


def with_labels(ds: xr.Dataset, labels: Mapping[str, np.ndarray]) -> xr.Dataset:
    """Return a result, or several, filled up to all labels."""
    absent = {dim: at for dim, at in labels.items() if len(at) and dim not in ds.coords}
    there = {dim: at for dim, at in labels.items() if dim in ds.coords}
    fewer = {dim: at for dim, at in there.items() if not np.array_equal(ds[dim].values, at)}
    wide = ds.reindex(fewer) if fewer else ds
    return wide.assign_coords(absent) if absent else wide


def _labels(dim: str, parts: Iterable[xr.Dataset]) -> np.ndarray:
    found = [ds[dim].values for ds in parts if dim in ds.coords]
    return np.unique(np.concatenate(found)) if found else np.array([], dtype=np.int64)


def _as_row(name: str, ds: xr.Dataset, labels: Mapping[str, np.ndarray]) -> xr.Dataset:
    """Return one result as a row of the study: config and presence along ``experiment``."""
    config = {c: ("experiment", [ds[c].item()], ds[c].attrs) for c in CONFIG_COORDS if c in ds}
    presence = {
        presence_name(dim): (("experiment", dim), held(ds, dim, known)[None])
        for dim, known in labels.items()
        if len(known)
    }
    wide = with_labels(ds, labels).drop_vars(config)
    row = wide.expand_dims(experiment=np.array([name], dtype=object))
    row["experiment"].attrs.update(COORDINATES["experiment"].attrs)
    return row.assign_coords({**_text(config), **presence})


def held(ds: xr.Dataset, dim: str, labels: np.ndarray) -> np.ndarray:
    """Tell which of the labels a result has."""
    return np.isin(labels, ds[dim].values) if dim in ds.coords else np.zeros(len(labels), bool)


def _text(config: Mapping[str, tuple[str, list[str], dict[str, Any]]]) -> dict[str, xr.Variable]:
    return {
        name: xr.Variable(dim, np.array(values, dtype=object), attrs)
        for name, (dim, values, attrs) in config.items()
    }


# --- along seed ----------------------------------------------------------------------------------

_SECONDS = "_seconds"


def along_seed(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return one result from results of the same experiment for other seeds, seeds in order.

    A seed that several parts hold is taken from the first of them. Times that a part spent on all
    its seeds together are added up; what does not depend on the seed is taken from the first part;
    attributes in which the parts differ are left out.

    Raises
    ------
    StoreError
        If the parts do not fit together.
    """
    if len(parts) == 1:
        return parts[0]
    parts = sorted(parts, key=_seeds)
    try:
        joined = xr.concat(
            _own_seeds(parts),
            dim="seed",
            data_vars="minimal",
            coords="minimal",
            compat="override",
            join="outer",
            combine_attrs="drop_conflicts",
        )
    except ValueError as error:
        raise StoreError(f"parts of one experiment do not fit together: {error}") from error
    joined = joined.assign(_total_seconds(parts))[list(parts[0].data_vars)]
    return _in_order(joined).assign_attrs(_identity(parts[0]))


def weights_along_seed(
    parts: Sequence[Mapping[str, np.ndarray]], seeds: Sequence[Sequence[int]]
) -> dict[str, np.ndarray]:
    """Return the weights of all seeds, leading with them, as :func:`along_seed` orders them.

    Parameters
    ----------
    parts
        The weights of each part; those of a single seed do not lead with it.
    seeds
        The seeds of each part.
    """
    if len(parts) == 1:
        return dict(parts[0])
    leading = [
        {name: values[None] if len(held) == 1 else values for name, values in part.items()}
        for part, held in zip(parts, seeds, strict=True)
    ]
    _, first = np.unique(np.concatenate([np.asarray(held) for held in seeds]), return_index=True)
    return {name: np.concatenate([part[name] for part in leading])[first] for name in leading[0]}


def _seeds(part: xr.Dataset) -> list[int]:
    return part["seed"].values.tolist() if "seed" in part.coords else []


def _own_seeds(parts: Sequence[xr.Dataset]) -> list[xr.Dataset]:
    """Return the parts without the seeds that a part before them holds."""
    taken: set[int] = set()
    kept = []
    for part in parts:
        seeds = part["seed"].values.tolist()
        own = [index for index, seed in enumerate(seeds) if seed not in taken]
        taken.update(seeds)
        if own:
            kept.append(part if len(own) == len(seeds) else part.isel(seed=own))
    return kept


def _total_seconds(parts: Sequence[xr.Dataset]) -> dict[str, xr.DataArray]:
    """Return the times that each part has one number of, added up."""
    names = [str(name) for name in parts[0].data_vars if str(name).endswith(_SECONDS)]
    shared = [n for n in names if all(n in part and not part[n].dims for part in parts)]
    return {
        name: sum((part[name] for part in parts[1:]), parts[0][name]).assign_attrs(
            parts[0][name].attrs
        )
        for name in shared
    }


def _in_order(joined: xr.Dataset) -> xr.Dataset:
    order = np.argsort(joined["seed"].values, kind="stable")
    ordered = np.array_equal(order, np.arange(order.size))
    return joined if ordered else joined.isel(seed=order)


def _identity(part: xr.Dataset) -> dict[str, str]:
    """Return the attributes that say which experiment it is, whatever its seeds."""
    if "specification" not in part.attrs:
        return {}
    held = json.loads(part.attrs["specification"])
    bare = {key: value for key, value in held.items() if key not in SEED_KEYS}
    return {"experiment_id": experiment_id(held), "specification": canonical_json(bare)}
