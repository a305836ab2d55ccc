"""Intervals of statistics over many problems, by resampling the seeds within each problem.

The plain percentile bootstrap covers too little where a problem has few seeds, so its tails are
widened as Student's distribution of so many seeds asks for (Hesterberg 2015, What teachers should
know about the bootstrap, The American Statistician 69, 371-386, section 4.2). The seeds of the
baseline, whose median run scores are relative to, are resampled, too. Where there are too few seeds
even so, there is no interval; ``docs/interval_coverage.py`` simulates how often each covers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from apexr.analysis.statistics._intervals import EVERYTHING, check_confidence, check_resampling
from apexr.errors import warn

Scores = Sequence[np.ndarray]
"""For each problem, the scores of its seeds."""

FEWEST_SEEDS, FEWEST_FREE = 3, 4
"""Seeds of each problem, and seeds beyond one a problem, from which on an interval is given."""


@dataclass(frozen=True)
class Resampling:
    """How seeds are resampled, and the level of the intervals.

    Raises
    ------
    SpecError
        For a level outside of 0 and 1, or numbers that are none of resamples or seeds.
    """

    confidence: float
    num_resamples: int
    random_seed: int

    def __post_init__(self) -> None:
        check_confidence(self.confidence)
        check_resampling(self.num_resamples, self.random_seed)

    def draw(self, scores: Scores, place: int) -> list[np.ndarray]:
        """Return for each problem the scores themselves and then resamples, ``(1 + draw, seed)``.

        ``place`` tells methods apart: they are drawn independently.
        """
        rng = np.random.default_rng([self.random_seed, place])
        size = self.num_resamples
        return [
            np.concatenate([of[None], of[rng.integers(0, len(of), (size, len(of)))]])
            for of in scores
        ]

    def ends(self, values: np.ndarray, *sides: Scores, mirrored: bool = False) -> np.ndarray:
        """Return the ends of a statistic's interval; infinite where there are too few seeds.

        Parameters
        ----------
        values
            The statistic, and then that of each resample.
        sides
            Whose seeds were resampled.
        mirrored
            Whether the statistic is biased, by the noise of the baseline's median: the interval is
            then as wide as to hold its mirror image, too, in which the bias has the other sign.
        """
        if not are_enough(*sides):
            return np.array(EVERYTHING)
        tail = self._tail(*sides)
        found, drawn = values[0], values[1:]
        low = np.quantile(drawn, tail, method="lower")  # infinite values are ordered, not averaged
        high = np.quantile(drawn, 1 - tail, method="higher")
        if mirrored and np.isfinite([found, low, high]).all():
            low, high = min(low, 2 * found - high), max(high, 2 * found - low)
        return np.array([low, high])

    def _tail(self, *sides: Scores) -> float:
        """Return what is cut off at either end."""
        from scipy.special import ndtr, stdtrit

        free = min(_free(side) for side in sides)
        fewest = min(len(of) for side in sides for of in side)
        quantile = stdtrit(free, (1 + self.confidence) / 2)
        return float(ndtr(-np.sqrt(fewest / (fewest - 1)) * quantile))


def are_enough(*sides: Scores) -> bool:
    """Tell whether there are seeds enough for an interval."""
    fewest = min(len(of) for side in sides for of in side)
    return fewest >= FEWEST_SEEDS and min(map(_free, sides)) >= FEWEST_FREE


def warn_of_few(names: Sequence[str]) -> None:
    """Warn that methods have no interval, if there are any."""
    if names:
        warn(
            f"too few seeds for an interval of {', '.join(names)}: each problem needs"
            f" {FEWEST_SEEDS} of every method, and all together {FEWEST_FREE} more than there are"
            " problems; the bounds are infinite"
        )


def _free(side: Scores) -> int:
    return sum(len(of) - 1 for of in side)
