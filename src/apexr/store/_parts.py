"""Parts: the units of a study that hold the same experiment for different seeds.

A unit says in its attributes which experiment it is of, whatever its seeds. ``.parts.json`` repeats
that for all units, so that a study of thousands is not read through to add one more; it is derived,
brought up to date by whoever runs the study, and never the truth.
"""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from apexr._digest import digest, experiment_id
from apexr.errors import StoreError
from apexr.store._files import read_json, write_json
from apexr.store._layout import in_study, is_published
from apexr.store._manifest import read_manifest
from apexr.store._place import PathLike, Place, at_once, place
from apexr.store._units import units_of

PARTS = ".parts.json"


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


def experiment_of(attrs: Mapping[str, Any], unit: PathLike = "") -> str:
    """Return the id of the experiment that a result is of, by its attributes.

    ``experiment_id`` among them counts the seeds; the specification gives the id without. A result
    that carries none is an experiment of its own, called like its unit.
    """
    try:
        specification = json.loads(attrs["specification"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return _name(unit)
    return experiment_id(specification) if isinstance(specification, dict) else _name(unit)


def _name(unit: PathLike) -> str:
    return place(unit).name if str(unit) else ""


def read_part(unit: Place) -> Part:
    """Return what a unit says of itself.

    Raises
    ------
    StoreError
        If its manifest is damaged.
    """
    manifest = read_manifest(unit)
    return Part(unit.name, experiment_of(manifest["attrs"], unit), tuple(manifest["seeds"]))


def find_parts(study: PathLike, *, remember: bool = False) -> dict[str, list[Part]]:
    """Return the parts of a study by experiment; units that are damaged are left out.

    Parameters
    ----------
    study
        The study.
    remember
        Whether to note what was found for the next one who asks, if the study can be written.
    """
    where = place(study)
    known, units = _recall(where), units_of(study)
    read = at_once(_try_read, [unit for unit in units if unit.name not in known], where)
    new = {part.unit: part for part in read if part is not None}
    parts = {unit.name: known.get(unit.name) or new.get(unit.name) for unit in units}
    found = {name: part for name, part in parts.items() if part is not None}
    if remember and found.keys() != known.keys():
        with suppress(OSError):
            _note(where, found.values())
    grouped: dict[str, list[Part]] = {}
    for part in found.values():
        grouped.setdefault(part.experiment, []).append(part)
    return grouped


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
