"""Parts: the units of a study, packed or not, that hold the same experiment for different seeds.

A unit says in its attributes which experiment it is of, whatever its seeds. ``.parts.json``
repeats that for all units, so that a study of thousands is not read through to add one more; it
is derived, brought up to date by whoever runs the study, and never the truth. Read, the parts
are one result: lazily joined along ``seed``.
"""

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from apexr._digest import SEED_KEYS, canonical_json, digest
from apexr.errors import StoreError
from apexr.store.files._files import read_json, write_json
from apexr.store.files._layout import (
    EXPERIMENTS,
    METADATA,
    PACKED,
    STUDY,
    STUDY_FORMAT,
    check_id,
    in_study,
    is_id,
    is_published,
    is_study,
    unit_of,
)
from apexr.store.files._place import PathLike, Place, at_once, entries, place
from apexr.store.files._remote import Remote
from apexr.store.unit._manifest import Unit, check_version, experiment_of

# --- units ---------------------------------------------------------------------------------------


def check_study(path: PathLike) -> None:
    """Check that a folder is a study that this apexr can read.

    Raises
    ------
    StoreError
        If it is none, or a newer one.
    """
    if not is_study(path):
        raise StoreError(f"{path}: not an apexr study (no {STUDY})")
    marker = place(path) / STUDY
    check_version(marker, read_json(marker), STUDY_FORMAT)


def units_of(path: PathLike) -> list[Place]:
    """Return the units of a study by their folders' names, packed ones too, in order.

    Raises
    ------
    StoreError
        If something that has no name of a unit lies among them.
    """
    folder = place(path) / EXPERIMENTS
    names = {entry.name.removesuffix(PACKED) for entry in entries(folder)} - {METADATA}
    units = [folder / check_id(name) for name in sorted(names)]
    return _finished(units, folder) if isinstance(folder, Remote) else units


def _finished(units: list[Place], folder: Remote) -> list[Place]:
    """Return the units that have a manifest: in an object store, others are being uploaded."""
    there = at_once(is_published, units, folder)
    return [unit for unit, finished in zip(units, there, strict=True) if finished]


# --- parts ---------------------------------------------------------------------------------------

PARTS = ".parts.json"
_BEGINNING = r"[0-9a-f]{4,31}"


@dataclass(frozen=True)
class Part:
    """The seeds of an experiment that one unit holds.

    Attributes
    ----------
    unit
        Name of the unit.
    experiment
        Id of the experiment, whatever its seeds.
    seeds
        Its seeds.
    """

    unit: str
    experiment: str
    seeds: tuple[int, ...]


def read_part(unit: Place) -> Part:
    """Return what a unit says of itself.

    Raises
    ------
    StoreError
        If its manifest is damaged.
    """
    return part_of(Unit.open(unit))


def part_of(unit: Unit) -> Part:
    """Return what an open unit says of itself."""
    experiment = experiment_of(unit.manifest["attrs"], unit.place)
    return Part(unit.name, experiment, tuple(unit.manifest["seeds"]))


def find_parts(study: PathLike) -> dict[str, list[Part]]:
    """Return the parts of a study by experiment; units that are damaged are left out."""
    where = place(study)
    known, units = _recall(where), units_of(study)
    read = at_once(_try_read, [unit for unit in units if unit.name not in known], where)
    new = {part.unit: part for part in read if part is not None}
    parts = {unit.name: known.get(unit.name) or new.get(unit.name) for unit in units}
    grouped: dict[str, list[Part]] = {}
    for part in parts.values():
        if part is not None:
            grouped.setdefault(part.experiment, []).append(part)
    return grouped


def note_parts(study: PathLike, parts: Mapping[str, Sequence[Part]]) -> None:
    """Note the parts that :func:`find_parts` found, so that the next call reads less."""
    where = place(study)
    found = [part for of_one in parts.values() for part in of_one]
    if {part.unit for part in found} != _recall(where).keys():
        with suppress(OSError):
            _note(where, found)


def read_specifications(study: PathLike, units: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the specifications of units by name; a unit that holds none is left out."""
    where = place(study)
    places = [unit_of(where, name) for name in units]
    found = zip(units, at_once(_specification, places, where), strict=True)
    return {name: told for name, told in found if isinstance(told, dict)}


def units_behind(path: PathLike) -> list[Place]:
    """Return the units that a path stands for: itself, or the parts of an experiment in a study.

    The path of an experiment in a study names no folder if the experiment has been asked for with
    more and more seeds; then its parts are found, in the order of their seeds.
    """
    unit = place(path)
    if is_published(unit) or not in_study(unit):
        return [unit]
    parts = find_parts(unit.parent.parent).get(unit.name, [])
    ordered = sorted(parts, key=lambda part: (part.seeds, part.unit))
    return [unit.with_name(part.unit) for part in ordered] or [unit]


def full_id(study: PathLike, given: str) -> str:
    """Return the id of an experiment of a study, of which the beginning is enough.

    Parameters
    ----------
    study
        The study.
    given
        The id, or at least four of its first digits.

    Raises
    ------
    StoreError
        If no experiment of the study begins so, or more than one.
    """
    if is_id(given):
        return given
    if not re.fullmatch(_BEGINNING, given):
        raise StoreError(
            f"an experiment id is 32 hexadecimal digits, of which the first four are enough where"
            f" no other begins so; got {given!r}"
        )
    check_study(study)
    found = sorted(name for name in find_parts(study) if name.startswith(given))
    if len(found) != 1:
        said = f"{len(found)} begin so: {', '.join(found[:3])}" if found else "none begins so"
        raise StoreError(f"no experiment {given!r} in {study}: {said}; see apexr show {study}")
    return found[0]


def short_ids(ids: Sequence[str], least: int = 6) -> list[str]:
    """Return as many digits of each id as tell it from all others, and not less than ``least``."""
    for count in range(least, 33):
        if len({one[:count] for one in ids}) == len(ids):
            break
    return [one[:count] for one in ids]


def ranges(seeds: Iterable[int]) -> Iterator[tuple[int, ...]]:
    """Yield the runs of seeds that follow one another."""
    numbered = enumerate(sorted(seeds))
    for _, run in itertools.groupby(numbered, lambda pair: pair[1] - pair[0]):
        yield tuple(seed for _, seed in run)


def in_short(seeds: Iterable[int]) -> str:
    """Return seeds as one writes them: ``0-9, 12``."""
    runs = [(run[0], run[-1]) for run in ranges(seeds)]
    return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in runs)


def _try_read(unit: Place) -> Part | None:
    try:
        return read_part(unit)
    except StoreError:
        return None


def _specification(unit: Place) -> Any:
    try:
        return json.loads(Unit.open(unit).manifest["attrs"]["specification"])
    except (StoreError, KeyError, TypeError, ValueError):
        return None


def _recall(study: Place) -> dict[str, Part]:
    """Return what was noted, or nothing where the note is not there or not whole."""
    try:
        noted = read_json(study / PARTS)
        if noted["digest"] != digest(noted["parts"]):
            return {}
        return {
            unit: Part(unit, experiment, tuple(seeds))
            for unit, (experiment, seeds) in noted["parts"].items()
        }
    except (StoreError, KeyError, TypeError, ValueError, AttributeError):
        return {}


def _note(study: Place, parts: Iterable[Part]) -> None:
    entries = {part.unit: [part.experiment, list(part.seeds)] for part in parts}
    write_json(study / PARTS, {"digest": digest(entries), "parts": entries})


# --- as one result -------------------------------------------------------------------------------

_SECONDS = "_seconds"


def along_seed(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return one result from results of the same experiment for other seeds, seeds in order.

    A seed that several parts hold is taken from the first of them. Times that a part spent on all
    its seeds together are added up; what does not depend on the seed is taken from the first part;
    attributes in which the parts differ are left out.

    Raises
    ------
    StoreError
        If the parts do not fit together.
    """
    if len(parts) == 1:
        return parts[0]
    parts = sorted(parts, key=_seeds)
    try:
        joined = xr.concat(
            _own_seeds(parts),
            dim="seed",
            data_vars="minimal",
            coords="minimal",
            compat="override",
            join="outer",
            combine_attrs="drop_conflicts",
        )
    except ValueError as error:
        raise StoreError(f"parts of one experiment do not fit together: {error}") from error
    joined = joined.assign(_total_seconds(parts))[list(parts[0].data_vars)]
    return _in_order(joined).assign_attrs(_identity(parts[0]))


def weights_along_seed(
    parts: Sequence[Mapping[str, np.ndarray]], seeds: Sequence[Sequence[int]]
) -> dict[str, np.ndarray]:
    """Return the weights of all seeds, leading with them, as :func:`along_seed` orders them.

    Parameters
    ----------
    parts
        The weights of each part; those of a single seed do not lead with it.
    seeds
        The seeds of each part.
    """
    if len(parts) == 1:
        return dict(parts[0])
    leading = [
        {name: values[None] if len(held) == 1 else values for name, values in part.items()}
        for part, held in zip(parts, seeds, strict=True)
    ]
    _, first = np.unique(np.concatenate([np.asarray(held) for held in seeds]), return_index=True)
    return {name: np.concatenate([part[name] for part in leading])[first] for name in leading[0]}


def _seeds(part: xr.Dataset) -> list[int]:
    return part["seed"].values.tolist() if "seed" in part.coords else []


def _own_seeds(parts: Sequence[xr.Dataset]) -> list[xr.Dataset]:
    """Return the parts without the seeds that a part before them holds."""
    taken: set[int] = set()
    kept = []
    for part in parts:
        seeds = part["seed"].values.tolist()
        own = [index for index, seed in enumerate(seeds) if seed not in taken]
        taken.update(seeds)
        if own:
            kept.append(part if len(own) == len(seeds) else part.isel(seed=own))
    return kept


def _total_seconds(parts: Sequence[xr.Dataset]) -> dict[str, xr.DataArray]:
    """Return the times that each part has one number of, added up."""
    names = [str(name) for name in parts[0].data_vars if str(name).endswith(_SECONDS)]
    shared = [n for n in names if all(n in part and not part[n].dims for part in parts)]
    return {
        name: sum((part[name] for part in parts[1:]), parts[0][name]).assign_attrs(
            parts[0][name].attrs
        )
        for name in shared
    }


def _in_order(joined: xr.Dataset) -> xr.Dataset:
    order = np.argsort(joined["seed"].values, kind="stable")
    ordered = np.array_equal(order, np.arange(order.size))
    return joined if ordered else joined.isel(seed=order)


def _identity(part: xr.Dataset) -> dict[str, str]:
    """Return the attributes that say which experiment it is, whatever its seeds."""
    if "specification" not in part.attrs:
        return {}
    held = json.loads(part.attrs["specification"])
    bare = {key: value for key, value in held.items() if key not in SEED_KEYS}
    return {"experiment_id": experiment_of(part.attrs), "specification": canonical_json(bare)}
