"""The sentences of a comparison over seeds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import xarray as xr

from apexr.analysis._dialects import PLAIN
from apexr.analysis._selection import STEP_DIMS, Better, Diverged
from apexr.analysis.statistics._power import POWER, least_pairs, smallest_effect

_SEEDS_VARY = (
    "Seeds vary the initial weights and the batches alone: nothing is said about other data, other"
    " scenarios or longer trainings."
)
_STEPS_DEPEND = (
    "Time steps of one rollout are not independent: that they agree is no further evidence."
)
_POWER_OF = (
    f"Power: with so many pairs, differences of this size would be told in {100 * POWER:g} % of"
    " studies; smaller ones may well be there and not be told."
)
_COUNTED = {
    "worst": "A diverged seed counts as worse than every other.",
    "drop": "Diverged seeds are left out, which flatters whoever diverged.",
}


@dataclass(frozen=True)
class Finding:
    """The findings at one step of one comparison: numbers by name, and their meaning."""

    where: str
    values: Mapping[str, float]
    ratio: bool
    better: Better

    @property
    def pairs(self) -> int:
        """How many pairs there are; without any, all seeds are compared with each other."""
        return int(self.values["num_pairs"])

    @property
    def p(self) -> float:
        """P value of the signed-rank test; without pairs, of the Mann-Whitney test."""
        p = self.values["p_wilcoxon" if self.pairs else "p_value_any"]
        return 1.0 if math.isnan(p) else p

    @property
    def bounds(self) -> tuple[float, float]:
        """Interval of the estimate; without pairs, of the probability."""
        ending = "" if self.pairs else "_any"
        return self.values[f"low{ending}"], self.values[f"high{ending}"]

    @property
    def same(self) -> bool:
        """Whether A and B are equal in every pair."""
        return 0 < self.pairs == self.values["num_equal"]

    def smallest(self, tests: int, confidence: float) -> float:
        """Return the smallest effect (the logarithm of a ratio) that the pairs can tell.

        Parameters
        ----------
        tests
            How many tests are made, for which levels are corrected.
        confidence
            Level of the claims.
        """
        level = 1 - (1 - confidence) / tests
        return smallest_effect(self.pairs, self.values["spread"], level)

    @property
    def side(self) -> str:
        """The side that median and ranks favor, without pairs the interval: a, b or none."""
        if not self.pairs:
            low, high = self.bounds
            return "a" if low > 0.5 else "b" if high < 0.5 else ""
        equal, found = (1.0 if self.ratio else 0.0), self.values["estimate"]
        ranks = self.values["signed_ranks"]
        below, above = ("a", "b") if self.better == "lower" else ("b", "a")
        if found < equal and ranks < 0:
            return below
        return above if found > equal and ranks > 0 else ""


Told = tuple[xr.Dataset, Sequence[Finding], Sequence[float], Sequence[str]]
"""The findings about a pair: numbers, findings, corrected p values, and who is better."""


def report(
    found: xr.Dataset,
    findings: Sequence[Finding],
    adjusted: Sequence[float],
    claims: Sequence[str],
    confidence: float,
    diverged: Diverged,
    *,
    corrected: bool = True,
) -> str:
    """Return the whole text of one pair: what was compared, a line a step, conclusion, cautions.

    ``adjusted`` are the p values corrected for the number of findings, ``claims`` the sides that
    are better.
    """
    tests = len(findings) if corrected else 1
    told = (found, findings, adjusted, claims)
    lines = _of_pair(told, tests, confidence)
    return "\n".join([*lines, *_cautions([told], diverged, confidence, corrected)])


def report_pairs(
    pairs: Sequence[Told], confidence: float, diverged: Diverged, *, corrected: bool
) -> str:
    """Return the text of all pairs, and what holds for all of them once."""
    findings = [finding for _, of_pair, _, _ in pairs for finding in of_pair]
    tests = len(findings) if corrected else 1
    blocks = [line for pair in pairs for line in _of_pair(pair, tests, confidence)]
    told = sum(bool(claim) for *_, claims in pairs for claim in claims)
    short = (
        f"All in all: {told} of {_count(len(findings), 'comparison')} of {len(pairs)} pairs told."
    )
    cautions = _cautions(pairs, diverged, confidence, corrected)
    return "\n".join([*blocks, short, *cautions])


def _of_pair(told: Told, tests: int, confidence: float) -> list[str]:
    """Return what was compared, a line a step, and the conclusion."""
    found, findings, adjusted, claims = told
    lines = [
        _line(finding, p, claim, tests, confidence)
        for finding, p, claim in zip(findings, adjusted, claims, strict=True)
    ]
    names = (found.attrs["a"], found.attrs["b"])
    return [_head(found), *lines, _conclusion(findings, claims, tests, confidence, names)]


def _head(found: xr.Dataset) -> str:
    common = [
        str(found[name].item())
        for name in ("scenario", "task", "net", "train")
        if name in found.coords and found[name].dims == ()
    ]
    a, b = (
        letter
        if found.attrs[letter.lower()] == letter
        else f"{letter} = {found.attrs[letter.lower()]}"
        for letter in "AB"
    )
    where = f" ({', '.join(common)})" if common else ""
    return f"{a} against {b}{where}: {found.attrs['variable']}, {found.attrs['better']} is better."


def _line(finding: Finding, p: float, claim: str, tests: int, confidence: float) -> str:
    parts = [_estimate(finding, confidence), _wins(finding), _lost(finding)]
    parts.append(f"p = {_number(finding.p)}" + (f" ({_number(p)} corrected)" if tests > 1 else ""))
    if finding.pairs:
        parts += [
            f"sign test {_number(finding.values['p_sign'])}",
            _power(finding, tests, confidence),
        ]
    said = ", ".join(part for part in parts if part)
    where = f"{finding.where}: " if finding.where else ""
    return f"- {where}{said}: {_verdict(finding, claim, tests, confidence)}."


def _estimate(finding: Finding, confidence: float) -> str:
    level = f"{100 * confidence:g} %"
    low, high = finding.bounds
    interval = f"{level} interval {_number(low)} to {_number(high)}"
    if not finding.pairs:
        chance = _number(finding.values["probability_any"])
        return f"no seed in both, A better with probability {chance} ({interval})"
    unbounded = math.isinf(high) and (low == 0 if finding.ratio else math.isinf(low))
    if unbounded:
        interval = f"no {level} interval from {_count(finding.pairs, 'pair')}"
    word = "A / B" if finding.ratio else "A - B"
    return f"{word} = {_number(finding.values['estimate'])} ({interval})"


def _power(finding: Finding, tests: int, confidence: float) -> str:
    """Return what so many pairs can tell, in words; nothing where none can be told."""
    effect = finding.smallest(tests, confidence)
    if not math.isfinite(effect):
        return ""
    told = f"a ratio of {PLAIN.number(math.exp(effect), 3)}"
    if not finding.ratio:
        told = f"a difference of {_number(effect)}"
    return f"{100 * POWER:g} % power for {told}"


def _wins(finding: Finding) -> str:
    if not finding.pairs:
        return f"{int(finding.values['num_a'])} against {int(finding.values['num_b'])} seeds"
    equal = int(finding.values["num_equal"])
    ties = f", equal in {equal}" if equal else ""
    won = int(finding.values["num_a_better"])
    return f"A better in {won} of {_count(finding.pairs, 'pair')}{ties}"


def _lost(finding: Finding) -> str:
    sides = [(finding.values[f"num_diverged_{s}"], finding.values[f"num_{s}"]) for s in "ab"]
    if not any(lost for lost, _ in sides):
        return ""
    a, b = (f"{int(lost)} of {int(number)}" for lost, number in sides)
    return f"diverged {a} of A and {b} of B"


def _verdict(finding: Finding, claim: str, tests: int, confidence: float) -> str:
    if claim:
        return f"{claim.upper()} is better"
    if finding.same:
        return "no difference"
    if _too_few(finding, tests, confidence):
        words = f"{least_pairs(confidence, 1)} pairs"
        words += f", {least_pairs(confidence, tests)} for {tests} tests" if tests > 1 else ""
        return f"not enough seeds to tell (it takes at least {words})"
    return "the seeds do not tell them apart"


def _too_few(finding: Finding, tests: int, confidence: float) -> bool:
    return 0 < finding.pairs < least_pairs(confidence, tests)


def _conclusion(
    findings: Sequence[Finding],
    claims: Sequence[str],
    tests: int,
    confidence: float,
    names: tuple[str, str],
) -> str:
    if all(finding.same for finding in findings):
        return "In short: no difference, A and B are equal in every pair."
    if not any(claims) and all(_too_few(f, tests, confidence) for f in findings):
        return "In short: there are not enough seeds to tell the two apart."
    if not any(claims):
        return "In short: these seeds do not tell the two apart."
    parts = [
        f"{name} is better"
        + (f" in {claims.count(side)} of {len(claims)}" if len(claims) > 1 else "")
        for side, name in zip("ab", names, strict=True)
        if side in claims
    ]
    if "" in claims:
        parts.append(f"the seeds do not tell them apart in {claims.count('')}")
    return f"In short: {', '.join(parts)}."


def _cautions(
    pairs: Sequence[Told], diverged: Diverged, confidence: float, corrected: bool
) -> list[str]:
    findings = [finding for _, of_pair, _, _ in pairs for finding in of_pair]
    number = len(findings)
    lost = any(f.values["num_diverged_a"] or f.values["num_diverged_b"] for f in findings)
    said = [_COUNTED[diverged]] if lost and diverged in _COUNTED else []
    only_a, only_b = (int(max(f.values[f"num_only_{s}"] for f in findings)) for s in "ab")
    unpaired = not any(finding.pairs for finding in findings)
    if (only_a or only_b) and not unpaired:
        said.append(f"Seeds without a partner, not compared: {only_a} of A, {only_b} of B.")
    test = "p is of the exact two-sided Mann-Whitney test"
    if not unpaired:
        test = "p is of Wilcoxon's exact two-sided signed-rank test, which decides"
        tests = number if corrected else 1
        said += [_POWER_OF] if any(_power(f, tests, confidence) for f in findings) else []
    if number == 1:
        return [*said, f"{test}.", _SEEDS_VARY]
    how = f"corrected for {number} tests by Holm's method."
    if not corrected:
        how = (
            f"not corrected for {number} tests: where there is no difference at all,"
            f" {number * (1 - confidence):.2g} claims are to be expected."
        )
    found = pairs[0][0]
    along = any(found.sizes.get(dim, 1) > 1 for dim in STEP_DIMS)
    steps = [_STEPS_DEPEND] if along else []
    return [*said, f"{test}, {how}", *steps, _SEEDS_VARY]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _number(value: float) -> str:
    return PLAIN.number(value, 2)
