"""A study that is open: its units, which experiment each of them is of, and the notes of its runs.

A unit says in its attributes which experiment it is of, whatever its seeds: it is a part of it.
``.parts.json`` repeats that for all units, so that a study of thousands is not read through to add
one more; it is derived, brought up to date by whoever runs the study, and never the truth.
"""

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from apexr._digest import digest
from apexr._files._durable import read_json, write_json
from apexr._files._layout import (
    EXPERIMENTS,
    METADATA,
    PACKED,
    STUDY,
    STUDY_FORMAT,
    archive_instead,
    check_id,
    found_instead,
    in_study,
    is_id,
    is_published,
    is_study,
    unit_of,
)
from apexr._files._place import PathLike, Place, at_once, entries, place
from apexr._files._remote import Remote
from apexr.errors import StoreError
from apexr.store.runs._notes import Notes
from apexr.store.unit._manifest import Unit, check_version, experiment_of

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


@dataclass(frozen=True)
class Study:
    """A study whose path was parsed once, and whose mark was checked where it is opened.

    All that reads, runs or changes a study takes this object.

    Attributes
    ----------
    place
        Where it lies, on this machine or in an object store.
    """

    place: Place

    @classmethod
    def at(cls, path: "PathLike | Study") -> "Study":
        """Return the study that a path names, whether it is there or not."""
        return path if isinstance(path, Study) else cls(place(path))

    @classmethod
    def open(cls, path: "PathLike | Study") -> "Study":
        """Return the study at a path.

        Raises
        ------
        StoreError
            If there is none, or one that is newer than this apexr.
        """
        study = cls.at(path)
        marker = study.place / STUDY
        if not study.is_there():
            found = found_instead(study.place)
            raise StoreError(f"{study}: not an apexr study (no {STUDY}){found}")
        try:
            check_version(marker, read_json(marker), STUDY_FORMAT)
        except StoreError as error:  # a published folder has a file of this name, too
            raise StoreError(f"{error}{archive_instead(study.place)}") from error
        return study

    def __str__(self) -> str:
        return str(self.place)

    def is_there(self) -> bool:
        """Tell whether a study lies there."""
        return is_study(self.place)

    @property
    def notes(self) -> Notes:
        """The notes of its runs: claims, failures, plans."""
        return Notes(self.place)

    def unit(self, name: str) -> Place:
        """Return the unit of a name."""
        return unit_of(self.place, name)

    def units(self) -> list[Place]:
        """Return its units by their folders' names, packed ones too, in order.

        Raises
        ------
        StoreError
            If something that has no name of a unit lies among them.
        """
        folder = self.place / EXPERIMENTS
        names = {entry.name.removesuffix(PACKED) for entry in entries(folder)} - {METADATA}
        units = [folder / check_id(name) for name in sorted(names)]
        if isinstance(folder, Remote):  # a unit without a manifest is being uploaded
            there = at_once(is_published, units, folder)
            return [unit for unit, finished in zip(units, there, strict=True) if finished]
        return units

    def parts(self) -> dict[str, list[Part]]:
        """Return its parts by experiment; units that are damaged are left out."""
        known, units = self._recall(), self.units()
        unknown = [unit for unit in units if unit.name not in known]
        read = at_once(_try_read, unknown, self.place)
        new = {part.unit: part for part in read if part is not None}
        grouped: dict[str, list[Part]] = {}
        for unit in units:
            part = known.get(unit.name) or new.get(unit.name)
            if part is not None:
                grouped.setdefault(part.experiment, []).append(part)
        return grouped

    def note_parts(self, parts: Mapping[str, Sequence[Part]]) -> None:
        """Note the parts that :meth:`parts` found, so that the next call reads less."""
        found = [part for of_one in parts.values() for part in of_one]
        if {part.unit for part in found} != self._recall().keys():
            told = {part.unit: [part.experiment, list(part.seeds)] for part in found}
            with suppress(OSError):
                write_json(self.place / PARTS, {"digest": digest(told), "parts": told})

    def _recall(self) -> dict[str, Part]:
        """Return what was noted, or nothing where the note is not there or not whole."""
        try:
            noted = read_json(self.place / PARTS)
            if noted["digest"] != digest(noted["parts"]):
                return {}
            return {
                unit: Part(unit, experiment, tuple(seeds))
                for unit, (experiment, seeds) in noted["parts"].items()
            }
        except (StoreError, KeyError, TypeError, ValueError, AttributeError):
            return {}

    def units_behind(self, experiment: str) -> list[Place]:
        """Return the units of an experiment, in the order of its seeds.

        An experiment that has been asked for with more and more seeds has several. Of one that is
        not there, the unit that it would have is returned.
        """
        own = self.unit(experiment)
        if is_published(own):
            return [own]
        ordered = sorted(self.parts().get(own.name, []), key=lambda part: (part.seeds, part.unit))
        return [own.with_name(part.unit) for part in ordered] or [own]

    def specifications(self, units: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the specifications of units by name; a unit that holds none is left out."""
        places = [self.unit(name) for name in units]
        found = zip(units, at_once(_specification, places, self.place), strict=True)
        return {name: told for name, told in found if isinstance(told, dict)}

    def full_id(self, given: str) -> str:
        """Return the id of an experiment, of which the beginning is enough.

        Parameters
        ----------
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
                f"an experiment id is 32 hexadecimal digits, of which the first four are enough"
                f" where no other begins so; got {given!r}"
            )
        Study.open(self)
        found = sorted(name for name in self.parts() if name.startswith(given))
        if len(found) != 1:
            said = f"{len(found)} begin so: {', '.join(found[:3])}" if found else "none begins so"
            raise StoreError(f"no experiment {given!r} in {self}: {said}; see apexr show {self}")
        return found[0]


# --- parts and their seeds -----------------------------------------------------------------------


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
    experiment = experiment_of(unit.manifest["attrs"], unit.place.name)
    return Part(unit.name, experiment, tuple(unit.manifest["seeds"]))


def units_behind(unit: Place) -> list[Place]:
    """Return the units that a place stands for: itself, or the parts of an experiment in a study.

    The name of an experiment in a study may be that of no folder: see :meth:`Study.units_behind`.
    """
    if in_study(unit) and not is_published(unit):
        return Study(unit.parent.parent).units_behind(unit.name)
    return [unit]


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
