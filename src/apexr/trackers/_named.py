"""Trackers by name: in a call, and in the table ``trackers`` of a study."""

import importlib
from collections.abc import Iterable, Mapping
from typing import Any

from apexr.errors import SpecError, suggest
from apexr.trackers._kind import Logger, Watcher
from apexr.trackers._loggers import MLflow, TensorBoard, WandB
from apexr.training import check_trackers

LOGGERS: Mapping[str, Any] = {"tensorboard": TensorBoard, "mlflow": MLflow, "wandb": WandB}
"""The loggers that have a name."""


def as_trackers(trackers: Any) -> tuple[Watcher, ...]:
    """Return trackers after a look at them; those that are given by name are made.

    Parameters
    ----------
    trackers
        Hooks, loggers and names: ``"tensorboard"``, ``"mlflow"``, ``"wandb"``, or an import path
        ``"package.module:name"`` of a logger, of its class, or of a function that returns one.

    Raises
    ------
    SpecError
        If one is none of these.
    MissingExtraError
        If the library of one is not installed.
    """
    if isinstance(trackers, str | Mapping) or not isinstance(trackers, Iterable):
        return check_trackers(trackers)  # which refuses it
    named = [_made(one, {}, allow_python=True) if isinstance(one, str) else one for one in trackers]
    return tuple(one if _is_logger(one) else check_trackers([one])[0] for one in named)


def read_trackers(table: Any, *, allow_python: bool) -> tuple[Watcher, ...]:
    """Return the trackers that a table names; the options of each stand in a table of its own.

    Parameters
    ----------
    table
        Such as ``{"tensorboard": {"folder": "runs"}}``.
    allow_python
        Whether an import path may be a name: what stands there is run.

    Raises
    ------
    SpecError
        For a wrong name or option.
    MissingExtraError
        If the library of one is not installed.
    """
    if not isinstance(table, Mapping):
        raise SpecError(
            "trackers must be a table of tables, such as [trackers.tensorboard] with the options"
            f" of that tracker, got {table!r}"
        )
    made = []
    for name, options in table.items():
        if not isinstance(options, Mapping):
            raise SpecError(f"trackers.{name} must be a table of options, got {options!r}")
        made.append(_made(name, options, allow_python=allow_python))
    return as_trackers(made)


def _is_logger(one: Any) -> bool:
    return isinstance(one, Logger) and not isinstance(one, type)


def _made(name: str, options: Mapping[str, Any], *, allow_python: bool) -> Any:
    """Return the tracker of a name, made with options."""
    kind = LOGGERS.get(name)
    if kind is None:
        if ":" not in name:
            known = ", ".join(LOGGERS)
            raise SpecError(f"unknown tracker {name!r}{suggest(name, LOGGERS)} (known: {known})")
        if not allow_python:
            raise SpecError(
                f"the tracker {name!r} is a program, which is run; allow that with --allow-python"
                " (allow_python=True), or take one of " + ", ".join(LOGGERS)
            )
        kind = _imported(name)
        if _is_logger(kind) and not options:
            return kind
    try:
        return kind(**options)
    except TypeError as error:
        raise SpecError(f"tracker {name!r}: {error}") from error


def _imported(path: str) -> Any:
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SpecError(f"the tracker {path!r} cannot be imported: {error}") from error
