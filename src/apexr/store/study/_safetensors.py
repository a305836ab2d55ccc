"""Weights in the safetensors format, which other frameworks read."""

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from apexr._files._durable import is_seeds, make_folder
from apexr._files._place import PathLike, place
from apexr.errors import SpecError, StoreError, needs
from apexr.schema import CONFIG_COORDS
from apexr.store.study._experiment import open_experiment, read_weights

SUFFIX = ".safetensors"
"""How a file of weights for other frameworks ends."""
_TOLD = ("specification", "experiment_id", "apexr_version", "precision")


def export_safetensors(unit: PathLike, path: PathLike) -> Path:
    """Write the weights of a stored experiment to a file; return its path.

    Its metadata say which experiment it is, so that :func:`apexr.load_networks` reads it.

    Raises
    ------
    MissingExtraError
        If the package safetensors is not installed.
    SpecError
        If the path does not end in ``.safetensors``.
    StoreError
        If nothing is published at ``unit``, or the file cannot be written.
    """
    target = Path(path).absolute()
    if target.suffix != SUFFIX:
        raise SpecError(f"a file of weights must end in {SUFFIX}, got {str(path)!r}")
    package, save_file = _package("safetensors"), _package("safetensors.numpy").save_file
    held = open_experiment(unit)
    told = {name: held.attrs[name] for name in _TOLD if name in held.attrs}
    told |= {name: held[name].item() for name in CONFIG_COORDS}
    told["seeds"] = json.dumps(held["seed"].values.tolist())
    arrays = {name: np.ascontiguousarray(array) for name, array in read_weights(unit).items()}
    try:
        make_folder(place(target.parent))
        save_file(arrays, target, {name: str(value) for name, value in told.items()})
    except (OSError, package.SafetensorError) as error:
        raise StoreError(f"{target}: cannot be written ({error})") from error
    return target


def read_safetensors(path: PathLike) -> tuple[dict[str, np.ndarray], Mapping[str, str]]:
    """Return the weights and the metadata of a file.

    Raises
    ------
    MissingExtraError
        If the package safetensors is not installed.
    StoreError
        If the file cannot be read.
    """
    package = _package("safetensors")
    try:
        with package.safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return arrays, file.metadata() or {}
    except (OSError, ValueError, package.SafetensorError) as error:
        raise StoreError(f"{path}: cannot be read ({error})") from error


def seeds_of_file(path: PathLike, told: Mapping[str, str]) -> list[int]:
    """Return the seeds of which a file of weights says that it holds them.

    Raises
    ------
    StoreError
        If it does not say it.
    """
    try:
        seeds = json.loads(told["seeds"])
    except (LookupError, ValueError, RecursionError):
        seeds = None
    if not (seeds and is_seeds(seeds)):
        raise StoreError(f"{path}: does not say of which seeds its weights are")
    return [*seeds]


def _package(name: str) -> Any:
    with needs("safetensors", "safetensors files need"):
        return importlib.import_module(name)
