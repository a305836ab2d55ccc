"""Bringing units elsewhere: into another study, into one file each.

A seed of an experiment exists once: results are published for the seeds that a study lacks.
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from apexr._digest import canonical_json, digest, with_seeds
from apexr._files import _disk
from apexr._files._durable import Files, make_folder, read_all, scratch, write_packed
from apexr._files._layout import (
    MANIFEST,
    PACKED,
    is_published,
    kind_of,
    staging_folder,
)
from apexr._files._local import Local
from apexr._files._place import PathLike, Place, local
from apexr._files._source import Packed
from apexr.errors import StoreError
from apexr.store.runs._notes import DAMAGED_RECORD
from apexr.store.study._experiment import open_experiment, read_weights
from apexr.store.study._index import WORTH_AN_INDEX, keep_index
from apexr.store.study._study import Part, Study, in_short, part_of, ranges
from apexr.store.unit._hierarchy import with_group
from apexr.store.unit._manifest import Unit, experiment_of
from apexr.store.unit._publish import ConflictError, create_study, publish_experiment, publish_files
from apexr.store.unit._read import open_unit

# --- packing -------------------------------------------------------------------------------------


def pack(path: PathLike | Study) -> int:
    """Put each unit into one file that reads as the unit did; return how many were packed.

    Raises
    ------
    StoreError
        If a unit is damaged: only what is whole is packed. Those before it are packed.
    """
    study = Study.at(path)
    units = Study.open(study).units() if study.is_there() else [study.place]
    return sum(_pack(local(unit, "packing")) for unit in units)


def _pack(unit: Local) -> bool:
    packed = unit.with_name(unit.name + PACKED)
    if unit.suffix == PACKED or (not (unit / MANIFEST).is_file() and packed.is_file()):
        return False
    whole = Unit.open(unit, kind_of(unit)).verify()
    with scratch(staging_folder(unit)) as folder:
        write_packed(folder / packed.name, read_all(whole.source))
        _disk.rename(folder / packed.name, packed)
        _disk.sync(unit.parent)
        _disk.rename(unit, folder / unit.name)  # and with the folder it goes
        _disk.sync(unit.parent)
    return True


# --- seeds ---------------------------------------------------------------------------------------

_SECONDS = "_seconds"
"""How the names of times end: what was run twice took other times."""


def publish_seeds(
    result: xr.Dataset,
    weights: Mapping[str, np.ndarray],
    study: Study,
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
    held = study.parts().get(experiment, [])
    there = {seed for part in held for seed in part.seeds}
    runs = list(ranges(seeds))
    if not all(_lies_in(study, result, run) for run in runs):
        check_equal_seeds(study, experiment, result, held)
        runs = list(ranges({*seeds} - there))
    return [_publish(result, weights, seeds, run, study, packed) for run in runs]


def _lies_in(study: Study, result: xr.Dataset, seeds: Sequence[int]) -> bool:
    """Tell whether a study has a unit of just these seeds: what differs is found by its files."""
    return is_published(study.unit(_identity(result, seeds)["experiment_id"]))


def check_equal_seeds(
    study: Study, experiment: str, result: xr.Dataset, held: Sequence[Part]
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
            f"{study}: experiment {experiment} is there with other numbers for seeds"
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
    study: Study,
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
    publish_experiment(part, arrays, study.unit(name), packed=packed)
    return Part(name, experiment_of(part.attrs), tuple(seeds))


# --- merging -------------------------------------------------------------------------------------


def merge(into: PathLike | Study, *others: PathLike | Study) -> int:
    """Bring the experiments of other studies into one; return how many have come.

    Parameters
    ----------
    into
        A study; it is made where there is none. Its experiments stay as they are. Of an
        experiment that it holds with some seeds, the others come. Packed experiments stay packed.
    others
        Studies, which are not changed.

    Raises
    ------
    ConflictError
        If studies hold different results under one id, or different numbers for one seed of an
        experiment; all others have been merged.
    StoreError
        If a study cannot be read, or an experiment is damaged; all others have been merged.
    """
    study, sources = Study.at(into), [Study.open(other) for other in others]
    make_folder(study.place.parent)
    create_study(study.place)
    count, problems = 0, []
    held = study.parts()
    for unit in (unit for source in sources for unit in source.units()):
        try:
            count += _bring(unit, study, held)
        except StoreError as error:
            problems.append(error)
    for source in sources:
        _copy_failures(source, study)
    keep_index(study, least=WORTH_AN_INDEX)
    if problems:
        kind = ConflictError if any(isinstance(e, ConflictError) for e in problems) else StoreError
        raise kind(f"{count} merged, {len(problems)} not:\n" + "\n".join(map(str, problems)))
    return count


def _bring(path: Place, into: Study, held: dict[str, list[Part]]) -> bool:
    """Bring a unit into a study; tell whether anything has come.

    The study's content by now is noted in ``held``.
    """
    unit = Unit.open(path).verify()
    packed = isinstance(unit.source, Packed)
    part = part_of(unit)
    parts = held.setdefault(part.experiment, [])
    there = {seed for one in parts if one.unit != part.unit for seed in one.seeds}
    if not there & {*part.seeds}:
        target = into.unit(unit.name)
        new = not is_published(target)
        try:
            publish_files(_files_of(unit), target, packed=packed)
        except ConflictError as conflict:
            _check_equal_numbers(path, part, target, into, conflict)
            return False
        parts += [part] if new else []
        return new
    come = publish_seeds(open_unit(path), read_weights(path), into, packed=packed)
    parts += come
    return bool(come)


def _files_of(unit: Unit) -> Files:
    """Return the files of a unit, with the metadata that older ones and those of objects lack."""
    names = [MANIFEST, *unit.manifest["files"]]
    return Files(unit.source, names, with_group(Files(unit.source, names), unit.name))


def _check_equal_numbers(
    unit: Place, part: Part, target: Place, into: Study, conflict: ConflictError
) -> None:
    """Let units of one name differ in how they are stored, and in the times that were noted."""
    try:
        there, result = part_of(Unit.open(target)), open_unit(unit)
    except StoreError:  # it cannot be told
        raise conflict from None
    if there.seeds != part.seeds:
        raise conflict
    check_equal_seeds(into, part.experiment, result, [there])


def _copy_failures(source: Study, into: Study) -> None:
    for name, record in source.notes.failures().items():
        if record["error"] != DAMAGED_RECORD and not is_published(into.unit(name)):
            into.notes.copy_failure(record)
