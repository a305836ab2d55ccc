"""Failures as data: the last error of each experiment of a study, and how often it was tried."""

from collections.abc import Mapping
from typing import Any

from apexr.errors import StoreError
from apexr.schema import CONFIG_COORDS
from apexr.store import _disk
from apexr.store._files import is_text, read_json, write_json
from apexr.store._layout import FAILURES, failure_path, is_id
from apexr.store._place import PathLike, Place, at_once, entries, place

DAMAGED_RECORD = "damaged"
"""Name of the error where a record cannot be read."""
_SUFFIX = ".json"


def record_failure(
    study: PathLike,
    experiment: str,
    error: BaseException,
    config: Mapping[str, Any],
    *,
    attempts: int = 1,
) -> None:
    """Note that an experiment failed; a second failure replaces the first and counts.

    Parameters
    ----------
    study, experiment
        Where, and the id.
    error
        What it failed with.
    config
        The experiment's labels, as JSON-able data.
    attempts
        How often it was tried.
    """
    path = failure_path(study, experiment)
    before = _record(path)["attempts"] if path.is_file() else 0
    write_json(
        path,
        {
            "id": experiment,
            "error": type(error).__name__,
            "message": str(error),
            "attempts": before + attempts,
            "config": dict(config),
        },
    )


def read_failures(study: PathLike) -> dict[str, dict[str, Any]]:
    """Return the recorded failures of a study by experiment id.

    A record that cannot be read has ``damaged`` in place of the error's name.
    """
    folder = place(study) / FAILURES
    names = (path for path in entries(folder) if path.suffix == _SUFFIX)
    files = [path for path in names if is_id(path.name.removesuffix(_SUFFIX))]
    records = at_once(_record, files, folder)
    return {record["id"]: record for record in records}


def _record(path: Place) -> dict[str, Any]:
    """Return a record of the form in which :func:`record_failure` writes it."""
    name = path.name.removesuffix(_SUFFIX)
    empty = {"id": name, "attempts": 0, "config": {}}
    try:
        held = read_json(path)
        config = held.get("config", {})
        whole = {
            **empty,
            "error": held["error"],
            "message": held["message"],
            "attempts": held.get("attempts", 0),
            "config": {key: value for key, value in config.items() if key in CONFIG_COORDS},
        }
        texts = [whole["error"], whole["message"], *whole["config"].values()]
        if not (all(map(is_text, texts)) and type(whole["attempts"]) is int):
            raise StoreError(f"{path}: not a record of a failure")
    except (StoreError, LookupError, AttributeError, TypeError) as error:
        return {**empty, "error": DAMAGED_RECORD, "message": str(error)}
    return whole


def forget_failure(study: PathLike, experiment: str) -> None:
    """Drop the record of an experiment that has succeeded after all."""
    path = failure_path(study, experiment)
    if path.is_there():
        _disk.unlink(path)
