"""The data that a question is about: a variable, entries of it, and experiments by their labels.

Three steps that every analysis begins with. A variable is found by any of its names, and a study
is taken apart into its experiments. Its entries are those that exist (a study is filled up to a
common extent), and a diverged one counts as worse than all others unless somebody says otherwise.
Experiments are told apart by their labels: config coordinates, and keywords of their scenarios.
"""

import functools
import json
import operator
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import xarray as xr

from apexr.errors import DivergenceError, MissingVariableError, SpecError, suggest
from apexr.schema import CONFIG_COORDS, COORDINATES, identifier, presence_name, step_dim

Data = xr.Dataset | xr.DataTree | pd.DataFrame

BASE_COLUMNS = ("seed", "scenario", "task", "net", "train", "scenario_kwargs")
"""The columns that identify a row of every table, in the order of the long tables."""

STEP_DIMS = ("time", "update_step")
"""Dimensions that count steps: of a rollout, and of a training."""


def pick(ds: xr.Dataset, variable: str) -> xr.DataArray:
    """Return a variable by its name or, for a metric, by its config string.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    """
    for name in (variable, identifier(variable)):
        if name in ds.data_vars:
            return ds[name]
    raise missing(variable, [str(name) for name in ds.data_vars])


def values_of(data: xr.Dataset | xr.DataArray, variable: str) -> xr.DataArray:
    """Return an array as it is, or the variable of a Dataset.

    Raises
    ------
    MissingVariableError
        Listing what there is.
    """
    return data if isinstance(data, xr.DataArray) else pick(data, variable)


def require_dim(array: xr.DataArray, dim: str) -> None:
    """Refuse a dimension that an array does not have.

    Raises
    ------
    MissingVariableError
        Listing those that it has.
    """
    if dim not in array.dims:
        known = list(map(str, array.dims))
        raise MissingVariableError(
            f"{array.name!r} has no dimension {dim!r}; it has {', '.join(known) or 'none'}"
            f"{suggest(dim, known)}"
        )


def same_labels(a: xr.DataArray | xr.Dataset, b: xr.DataArray | xr.Dataset, dim: Hashable) -> bool:
    """Tell whether labels are the same; without labels on one side, whether there are as many.

    Arithmetic of xarray leaves out labels that only one of two arrays has, without a word.
    """
    ours, theirs = a.indexes.get(dim), b.indexes.get(dim)
    if ours is None or theirs is None:
        return a.sizes[dim] == b.sizes[dim]
    return ours.equals(theirs)


def in_one_chunk(array: xr.DataArray, dim: str) -> xr.DataArray:
    """Return the array with all of ``dim`` in one chunk, if it is lazy; its labels stay as is."""
    if array.chunks is None:
        return array
    return array.copy(data=array.data.rechunk({array.get_axis_num(dim): -1}))


def read_labels(coord: xr.DataArray) -> np.ndarray:
    """Return the values of a coordinate at once, also where a Dataset was chunked as a whole.

    Labels say what is computed, so that they are no part of a lazy result.
    """
    if coord.chunks is None:
        return coord.values
    import dask

    with dask.config.set(scheduler="synchronous"):
        return coord.values


def default_steps(array: xr.DataArray, dim: str) -> np.ndarray:
    """Return the powers of ten among the steps, and the last step of each experiment."""
    labels = array[dim].values
    powers = [label for label in labels if label > 0 and np.log10(label) % 1 == 0]
    mask = array.coords.get(presence_name(dim), xr.ones_like(array[dim], dtype=bool))
    held = read_labels(mask).reshape(-1, len(labels))
    return np.unique([*powers, *(labels[row].max() for row in held if row.any())])


def missing(variable: str, known: list[str]) -> MissingVariableError:
    """Return the error for a variable that is not there."""
    listing = ", ".join(known) or "nothing"
    return MissingVariableError(
        f"no {variable!r} here; there is {listing}{suggest(variable, known)}"
    )


def leaves(tree: xr.DataTree) -> Iterator[xr.Dataset]:
    """Yield the Dataset of every group of a tree that holds variables."""
    yield from (node.to_dataset() for node in tree.subtree if node.data_vars)


def experiments(ds: xr.Dataset) -> Iterator[xr.Dataset]:
    """Yield each experiment of a study, cut back to what it has; or the one result itself."""
    if "experiment" not in ds.dims:
        yield ds
        return
    for index in range(ds.sizes["experiment"]):
        one = ds.isel(experiment=index)
        has = {dim: one.coords.get(presence_name(str(dim))) for dim in one.dims}
        yield one.isel({dim: mask.values for dim, mask in has.items() if mask is not None})


def present(array: xr.DataArray) -> xr.DataArray | None:
    """Return where a study's array has entries, or None where it has them all.

    Entries that are absent only fill a study up to a common extent; they are not results. That
    holds for a step that was selected, too: ``has_time`` then lies along ``experiment`` alone.
    """
    masks = [mask for name, mask in array.coords.items() if _is_presence(str(name), mask)]
    return functools.reduce(operator.and_, masks) if masks else None


def _is_presence(name: str, mask: xr.DataArray) -> bool:
    dim = name.removeprefix(presence_name(""))
    declared = dim in COORDINATES or dim.startswith(step_dim(""))
    return name == presence_name(dim) and declared and mask.dtype.kind == "b"


def by_seed(array: xr.DataArray) -> xr.DataArray:
    """Return the array with a seed dimension, of size 1 where one seed was selected."""
    return array if "seed" in array.dims else array.expand_dims("seed")


def config_columns(ds: xr.Dataset) -> list[str]:
    """Return the config coordinates that a result has."""
    return [name for name in CONFIG_COORDS if name in ds.coords]


Diverged = Literal["worst", "drop", "raise"]
"""How a diverged entry counts: as worse than all others, not at all, or as an error."""

Better = Literal["lower", "higher"]
"""Which values of a variable are the good ones."""


def entries(
    data: xr.Dataset | xr.DataArray,
    variable: str = "mean_nRMSE",
    diverged: Diverged = "worst",
    better: Better | None = None,
    dim: str = "seed",
) -> xr.Dataset:
    """Return what a statistic along ``dim`` works on; nothing is computed where ``data`` is lazy.

    Returns
    -------
    xarray.Dataset
        ``value``, double precision: NaN where there is no entry and where it is dropped, infinite
        where it counts as the worst; ``there``: whether the entry exists (and does not only fill
        a study up); ``lost``: whether it exists and diverged. The attributes are the variable's.
    """
    choose("diverged", diverged, Diverged)
    array = values_of(data, variable)
    array = _along(array, dim)
    mask = present(array)
    finite = xr.ufuncs.isfinite(array)
    there = xr.ones_like(finite) if mask is None else mask & xr.ones_like(finite)
    lost = there & ~finite
    worst = worst_of(array, better)
    counted = array.astype(np.float64).where(finite, worst if diverged == "worst" else np.nan)
    if diverged == "raise":
        counted = _refuse(counted, lost)
    parts = {"value": counted.where(there), "there": there, "lost": lost}
    ds = xr.Dataset({name: part.drop_attrs(deep=False) for name, part in parts.items()})
    ds = ds.drop_vars([name for name in ds.coords if _fills(str(name))])
    return ds.map(in_one_chunk, dim=dim).assign_attrs({**array.attrs, "variable": str(array.name)})


def counts(entered: xr.Dataset, dim: str = "seed") -> dict[str, xr.DataArray]:
    """Return how many values along ``dim`` are finite, and how many diverged."""
    finite = entered["there"] & ~entered["lost"]
    count = finite.sum(dim).assign_attrs(long_name="finite values")
    lost = entered["lost"].sum(dim).assign_attrs(long_name="values that diverged")
    return {"count": count, "num_diverged": lost}


def with_worst(array: xr.DataArray, better: Better | None = None) -> xr.DataArray:
    """Return the array with what diverged as the worst value, so that no reduction skips it.

    Errors and losses that are NaN or infinite become ``inf``, correlations ``-inf``. Entries that
    only fill a study up stay as they are. Nothing is computed where the array is lazy.
    """
    lost = ~xr.ufuncs.isfinite(array)
    mask = present(array)
    if mask is not None:
        lost = lost & mask
    result: xr.DataArray = array.where(~lost, array.dtype.type(worst_of(array, better)))
    return result


def is_score(array: xr.DataArray) -> bool:
    """Return whether an array holds losses or errors, in which NaN means diverged."""
    name = str(array.name)
    named = name in ("train_loss", "valid_loss") or name.startswith(("mean_", "gmean_"))
    return array.dtype.kind == "f" and (named or "config" in array.attrs)


def worst_of(array: xr.DataArray, better: Better | None = None) -> float:
    """Return the value that is worse than all others: ``inf``, or ``-inf`` for correlations."""
    return np.inf if orientation(array, better) == "lower" else -np.inf


def orientation(array: xr.DataArray, better: Better | None) -> Better:
    """Return which values are the good ones: high correlations and horizons, else low ones."""
    if better is not None:
        choose("better", better, Better)
        return better
    if array.attrs.get("better") in get_args(Better):
        return "higher" if array.attrs["better"] == "higher" else "lower"
    name = f"{array.attrs.get('config', '')} {array.attrs.get('variable', array.name)}"
    return "higher" if "correlation" in name else "lower"


def choose(name: str, value: object, options: Any) -> None:
    """Raise a SpecError if ``value`` is not one of the options of a Literal type."""
    if value not in get_args(options):
        raise SpecError(f"{name} must be one of {', '.join(get_args(options))}, got {value!r}")


def _along(array: xr.DataArray, dim: str) -> xr.DataArray:
    if dim == "seed" and "seed" in array.coords:
        array = by_seed(array)
    require_dim(array, dim)
    return array


def _fills(name: str) -> bool:
    return name.startswith("has_")


def _refuse(values: xr.DataArray, lost: xr.DataArray) -> xr.DataArray:
    """Return the values; raises when they are computed and one diverged."""

    def check(numbers: np.ndarray, flags: np.ndarray) -> np.ndarray:
        if flags.any():
            raise DivergenceError(
                f"{int(flags.sum())} of {flags.size} values diverged; pass diverged='worst' to"
                " count them as worse than all others, or diverged='drop' to leave them out"
            )
        return numbers

    checked: Any = xr.apply_ufunc(
        check, values, lost, dask="parallelized", output_dtypes=[np.float64]
    )
    return checked


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
