"""A comparison in words, which claims no more than the seeds allow."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from apexr.analysis._better import probability_better
from apexr.analysis._entries import Better, Diverged, orientation
from apexr.analysis._intervals import check_confidence
from apexr.analysis._numbers import STEP_DIMS, default_steps
from apexr.analysis._paired import paired_difference, paired_ratio
from apexr.analysis._select import values_of
from apexr.analysis._wording import Finding, report
from apexr.errors import SpecError
from apexr.schema import CONFIG_COORDS


def summarise_comparison(
    data: xr.Dataset | xr.DataArray,
    variable: str = "mean_nRMSE",
    *,
    other: xr.Dataset | xr.DataArray | None = None,
    steps: int | Sequence[int] | None = None,
    confidence: float = 0.95,
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
        What is compared, as in :func:`paired_difference`.
    steps
        Time steps; by default 1, 10, 100, … and the last one.
    confidence
        Level of the intervals and of the claims.
    diverged
        ``"worst"``: a diverged seed is worse than every other. ``"drop"``: it is left out, and
        the text says that this flatters. ``"raise"``: an error.

    Raises
    ------
    SpecError
        If an argument cannot be meant or no two experiments match.
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
    check_confidence(confidence)
    array, partner = _at_steps(data, variable, other, steps)
    ratio = orientation(array, better) == "lower"
    options: dict[str, Any] = {"other": partner, "diverged": diverged, "better": better, **select}
    options["confidence"] = confidence
    paired = (paired_ratio if ratio else paired_difference)(array, statistic="median", **options)
    paired = paired.rename({"ratio" if ratio else "difference": "estimate"})
    every = probability_better(array, **options)
    names = {name: f"{name}_any" for name in ("probability", "low", "high", "p_value")}
    found = paired.assign({new: every[name] for name, new in names.items()}).compute()
    findings = _findings(found, ratio)
    adjusted = holm([finding.p for finding in findings])
    return report(found, findings, adjusted, confidence, diverged)


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
