"""A study as data: from lists and grids to single configurations, each with its place.

A *grid* is a table in which a list is an axis: its experiments are all combinations. Keys that
vary together stand in a group under ``zip``. A value that is a list itself stands in one more
list: ``vlim = [[-1, 1]]``.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apexr.errors import SpecError, suggest
from apexr.study._limits import MOST_EXPERIMENTS, check_number, shortened, too_many

SECTIONS = ("common", "experiments", "grid")
"""Keys of a study that has parts: shared values, a list of experiments, one or more grids."""

ZIP = "zip"


@dataclass(frozen=True)
class Placed:
    """One configuration and where it stands.

    Attributes
    ----------
    config
        The dictionary, or whatever stands in its place.
    place
        Where, such as ``experiments[3]`` or ``grid``.
    choices
        In a grid, the entry of each axis that was taken: key to number.
    """

    config: Any
    place: str
    choices: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Axis:
    """One direction of a grid: keys that vary together, and their entries."""

    values: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    def at(self, index: int) -> dict[str, Any]:
        return {key: entries[index] for key, entries in self.values.items()}


def expand(study: Any) -> list[Placed]:
    """Return the configurations of a study in order.

    Parameters
    ----------
    study
        A list of dictionaries; or a grid; or a table with the sections ``common`` (values of all),
        ``experiments`` (a list of dictionaries) and ``grid`` (a grid or a list of them).

    Raises
    ------
    SpecError
        Listing everything that makes it no study.
    """
    if isinstance(study, Mapping):
        placed, problems = _expand_table(study)
    elif isinstance(study, Iterable) and not isinstance(study, str | bytes):
        listed = list(study)
        check_number(len(listed))
        placed = [Placed(entry, f"experiments[{index}]") for index, entry in enumerate(listed)]
        problems = []
    else:
        placed, problems = [], []
    if problems:
        raise SpecError("not a study:\n" + "\n".join(problems))
    if not placed:
        raise SpecError(
            "a study is a list of at least one configuration (a dictionary each) or a grid, got"
            f" {shortened(study)}"
        )
    check_number(len(placed))
    return placed


def _expand_table(study: Mapping[Any, Any]) -> tuple[list[Placed], list[str]]:
    if not study.keys() & set(SECTIONS):
        return _expand_grid(study, {}, "grid")
    placed: list[Placed] = []
    problems = [
        f"{key}: expected {', '.join(SECTIONS)} alone at the top{suggest(str(key), SECTIONS)};"
        " values of all experiments stand under common"
        for key in study
        if key not in SECTIONS
    ]
    common = study.get("common", {})
    if not isinstance(common, Mapping):
        problems.append(f"common: expected a table, got {shortened(common)}")
        common = {}
    listed = study.get("experiments", [])
    if isinstance(listed, Sequence) and not isinstance(listed, str):
        check_number(len(listed))
        placed += [_listed(entry, common, index) for index, entry in enumerate(listed)]
    else:
        problems.append(f"experiments: expected a list of tables, got {shortened(listed)}")
    grids = study.get("grid", [])
    several = isinstance(grids, Sequence) and not isinstance(grids, str)
    for index, grid in enumerate(grids if several else [grids]):
        found, wrong = _expand_grid(grid, common, f"grid[{index}]" if several else "grid")
        placed += found
        problems += wrong
    return placed, problems


def _listed(entry: Any, common: Mapping[str, Any], index: int) -> Placed:
    config = {**common, **entry} if isinstance(entry, Mapping) else entry
    return Placed(config, f"experiments[{index}]")


def _expand_grid(
    grid: Any, common: Mapping[str, Any], place: str
) -> tuple[list[Placed], list[str]]:
    if not isinstance(grid, Mapping):
        return [], [f"{place}: expected a table, got {shortened(grid)}"]
    axes = list(_axes({key: value for key, value in grid.items() if key != ZIP}))
    groups = grid.get(ZIP, [])
    groups = [groups] if isinstance(groups, Mapping) else groups
    problems = list(_zip_problems(groups, grid, place))
    problems += [f"{place}.{k}: an empty list" for axis in axes for k in axis.values if not axis]
    if problems:
        return [], problems
    axes += [_Axis(group) for group in groups]
    total = math.prod(len(axis) for axis in axes)
    if total > MOST_EXPERIMENTS:
        return [], [f"{place}: {too_many(total)}"]
    return list(_combinations(axes, common, place)), []


def _axes(values: Mapping[str, Any]) -> Iterator[_Axis]:
    for key, value in values.items():
        listed = isinstance(value, Sequence) and not isinstance(value, str)
        yield _Axis({key: value if listed else [value]})


def _zip_problems(groups: Any, grid: Mapping[str, Any], place: str) -> Iterator[str]:
    if not isinstance(groups, Sequence) or isinstance(groups, str):
        yield f"{place}.{ZIP}: expected a table or a list of tables, got {shortened(groups)}"
        return
    seen = set(grid)
    for index, group in enumerate(groups):
        where = f"{place}.{ZIP}[{index}]"
        if not isinstance(group, Mapping) or not group:
            yield f"{where}: expected a table of lists, got {shortened(group)}"
            continue
        lists = {k: v for k, v in group.items() if isinstance(v, Sequence) and not _is_text(v)}
        yield from (f"{where}.{key}: expected a list" for key in group if key not in lists)
        sizes = {key: len(value) for key, value in lists.items()}
        if len(set(sizes.values())) > 1 or 0 in sizes.values():
            told = ", ".join(f"{key} has {size}" for key, size in sizes.items())
            yield f"{where}: the lists must be equally long and not empty; {told}"
        yield from (f"{where}.{key}: given twice" for key in group if key in seen)
        seen |= set(group)


def _is_text(value: Any) -> bool:
    return isinstance(value, str | bytes)


def _combinations(axes: Sequence[_Axis], common: Mapping[str, Any], place: str) -> Iterator[Placed]:
    for picks in itertools.product(*(range(len(axis)) for axis in axes)):
        config = dict(common)
        choices: dict[str, int] = {}
        for axis, index in zip(axes, picks, strict=True):
            config |= axis.at(index)
            if len(axis) > 1:
                choices |= dict.fromkeys(axis.values, index)
        yield Placed(config, place, choices)
