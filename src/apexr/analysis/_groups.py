"""Experiments by their labels: config coordinates, and the keywords of their scenarios."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._select import read_labels
from apexr.errors import MissingVariableError, SpecError, suggest
from apexr.schema import CONFIG_COORDS, COORDINATES

Labels = dict[str, Any]


def label_rows(data: xr.Dataset | xr.DataArray, names: Sequence[str]) -> list[Labels]:
    """Return the labels of each experiment; of the one result, where there is no study.

    A name is a coordinate along ``experiment`` (or a scalar one), or a keyword of the scenario,
    which is None for experiments that leave it at its default.

    Raises
    ------
    MissingVariableError
        Listing the names that there are.
    """
    size = data.sizes.get("experiment", 1)
    kwargs = keyword_rows(data)
    known = [*_coordinates(data), *dict.fromkeys(key for row in kwargs for key in row)]
    columns = {}
    for name in names:
        if name not in known:
            raise MissingVariableError(
                f"no label {name!r} to tell experiments apart; there is"
                f" {', '.join(known) or 'nothing'}{suggest(name, known)}"
            )
        columns[name] = _column(data, name, size, kwargs)
    return [{name: columns[name][row] for name in names} for row in range(size)]


def config_rows(data: xr.Dataset | xr.DataArray, without: Sequence[str] = ()) -> list[Labels]:
    """Return the config coordinates of each experiment, ``without`` some labels.

    Keywords of the scenario that are among these are taken out of ``scenario_kwargs``.
    """
    names = [name for name in CONFIG_COORDS if name in data.coords and name not in without]
    rows = label_rows(data, names)
    if "scenario_kwargs" not in names:
        return rows
    left = [_dump(row, without) for row in keyword_rows(data)]
    return [{**row, "scenario_kwargs": text} for row, text in zip(rows, left, strict=True)]


def label_names(data: xr.Dataset | xr.DataArray) -> list[str]:
    """Return the labels of experiments: config coordinates, and keywords that differ.

    Keywords stand in the place of ``scenario_kwargs``, whose text would tell no more.
    """
    keywords = differing(keyword_rows(data))
    config = [name for name in CONFIG_COORDS if name in data.coords]
    if keywords:
        config.remove("scenario_kwargs")
    return list(dict.fromkeys([*config, *keywords]))


def needed(
    rows: Sequence[Labels], names: Sequence[str], fixed: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return ``names`` without the keywords that follow from the other labels and ``fixed``."""

    def number(labels: Sequence[str]) -> int:
        return len({tuple(str(row[name]) for name in labels) for row in rows})

    kept = list(names)
    for name in names:
        others = [other for other in kept if other != name]
        follows = number([*fixed, *others]) == number([*fixed, *kept])
        if follows and name not in CONFIG_COORDS and is_of_experiments(name):
            kept = others
    return tuple(kept)


def is_of_experiments(name: str) -> bool:
    """Tell a label of whole experiments from a dimension of a variable."""
    return name in CONFIG_COORDS or name not in (*COORDINATES, "variable")


def chosen_rows(rows: Sequence[Labels], allowed: Mapping[str, Sequence[Any]]) -> list[int]:
    """Return which rows have one of the allowed values of each label.

    Raises
    ------
    SpecError
        Naming a value that no row has, and those that there are.
    """
    for name, values in allowed.items():
        known = list(dict.fromkeys(row[name] for row in rows))
        absent = [value for value in values if value not in known]
        if absent:
            texts = [str(text) for text in known]
            raise SpecError(
                f"no experiment has {name}={absent[0]!r}; there is {', '.join(texts)}"
                f"{suggest(str(absent[0]), texts)}"
            )
    return [i for i, row in enumerate(rows) if all(row[n] in v for n, v in allowed.items())]


def differing(rows: Sequence[Labels]) -> list[str]:
    """Return the names of the labels that are not the same in all rows."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [name for name in names if len({_hashable(row.get(name)) for row in rows}) > 1]


def gather(entered: xr.Dataset, groups: Mapping[Any, Sequence[int]], what: str) -> xr.Dataset:
    """Return entries with one experiment for each group, which has the seeds of all of its own.

    Raises
    ------
    SpecError
        If two experiments of a group have the same seed, so that ``what`` must tell them apart.
    """
    if all(len(rows) == 1 for rows in groups.values()):
        return entered.isel(experiment=[rows[0] for rows in groups.values()])
    parts = [_put_together(entered.isel(experiment=list(rows)), what) for rows in groups.values()]
    return xr.concat(parts, dim="experiment", coords="minimal", compat="override", join="outer")


def _put_together(entered: xr.Dataset, what: str) -> xr.Dataset:
    others = [dim for dim in entered.dims if dim not in ("experiment", "seed")]
    held = entered["there"].any(others)
    if (read_labels(held.sum("experiment")) > 1).any():
        raise SpecError(f"several experiments have the same seeds and {what}; name what differs")
    parts = {
        "value": entered["value"].max("experiment", skipna=True),
        "there": entered["there"].any("experiment"),
        "lost": entered["lost"].any("experiment"),
    }
    return xr.Dataset(parts, attrs=entered.attrs)


def _coordinates(data: xr.Dataset | xr.DataArray) -> list[str]:
    return [
        str(name)
        for name, coord in data.coords.items()
        if coord.dims in ((), ("experiment",)) and not str(name).startswith("has_")
    ]


def _column(
    data: xr.Dataset | xr.DataArray, name: str, size: int, kwargs: Sequence[Labels]
) -> list[Any]:
    if name not in data.coords:
        return [_hashable(row.get(name)) for row in kwargs]
    return [_hashable(v) for v in np.broadcast_to(read_labels(data[name]), (size,)).tolist()]


def keyword_rows(data: xr.Dataset | xr.DataArray) -> list[Labels]:
    """Return the keywords that each experiment gave its scenario."""
    size = data.sizes.get("experiment", 1)
    if "scenario_kwargs" not in data.coords:
        return [{}] * size
    texts = np.broadcast_to(read_labels(data["scenario_kwargs"]), (size,)).tolist()
    return [read_object(str(text)) for text in texts]


def read_object(text: str) -> Labels:
    """Return the JSON object that a text holds, none where a stranger wrote something else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _dump(row: Labels, without: Sequence[str]) -> str:
    return json.dumps({k: v for k, v in row.items() if k not in without}, sort_keys=True)


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


TRAINING_KEYWORDS = (
    "optim_config",
    "batch_size",
    "num_train_samples",
    "subset_of",
    "train_temporal_horizon",
    "train_seed",
    "record_loss_every",
    "callbacks",
    "num_trjs_returned",
    "num_valid_samples",
    "valid_temporal_horizon",
    "valid_seed",
    "select",
    "patience",
    "init",
)
"""Keywords of a scenario that change how an emulator is trained, not what it has to predict."""
