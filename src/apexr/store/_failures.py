"""Failures as data: the last error of each experiment of a study, and how often it was tried."""

from collections.abc import Mapping
from typing import Any

from apexr.store import _disk
from apexr.store._files import read_json, write_json
from apexr.store._layout import FAILURES, failure_path
from apexr.store._place import PathLike, at_once, entries, place


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
    before = read_json(path).get("attempts", 0) if path.is_file() else 0
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
    """Return the recorded failures of a study by experiment id."""
    folder = place(study) / FAILURES
    found = entries(folder)
    files = [path for path in found if path.suffix == ".json" and not path.name.startswith(".")]
    records = at_once(read_json, files, folder)
    return {path.stem: record for path, record in zip(files, records, strict=True)}


def forget_failure(study: PathLike, experiment: str) -> None:
    """Drop the record of an experiment that has succeeded after all."""
    path = failure_path(study, experiment)
    if path.exists():
        _disk.unlink(path)
