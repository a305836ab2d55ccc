"""A comparison in words, which claims no more than the seeds allow."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from apexr.analysis._selection import (
    STEP_DIMS,
    Better,
    Diverged,
    choose,
    default_steps,
    differing,
    label_names,
    label_rows,
    orientation,
    values_of,
)
from apexr.analysis.statistics._comparison import (
    paired_difference,
    paired_ratio,
    probability_better,
)
from apexr.analysis.statistics._intervals import check_confidence
from apexr.analysis.statistics._wording import Finding, report, report_pairs
from apexr.errors import SpecError
from apexr.schema import CONFIG_COORDS

Correction = Literal["holm", "none"]
"""How p values are corrected for the number of tests."""


@dataclasses.dataclass(frozen=True)
class Pair:
    """The findings about one pair.

    Attributes
    ----------
    found
        The numbers, as computed.
    findings
        One for each problem and step.
    adjusted
        Their p values, corrected for all findings of all pairs.
    claims
        The side that is better, ``"a"`` or ``"b"``, or nothing where the seeds do not tell.
    """

    found: xr.Dataset
    findings: Sequence[Finding]
    adjusted: Sequence[float]
    claims: Sequence[str]

    @property
    def names(self) -> tuple[str, str]:
        """Names of A and B."""
        return self.found.attrs["a"], self.found.attrs["b"]


def summarise_comparison(
    data: xr.Dataset | xr.DataArray,
    variable: str = "mean_nRMSE",
    *,
    other: xr.Dataset | xr.DataArray | None = None,
    steps: int | Sequence[int] | None = None,
    confidence: float = 0.95,
    correction: Correction | None = None,
    diverged: Diverged = "worst",
    better: Better | None = None,
    **select: Any,
) -> str:
    """Return in plain words whether A is better than B, or that the seeds do not tell.

    At each step: the median over pairs of equal seeds of the ratio A / B (of the difference A - B
    where high values are good), its exact distribution-free interval, in how many pairs A is
    better, how many seeds diverged, the p values of Wilcoxon's signed-rank test and of the sign
    test, both exact, and the smallest ratio that so many seeds can tell with 80 % power. A is
    called better only if the p value of the signed-rank test, corrected for the number of tests by
    Holm's method, allows it; below 6 pairs (at 95 %) that is never so. Where the two sides share
    no seed, every seed is compared with every other, with the Mann-Whitney test.

    Parameters
    ----------
    data, variable, other, better, select
        The two sides, as in :func:`paired_difference`. A label with more than two values, such
        as ``net=["Conv;26;10;relu", "FNO;12;8;4;gelu", "UNet;12;2;relu"]``, compares all pairs of
        these, each on all scenarios and trainings that both have.
    steps
        Time steps; by default 1, 10, 100, … and the last one.
    confidence
        Level of the intervals and of the claims.
    correction
        Of the p values for the number of tests, which are all pairs times all that they are
        compared on: ``"holm"``, as by default, or ``"none"``, after which a claim in twenty is
        expected where there is nothing. Where it is given and nothing else says what to compare,
        all pairs of networks are (or of what else differs).
    diverged
        ``"worst"``: a diverged seed is worse than every other. ``"drop"``: it is left out, and
        the text says that this flatters. ``"raise"``: an error.

    Raises
    ------
    SpecError
        If an argument is invalid or no two experiments match.
    MissingVariableError
        If there is no such variable or label, listing what there is.
    DivergenceError
        If a seed diverged and ``diverged="raise"``.

    References
    ----------
    Wilcoxon (1945), "Individual comparisons by ranking methods", Biometrics Bulletin 1, 80-83.
    Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal
    of Statistics 6, 65-70.
    """
    if correction is None and other is None and not any(map(_is_several, select.values())):
        compared: list[Mapping[str, Any]] = [select]  # which says what is missing
    else:
        compared = _selections(data, variable, other, select)
    pairs = compare_pairs(
        data,
        variable,
        compared,
        other=other,
        steps=steps,
        confidence=confidence,
        correction="holm" if correction is None else correction,
        diverged=diverged,
        better=better,
    )
    corrected = correction != "none"
    told = [(pair.found, pair.findings, pair.adjusted, pair.claims) for pair in pairs]
    if len(told) == 1:
        return report(*told[0], confidence, diverged, corrected=corrected)
    return report_pairs(told, confidence, diverged, corrected=corrected)


def compare_pairs(
    data: xr.Dataset | xr.DataArray,
    variable: str,
    selections: Sequence[Mapping[str, Any]],
    *,
    other: xr.Dataset | xr.DataArray | None = None,
    steps: int | Sequence[int] | None = None,
    confidence: float = 0.95,
    correction: Correction = "holm",
    diverged: Diverged = "worst",
    better: Better | None = None,
) -> list[Pair]:
    """Return what is found of each pair, corrected for all of them together.

    Parameters
    ----------
    selections
        For each pair what tells its sides, as :func:`paired_difference` takes it.
    data, variable, other, steps, confidence, correction, diverged, better
        As in :func:`summarise_comparison`.
    """
    check_confidence(confidence)
    choose("correction", correction, Correction)
    array, partner = _at_steps(data, variable, other, steps)
    ratio = orientation(array, better) == "lower"
    options: dict[str, Any] = {"other": partner, "diverged": diverged, "better": better}
    options["confidence"] = confidence
    several = len(selections) > 1
    if several:
        array = array.compute()
    pairs = []
    for select in selections:
        found = _found(array, ratio, {**options, **select})
        pairs.append((found, _findings(found, ratio)))
    every = [finding.p for _, findings in pairs for finding in findings]
    adjusted = iter(holm(every) if correction == "holm" else every)
    made = []
    for found, findings in pairs:
        own = [next(adjusted) for _ in findings]
        allowed = [p <= 1 - confidence + 1e-12 for p in own]
        claims = [f.side if yes else "" for f, yes in zip(findings, allowed, strict=True)]
        made.append(Pair(found, findings, own, claims))
    return made


def _found(array: xr.DataArray, ratio: bool, options: Mapping[str, Any]) -> xr.Dataset:
    """Return all numbers about one pair, computed."""
    paired = (paired_ratio if ratio else paired_difference)(array, statistic="median", **options)
    paired = paired.rename({"ratio" if ratio else "difference": "estimate"})
    every = probability_better(array, **options)
    names = {name: f"{name}_any" for name in ("probability", "low", "high", "p_value")}
    return paired.assign({new: every[name] for name, new in names.items()}).compute()


def _is_several(value: object) -> bool:
    return isinstance(value, tuple | list)


def _selections(
    data: xr.Dataset | xr.DataArray,
    variable: str,
    other: xr.Dataset | xr.DataArray | None,
    select: Mapping[str, Any],
) -> list[Mapping[str, Any]]:
    """Return what tells the sides of each pair.

    Raises
    ------
    SpecError
        If several labels have more than two values, a value is there twice, or nothing differs.
    """
    wide = [name for name, value in select.items() if _is_several(value) and len(value) > 2]
    if len(wide) > 1:
        raise SpecError(f"give one label more than two values, got {', '.join(wide)}")
    if other is not None or (not wide and any(map(_is_several, select.values()))):
        return [select]
    if wide:
        name, values = wide[0], list(select[wide[0]])
    else:
        name, values = _all_values(values_of(data, variable))
    if len(set(map(str, values))) < len(values):
        raise SpecError(f"{name} must be different values, got {values!r}")
    pairs = itertools.combinations(values, 2)
    return [{**select, name: pair} for pair in pairs]


def _all_values(array: xr.DataArray) -> tuple[str, list[Any]]:
    """Return the label whose pairs are compared by default, and its values."""
    rows = label_rows(array, label_names(array)) if "experiment" in array.dims else []
    apart = differing(rows)
    if not apart:
        raise SpecError("there is nothing to compare: all experiments have the same labels")
    name = "net" if "net" in apart else apart[0]
    return name, list(dict.fromkeys(row[name] for row in rows))


def holm(p: Sequence[float]) -> list[float]:
    """Return p values corrected for their number; that holds however they depend on each other."""
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(np.asarray(p)[order] * (len(p) - np.arange(len(p))))
    result = np.empty(len(p))
    result[order] = np.minimum(raised, 1)
    return [float(value) for value in result]


def _at_steps(
    data: xr.Dataset | xr.DataArray,
    variable: str,
    other: xr.Dataset | xr.DataArray | None,
    steps: int | Sequence[int] | None,
) -> tuple[xr.DataArray, xr.DataArray | None]:
    """Return both sides at the steps to be compared."""
    array = values_of(data, variable)
    partner = None if other is None else values_of(other, variable)
    dim = next((name for name in STEP_DIMS if name in array.dims), None)
    more = [str(d) for d in array.dims if d not in ("experiment", "seed", dim)]
    if more:
        raise SpecError(f"{array.name!r} has {', '.join(more)} besides seeds and steps; reduce it")
    if dim is None:
        return array, partner
    if partner is not None and dim not in partner.coords:
        raise SpecError(f"other has no {dim}, along which {array.name!r} lies")
    wanted = np.atleast_1d(default_steps(array, dim) if steps is None else steps).tolist()
    sides = [array] if partner is None else [array, partner]
    held = [step for step in wanted if all(step in side[dim].values for side in sides)]
    if not held or (steps is not None and len(held) < len(wanted)):
        raise SpecError(
            f"both sides need the {dim} {wanted}; they have up to "
            + " and ".join(str(side[dim].values.max()) for side in sides)
        )
    return array.sel({dim: held}), None if partner is None else partner.sel({dim: held})


def _findings(found: xr.Dataset, ratio: bool) -> list[Finding]:
    """Return what was found for each comparison and step that both sides have."""
    dims = [dim for dim in ("comparison", *STEP_DIMS) if dim in found.dims]
    places = found.stack(place=dims) if dims else found.expand_dims("place")
    findings = []
    for index in range(places.sizes["place"]):
        one = places.isel(place=index)
        values = {str(name): float(part) for name, part in one.data_vars.items()}
        if values["num_a"] and values["num_b"]:
            findings.append(Finding(_where(found, one), values, ratio, found.attrs["better"]))
    if not findings:
        raise SpecError("there is no step at which both sides have results")
    return findings


def _where(found: xr.Dataset, one: xr.Dataset) -> str:
    along = [n for n in CONFIG_COORDS if n in found.coords and "comparison" in found[n].dims]
    labels = [text for name in along if (text := str(one[name].item())) != "{}"]
    labels += [
        f"{found[d].attrs.get('long_name', d)} {int(one[d])}" for d in STEP_DIMS if d in found.dims
    ]
    return ", ".join(labels)
