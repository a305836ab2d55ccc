"""Which results are compared, and what their seeds tell: tables, all pairs, claims."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import xarray as xr

from apexr._report._claims import not_supported, rows, supported
from apexr._report._parts import Call, Code, Grid, Numbers, Part, Text
from apexr.analysis import geometric_mean
from apexr.analysis._selection import (
    config_rows,
    differing,
    label_names,
    label_rows,
    needed,
    orientation,
    pick,
)
from apexr.analysis.statistics._verdict import Pair, compare_pairs
from apexr.errors import ApexrError, SpecError
from apexr.schema import metric_identifiers

CONFIDENCE = 0.95
CAVEATS = (
    "Anything about equations, parameters, grids or initial states other than those above.",
    "Anything about other training data: seeds vary the initial weights and the mini-batches"
    " alone, and all runs of a scenario share training and test trajectories.",
    "Anything about longer trainings or other settings of the optimizer: all networks were"
    " trained with the ones named above.",
    "That an emulator is faster than a solver: no solver was timed here at equal accuracy.",
    "That a difference at many time steps is stronger evidence than at one: the steps of a"
    " rollout depend on each other.",
)
"""Claims that no comparison of the seeds of a study supports."""


@dataclasses.dataclass
class Comparison:
    """Results that are compared by the values of one label.

    Attributes
    ----------
    study
        The results, along ``experiment``.
    variable
        Name or config string of an error over time steps.
    by
        The label whose values are compared.
    up_to
        Last step of geometric means over time.

    Raises
    ------
    SpecError
        If the variable is not an error over time steps.
    MissingVariableError
        If there is no such variable or label, listing what there is.
    """

    study: xr.Dataset
    variable: str
    by: str
    up_to: int

    def __post_init__(self) -> None:
        errors = pick(self.study, self.variable)
        if "time" not in errors.dims or orientation(errors, None) != "lower":
            raise SpecError(
                f"compared is an error over time steps, and {self.variable} is none; there"
                f" is {', '.join(metric_identifiers(self.study))}"
            )

    @property
    def values(self) -> list[Any]:
        """The values that are compared, in order."""
        return list(dict.fromkeys(row[self.by] for row in label_rows(self.study, [self.by])))

    @property
    def problems(self) -> int:
        """On how many scenarios, trainings and tasks they are compared."""
        return len({tuple(row.items()) for row in config_rows(self.study, without=[self.by])})

    @property
    def others(self) -> list[str]:
        """The other labels that differ, without those that follow from them."""
        labels = label_rows(self.study, label_names(self.study))
        others = [name for name in differing(labels) if name != self.by]
        return [*needed(labels, others, fixed=[self.by])]

    def tables(self) -> Iterator[Part]:
        """Give the errors as tables: means over time, and single steps."""
        others = self.others
        means: dict[str, Any] = {"steps": "gmean", "up_to": self.up_to, "rows": self.by}
        means["compare"] = self.by
        yield from self._table({**means, "columns": others} if others else means)
        yield from self._table({"rows": [self.by, *others], "columns": "time", "compare": self.by})

    def _table(self, options: dict[str, Any]) -> Iterator[Part]:
        call = Call("table", "study", {"variable": self.variable, **options})
        try:
            yield Numbers(call(self.study))
        except ApexrError as error:
            yield Text(f"No table: {error}")
            return
        yield Code(call.code)

    def pairs(self) -> list[Pair]:
        """Return the comparison of all pairs on all problems, by one number a run."""
        means = geometric_mean(self.study, self.variable, self.up_to).compute()
        keys = config_rows(self.study, without=[self.by])
        problems: dict[Any, set[Any]] = {value: set() for value in self.values}
        for key, row in zip(keys, label_rows(self.study, [self.by]), strict=True):
            problems[row[self.by]].add(tuple(key.items()))
        pairs = [
            {self.by: pair}
            for pair in itertools.combinations(self.values, 2)
            if problems[pair[0]] & problems[pair[1]]
        ]
        return compare_pairs(means, self.variable, pairs, confidence=CONFIDENCE) if pairs else []

    def compared(self, pairs: Sequence[Pair]) -> Iterator[Part]:
        """Give the table of all pairs, with the code that compares them."""
        if not pairs:
            yield Text("There is nothing to compare: no two experiments differ in that alone.")
            return
        tests = sum(len(pair.findings) for pair in pairs)
        yield Text(
            f"Each run is one number, the geometric mean of its {self.variable} over the steps up"
            f" to {self.up_to}. Every pair is compared by Wilcoxon's exact signed-rank test over"
            f" pairs of equal seeds, and the p values are corrected for all {tests} tests by Holm's"
            " method. The smallest ratio told is the one that so many seeds, which vary as these"
            " do, would find in 80 % of studies."
        )
        yield Grid(rows(pairs, CONFIDENCE))
        mean = f"apexr.analysis.geometric_mean(study, {self.variable!r}, up_to={self.up_to})"
        how = f"{self.by}={self.values!r}"
        yield Code(f'print(apexr.summarise_comparison({mean}, {how}, correction="holm"))')


def claims(pairs: Sequence[Pair]) -> list[str]:
    """Return what may be claimed, a sentence each."""
    return supported(pairs) if pairs else ["The errors of these runs; nothing was compared."]


def no_claims(pairs: Sequence[Pair]) -> list[str]:
    """Return what may not be claimed, a sentence each."""
    return [*(not_supported(pairs, CONFIDENCE) if pairs else []), *CAVEATS]
