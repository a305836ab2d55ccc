"""Which experiments make one curve, point or cell, and which stand in panels of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._selection import (
    TRAINING_KEYWORDS,
    Labels,
    differing,
    is_of_experiments,
    label_names,
    label_rows,
    needed,
)
from apexr.errors import SpecError, suggest
from apexr.plots._style import as_text
from apexr.schema import CONFIG_COORDS

By = str | Sequence[str] | None
Data = xr.Dataset | xr.DataArray

MOST_PANELS = 24
"""More than these nobody looks at; a selection is asked for instead."""


@dataclass(frozen=True)
class Panel:
    """The experiments drawn into one pair of axes.

    Attributes
    ----------
    labels
        Labels that all its experiments have in common and other panels have not.
    groups
        Name of a curve or point to the places of its experiments, which differ in their seeds
        alone.
    """

    labels: tuple[str, ...]
    groups: Mapping[str, list[int]]

    @property
    def places(self) -> list[int]:
        """The places of all its experiments in the study."""
        return sorted(place for places in self.groups.values() for place in places)


def arrange(data: Data, by: By = None, *, per_problem: bool = False) -> list[Panel]:
    """Return the panels of a study: different configurations are never drawn as one.

    Parameters
    ----------
    data
        Something with labels along ``experiment``.
    by
        Labels that tell groups apart, by default all that differ. Labels that differ within a group
        besides makes panels.
    per_problem
        Panels are the scenarios, tasks and parameters of scenarios instead, unless ``by`` names
        them; a group may hold several configurations.

    Raises
    ------
    MissingVariableError
        If there is no such label, listing what there is.
    SpecError
        If these are too many panels, naming what differs.
    """
    named = as_names(by)
    rows = rows_of(data, named)
    apart = differing(rows)
    problems = [n for n in apart if per_problem and n not in named and _is_of_the_problem(n)]
    free = [name for name in apart if name not in problems]
    shown = needed(rows, free, fixed=problems) if by is None else named
    facets = needed(rows, problems, fixed=named) if per_problem else unnamed(rows, shown)
    return _panels(rows, shown, facets)


def rows_of(data: Data, named: Sequence[str]) -> list[Labels]:
    """Return all labels of each experiment, those that are ``named`` among them.

    Raises
    ------
    MissingVariableError
        If there is no such label, listing what there is.
    """
    return label_rows(data, list(dict.fromkeys([*named, *label_names(data)])))


def unnamed(rows: Sequence[Labels], named: Sequence[str]) -> tuple[str, ...]:
    """Return the labels that differ between experiments that agree in the ``named`` ones."""
    groups: dict[Any, list[Labels]] = {}
    for row in rows:
        groups.setdefault(tuple(str(row[name]) for name in named), []).append(row)
    within = {name for group in groups.values() for name in differing(group)}
    return needed(rows, [name for name in differing(rows) if name in within], fixed=named)


def as_names(by: By) -> tuple[str, ...]:
    """Return one label or several as a tuple; none for None."""
    return () if by is None else (by,) if isinstance(by, str) else tuple(by)


def name_of(labels: Labels) -> str:
    """Return labels as a text; a keyword stands with its name."""
    texts = (as_text(_text(name, value)) for name, value in labels.items())
    return ", ".join(text for text in texts if text)


def names_of_experiments(data: Data) -> list[str]:
    """Return what each experiment of a study is called: the labels that differ."""
    rows = label_rows(data, label_names(data))
    shown = needed(rows, differing(rows))
    return [name_of({name: row[name] for name in shown}) for row in rows]


def places_of(names: Sequence[str], order: Sequence[str] | None) -> dict[str, int]:
    """Return the place of each name, from which its color follows.

    Raises
    ------
    SpecError
        If the order lacks any.
    """
    given = names if order is None else [as_text(str(one)) for one in np.asarray(order).flat]
    ordered = list(dict.fromkeys(given))
    lacking = [name for name in names if name not in ordered]
    if lacking:
        raise SpecError(
            f"order lacks {', '.join(map(repr, lacking))}; it has {', '.join(map(repr, ordered))}"
            + suggest(lacking[0], ordered)
        )
    return {name: place for place, name in enumerate(ordered) if name in names}


def _is_of_the_problem(name: str) -> bool:
    return name not in ("net", "train", *TRAINING_KEYWORDS)


def _panels(rows: Sequence[Labels], shown: Sequence[str], facets: Sequence[str]) -> list[Panel]:
    found: dict[str, tuple[Labels, dict[str, list[int]]]] = {}
    for place, row in enumerate(rows):
        facet = {name: row[name] for name in facets}
        _, groups = found.setdefault(name_of(facet), (facet, {}))
        groups.setdefault(name_of({name: row[name] for name in shown}), []).append(place)
    if len(found) > MOST_PANELS:
        raise SpecError(
            f"these are {len(found)} panels, at most {MOST_PANELS} are drawn; the experiments"
            f" differ in {', '.join(facets)} besides: name labels in by=[…], or select some with"
            f" study.isel(experiment=(study.{_coordinate(facets)} == …).values)"
        )
    return [
        Panel(tuple(_text(name, value) for name, value in facet.items()), groups)
        for facet, groups in found.values()
    ]


def _coordinate(facets: Sequence[str]) -> str:
    return next((name for name in facets if name in CONFIG_COORDS), "scenario_kwargs")


def _text(name: str, value: Any) -> str:
    if name in CONFIG_COORDS:
        return str(value)
    if not is_of_experiments(name):
        return f"{name} {value}"
    return f"{name}={'default' if value is None else value}"
