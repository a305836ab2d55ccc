"""A seed of an experiment exists once: results are published for the seeds that a study lacks."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from apexr._digest import canonical_json, digest, with_seeds
from apexr.store._layout import is_published, unit_of
from apexr.store._parts import Part, experiment_of, find_parts, in_short, ranges
from apexr.store._place import PathLike, place
from apexr.store._publish import ConflictError, publish_experiment
from apexr.store._read import open_experiment

_SECONDS = "_seconds"
"""How the names of times end: what was run twice took other times."""


def publish_seeds(
    result: xr.Dataset,
    weights: Mapping[str, np.ndarray],
    study: PathLike,
    *,
    packed: bool = False,
) -> list[Part]:
    """Publish those seeds of a result that a study lacks; return the parts that have come.

    Parameters
    ----------
    result
        A result that says in its attributes of which experiment it is.
    weights
        Plain arrays by name; they lead with the seeds if there are more than one.
    study
        The study.
    packed
        Whether each part becomes one file.

    Raises
    ------
    ConflictError
        If the study holds other numbers for one of the seeds; nothing is published then.
    StoreError
        If the study cannot be read or written.
    """
    experiment = experiment_of(result.attrs)
    seeds = [int(seed) for seed in result["seed"].values]
    held = find_parts(study).get(experiment, [])
    there = {seed for part in held for seed in part.seeds}
    runs = list(ranges(seeds))
    if not all(_lies_in(study, result, run) for run in runs):
        check_equal_seeds(study, experiment, result, held)
        runs = list(ranges({*seeds} - there))
    return [_publish(result, weights, seeds, run, study, packed) for run in runs]


def _lies_in(study: PathLike, result: xr.Dataset, seeds: Sequence[int]) -> bool:
    """Tell whether a study has a unit of just these seeds: what differs is found by its files."""
    return is_published(unit_of(study, _identity(result, seeds)["experiment_id"]))


def check_equal_seeds(
    study: PathLike, experiment: str, result: xr.Dataset, held: Sequence[Part]
) -> None:
    """Check that a study holds the same numbers for the seeds that it has of a result.

    Parameters
    ----------
    study, experiment
        Where, and the id.
    result
        The result.
    held
        The parts of the experiment that the study has.

    Raises
    ------
    ConflictError
        Naming the seeds and the variables that differ.
    """
    wanted = {int(seed) for seed in result["seed"].values}
    common = sorted(wanted & {seed for part in held for seed in part.seeds})
    if not common:
        return
    ours = open_experiment(study, experiment).sel(seed=common)
    theirs = result.sel(seed=common)
    names = [
        str(name)
        for name, array in theirs.data_vars.items()
        if "seed" in array.dims and not str(name).endswith(_SECONDS)
    ]
    differing = [name for name in names if name not in ours or not _is_equal(ours, theirs, name)]
    if differing:
        raise ConflictError(
            f"{place(study)}: experiment {experiment} is there with other numbers for seeds"
            f" {in_short(common)} ({', '.join(differing)} differ); remove one of the two, or keep"
            " the studies apart"
        )


def _is_equal(ours: xr.Dataset, theirs: xr.Dataset, name: str) -> bool:
    return bool(ours[name].variable.load().equals(theirs[name].variable.load()))  # type: ignore[no-untyped-call]


def _identity(result: xr.Dataset, seeds: Sequence[int]) -> dict[str, str]:
    """Return the attributes that name the part of an experiment with these seeds."""
    specification = with_seeds(json.loads(result.attrs["specification"]), seeds)
    told = canonical_json(specification)
    return {"experiment_id": digest(specification), "specification": told}


def _publish(
    result: xr.Dataset,
    weights: Mapping[str, np.ndarray],
    held: Sequence[int],
    seeds: Sequence[int],
    study: PathLike,
    packed: bool,
) -> Part:
    """Publish seeds that follow one another as one part."""
    chosen = [held.index(seed) for seed in seeds]
    identity = _identity(result, seeds)
    part = result.isel(seed=chosen).assign_attrs(identity)
    arrays = dict(weights)
    if len(held) > 1:
        index = chosen[0] if len(chosen) == 1 else chosen
        arrays = {name: values[index] for name, values in weights.items()}
    name = identity["experiment_id"]
    publish_experiment(part, arrays, unit_of(study, name), packed=packed)
    return Part(name, experiment_of(part.attrs), tuple(seeds))
