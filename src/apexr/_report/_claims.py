"""Claims that the seeds of a study support, and those that they do not."""

import math
from collections.abc import Sequence

from apexr.analysis._dialects import PLAIN
from apexr.analysis.statistics._power import least_pairs
from apexr.analysis.statistics._verdict import Pair

MOST = 12
"""Claims that are written out; the table has all."""


def rows(pairs: Sequence[Pair], confidence: float) -> list[list[str]]:
    """Return the table of all pairs on all problems; the first line is its head."""
    several = any(finding.where for pair in pairs for finding in pair.findings)
    head = [
        "A",
        "B",
        *(["on"] if several else []),
        "errors A / B",
        f"{100 * confidence:g} % interval",
    ]
    table = [[*head, "pairs", "p, corrected", "smallest ratio told", "better"]]
    tests = sum(len(pair.findings) for pair in pairs)
    for pair in pairs:
        for finding, p, claim in zip(pair.findings, pair.adjusted, pair.claims, strict=True):
            low, high = finding.bounds
            effect = finding.smallest(tests, confidence)
            name = {"a": pair.names[0], "b": pair.names[1], "": "not told"}[claim]
            table.append(
                [
                    *pair.names,
                    *([finding.where] if several else []),
                    _number(finding.values["estimate"]) if finding.pairs else "–",
                    f"{_number(low)} to {_number(high)}" if math.isfinite(high) else "none",
                    str(finding.pairs),
                    _number(p),
                    _number(math.exp(effect)) if math.isfinite(effect) else "none",
                    name,
                ]
            )
    return table


def supported(pairs: Sequence[Pair]) -> list[str]:
    """Return what may be claimed, a sentence each."""
    told = []
    for pair in pairs:
        for finding, p, claim in zip(pair.findings, pair.adjusted, pair.claims, strict=True):
            if not claim:
                continue
            better, worse = pair.names if claim == "a" else pair.names[::-1]
            ratio = finding.values["estimate"] if finding.pairs else math.nan
            ratio = ratio if claim == "a" else 1 / ratio if ratio else math.inf
            size = f" by a factor of {_number(1 / ratio)} (median over seeds)" if ratio > 0 else ""
            where = f" on {finding.where}" if finding.where else ""
            told.append(
                f"{better} has a lower error than {worse}{where}{size}, p = {_number(p)} after"
                " correction."
            )
    if not told:
        return ["These seeds support no difference between any two."]
    more = len(told) - MOST
    rest = [f"{more} more differences, in the table above."] if more > 0 else []
    return [*told[:MOST], *rest]


def not_supported(pairs: Sequence[Pair], confidence: float) -> list[str]:
    """Return what the comparisons do not support, a sentence each."""
    findings = [finding for pair in pairs for finding in pair.findings]
    open_ones = [
        finding
        for pair in pairs
        for finding, claim in zip(pair.findings, pair.claims, strict=True)
        if not claim
    ]
    if not open_ones:
        return []
    told = [
        f"That any of the {len(open_ones)} of {len(findings)} comparisons that are not told has a"
        " winner, or that its two sides are equally good: an undecided test shows neither."
    ]
    least = least_pairs(confidence, len(findings))
    if any(0 < finding.pairs < least for finding in open_ones):
        told.append(
            f"Anything that takes more seeds: {len(findings)} tests at {100 * confidence:g} % need"
            f" at least {least} pairs of seeds each, even where all pairs agree."
        )
    return told


def _number(value: float) -> str:
    return PLAIN.number(value, 2)
