"""Lazy readers of one experiment, with all its seeds, whenever they were run."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
import zarr

from apexr._files._layout import WEIGHTS
from apexr._files._place import PathLike, place
from apexr.errors import StoreError
from apexr.store.study._join import along_seed, weights_along_seed
from apexr.store.study._study import Study, units_behind
from apexr.store.unit._codecs import UNSTORED_LIMIT
from apexr.store.unit._manifest import Unit
from apexr.store.unit._read import open_unit, refusing
from apexr.store.unit._zarr import checked_store


def open_experiment(path: PathLike | Study, experiment: str | None = None) -> xr.Dataset:
    """Return a stored result as a Dask-backed Dataset; only coordinates are loaded.

    An experiment of a study is read with all its seeds, whenever they were run.

    Parameters
    ----------
    path
        The store of one experiment, or a study.
    experiment
        The id of the experiment in a study, or its beginning where no other begins so.

    Raises
    ------
    StoreError
        If nothing is published there, if a file is missing or has another size than the manifest
        says, or if the store is newer than this apexr.
    """
    study = Study.at(path)
    unit = study.place if experiment is None else study.unit(study.full_id(experiment))
    result = along_seed([open_unit(part) for part in units_behind(unit)])
    result.encoding["source"] = str(unit)  # as xarray's own readers say where data are from
    return result


def read_weights(
    unit: PathLike, expected: Mapping[str, tuple[int, ...]] | None = None
) -> dict[str, np.ndarray]:
    """Return the stored weights: plain arrays by name; they lead with the seeds if there are more.

    Parameters
    ----------
    unit
        The store of one experiment, or an experiment of a study.
    expected
        The shapes of the arrays without seeds, which are compared before any array is read.

    Raises
    ------
    StoreError
        As for :func:`open_experiment`, and if arrays have other shapes than expected, or are
        declared and not there.
    """
    parts = [Unit.open(part).check_sizes() for part in units_behind(place(unit))]
    weights = [_weights_of(part, expected) for part in parts]
    return weights_along_seed(weights, [part.manifest.get("seeds", []) for part in parts])


def _weights_of(
    unit: Unit, expected: Mapping[str, tuple[int, ...]] | None
) -> dict[str, np.ndarray]:
    with refusing(str(unit.place)):
        root = zarr.open_group(checked_store(unit), mode="r", use_consolidated=True)
        group = root[WEIGHTS]
        members = group.members(max_depth=None) if isinstance(group, zarr.Group) else ()
        arrays = {name: node for name, node in members if isinstance(node, zarr.Array)}
    shapes = {name: array.shape for name, array in arrays.items()}
    if expected is not None and shapes:
        check_shapes(str(unit.place), shapes, expected, len(unit.manifest["seeds"]))
    if sum(map(_unstored, arrays.values())) > UNSTORED_LIMIT:
        raise StoreError(f"{unit.place}: refused, it declares weights that it does not hold")
    with refusing(str(unit.place)):
        return {name: np.asarray(array[...]) for name, array in arrays.items()}


def _unstored(array: zarr.Array[Any]) -> int:
    """Return the bytes of the chunks that are not there: they are filled with one number."""
    share = 1 - array.nchunks_initialized / max(1, array.nchunks)
    return int(array.nbytes * share)


def check_shapes(
    where: str,
    shapes: Mapping[str, tuple[int, ...]],
    expected: Mapping[str, tuple[int, ...]],
    num_seeds: int,
) -> None:
    """Check that weights are those of a network.

    Parameters
    ----------
    where
        The name in messages.
    shapes, expected
        The shapes that there are, and those of the network of one seed.
    num_seeds
        How many seeds the weights lead with, if there are several.

    Raises
    ------
    StoreError
        Naming an array that is missing, is none of the network, or has another shape.
    """
    for name in sorted({*shapes, *expected}):
        wanted, there = expected.get(name), shapes.get(name)
        if wanted is None or there is None:
            which = "lacks" if there is None else "has more than the network:"
            raise StoreError(f"{where}: not the weights of its experiment, {which} {name!r}")
        if there != (wanted if num_seeds == 1 else (num_seeds, *wanted)):
            raise StoreError(
                f"{where}: not the weights of its experiment, {name!r} has shape {there}, the"
                f" network {wanted}, for {num_seeds} seeds"
            )
