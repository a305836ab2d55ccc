"""Publishing: an experiment comes into sight whole, by one rename, or not at all."""

import uuid
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec

from apexr.errors import StoreError
from apexr.schema import SCHEMA_VERSION, chunk_shape, validate
from apexr.store._failures import forget_failure
from apexr.store._files import (
    exchange,
    make_folder,
    move_in,
    read_json,
    scratch,
    sync_tree,
    write_json,
)
from apexr.store._layout import (
    DATA,
    MANIFEST,
    ORDER,
    STUDY,
    WEIGHTS,
    PathLike,
    check_writable,
    in_study,
    is_published,
    is_study,
    staging_folder,
)
from apexr.store._manifest import check_version, make_manifest, read_manifest, result_labels

STUDY_FORMAT = "apexr-study"
CODECS = (ZstdCodec(level=3), Crc32cCodec())


class ConflictError(StoreError):
    """Another result is published at this place already."""


def create_study(path: PathLike) -> None:
    """Make an empty study, or do nothing where one exists.

    Raises
    ------
    StoreError
        If the path holds something else or cannot be written.
    """
    check_writable(path, "study")
    marker = Path(path) / STUDY
    if is_study(path):
        check_version(marker, read_json(marker), STUDY_FORMAT)
        return
    write_json(marker, {"format": STUDY_FORMAT, "schema_version": SCHEMA_VERSION})


def publish_experiment(
    ds: xr.Dataset,
    weights: Mapping[str, np.ndarray],
    unit_path: PathLike,
    overwrite: bool = False,
) -> Path:
    """Write a result and the weights of its networks, durably; return the unit's path.

    Everything is written aside, synced to disk and renamed into place. Where an equal result is
    published already, that is success.

    Parameters
    ----------
    ds
        A result that fits the schema.
    weights
        Plain arrays by name; ``/`` in a name makes a group.
    unit_path
        The folder of a single experiment, or ``unit_path(study, id)`` in a study.
    overwrite
        Whether to replace a different result.

    Raises
    ------
    SchemaError
        If the Dataset does not fit the schema.
    ConflictError
        If another result is published there and ``overwrite`` is false.
    StoreError
        If the path holds something else or cannot be written.
    """
    unit = Path(unit_path).absolute()
    validate(ds)
    check_writable(unit)
    try:
        _publish(ds.compute(), weights, unit, overwrite)
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(f"{unit}: not published, {error}") from error
    return unit


def _publish(
    ds: xr.Dataset, weights: Mapping[str, np.ndarray], unit: Path, overwrite: bool
) -> None:
    with scratch(staging_folder(unit, uuid.uuid4().hex)) as folder:
        _write_data(ds, weights, folder / DATA if in_study(unit) else folder)
        if not bring_in(folder, unit, make_manifest(result_labels(ds), folder)):
            _settle(folder, unit, overwrite)
    if in_study(unit):
        forget_failure(unit.parent.parent, unit.name)


def bring_in(folder: Path, unit: Path, manifest: Mapping[str, Any]) -> bool:
    """Complete a written folder, durably, and rename it to ``unit`` unless that exists."""
    write_json(folder / MANIFEST, manifest)
    sync_tree(folder)
    make_folder(unit.parent)
    return move_in(folder, unit)


def _settle(folder: Path, unit: Path, overwrite: bool) -> None:
    """Decide between a result just written and the one that is there already."""
    if overwrite:
        exchange(folder, unit)
    elif not is_published(unit):
        raise StoreError(f"{unit}: holds something else, not an apexr experiment")
    elif (old := read_manifest(unit)["files"]) != (new := read_manifest(folder)["files"]):
        names = [name for name in {*old, *new} if old.get(name) != new.get(name)]
        raise ConflictError(
            f"{unit}: another result is published here ({len(names)} files differ, such as "
            f"{min(names)}); use overwrite=True or another path"
        )


# --- writing ---------------------------------------------------------------------------------


def _write_data(ds: xr.Dataset, weights: Mapping[str, np.ndarray], folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        bare = ds.drop_encoding().assign_attrs({ORDER: [str(name) for name in ds.data_vars]})
        bare.to_zarr(folder, mode="w", zarr_format=3, consolidated=False, encoding=encoding(bare))
        _write_weights(weights, folder)
        zarr.consolidate_metadata(folder)


def encoding(ds: xr.Dataset) -> dict[str, dict[str, object]]:
    """Return how each variable is compressed and cut into chunks."""
    return {
        str(name): {
            "compressors": CODECS,
            "chunks": chunk_shape(
                [str(dim) for dim in variable.dims], variable.shape, variable.dtype.itemsize
            ),
        }
        for name, variable in ds.variables.items()
    }


def _write_weights(weights: Mapping[str, np.ndarray], folder: Path) -> None:
    group = zarr.open_group(folder, mode="r+").create_group(WEIGHTS)
    for name, values in weights.items():
        array = np.asarray(values)
        if array.dtype.kind not in "biufc" or any(p in ("", ".", "..") for p in name.split("/")):
            raise StoreError(f"weights: cannot store {name!r} of type {array.dtype}")
        dims = [f"{name}_{axis}" for axis in range(array.ndim)]
        group.create_array(name, data=array, compressors=CODECS, dimension_names=dims)
