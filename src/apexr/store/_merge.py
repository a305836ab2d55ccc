"""Bringing the experiments of one study into another."""

from apexr.errors import StoreError
from apexr.store._failures import DAMAGED_RECORD, read_failures
from apexr.store._files import make_folder, write_json
from apexr.store._hierarchy import with_group
from apexr.store._index import WORTH_AN_INDEX, keep_index
from apexr.store._layout import MANIFEST, failure_path, is_published, unit_of
from apexr.store._manifest import read_manifest, verify_unit
from apexr.store._parts import Part, find_parts, read_part
from apexr.store._place import PathLike, Place, place
from apexr.store._publish import ConflictError, create_study, publish_files
from apexr.store._read import open_unit, read_weights
from apexr.store._seeds import check_equal_seeds, publish_seeds
from apexr.store._source import Files, Packed, source_of
from apexr.store._units import check_study, units_of


def merge(into: PathLike, *others: PathLike) -> int:
    """Bring the experiments of other studies into one; return how many have come.

    Parameters
    ----------
    into
        A study; it is made where there is none. What it holds already stays as it is. Of an
        experiment that it holds with some seeds, the others come. What is packed stays so.
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
    for other in others:
        check_study(other)
    make_folder(place(into).parent)
    create_study(into)
    count, problems = 0, []
    held = find_parts(into)
    for unit in (unit for other in others for unit in units_of(other)):
        try:
            count += _bring(unit, into, held)
        except StoreError as error:
            problems.append(error)
    for other in others:
        _copy_failures(other, into)
    keep_index(into, least=WORTH_AN_INDEX)
    if problems:
        kind = ConflictError if any(isinstance(e, ConflictError) for e in problems) else StoreError
        raise kind(f"{count} merged, {len(problems)} not:\n" + "\n".join(map(str, problems)))
    return count


def _bring(unit: Place, into: PathLike, held: dict[str, list[Part]]) -> bool:
    """Bring a unit into a study; tell whether anything has come.

    What the study holds by now is noted in ``held``.
    """
    verify_unit(unit)
    packed = isinstance(source_of(unit), Packed)
    part = read_part(unit)
    parts = held.setdefault(part.experiment, [])
    there = {seed for one in parts if one.unit != part.unit for seed in one.seeds}
    if not there & {*part.seeds}:
        target = unit_of(into, unit.name)
        new = not is_published(target)
        try:
            publish_files(_files_of(unit), target, packed=packed)
        except ConflictError as conflict:
            _check_equal_numbers(unit, part, target, into, conflict)
            return False
        parts += [part] if new else []
        return new
    come = publish_seeds(open_unit(unit), read_weights(unit), into, packed=packed)
    parts += come
    return bool(come)


def _files_of(unit: Place) -> Files:
    """Return the files of a unit, with the metadata that older ones and those of objects lack."""
    source = source_of(unit)
    names = [MANIFEST, *read_manifest(unit)["files"]]
    return Files(source, names, with_group(Files(source), unit.name))


def _check_equal_numbers(
    unit: Place, part: Part, target: Place, into: PathLike, conflict: ConflictError
) -> None:
    """Let units of one name differ in how they are stored, and in the times that were noted."""
    try:
        there, result = read_part(target), open_unit(unit)
    except StoreError:  # it cannot be told
        raise conflict from None
    if there.seeds != part.seeds:
        raise conflict
    check_equal_seeds(into, part.experiment, result, [there])


def _copy_failures(study: PathLike, into: PathLike) -> None:
    for name, record in read_failures(study).items():
        path = failure_path(into, name)
        if record["error"] != DAMAGED_RECORD and not (
            path.is_there() or is_published(unit_of(into, name))
        ):
            write_json(path, record)
