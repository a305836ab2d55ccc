"""The findings of a validation: which weights are the best so far, and which seeds stop."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from apexr.training._records import NEVER
from apexr.training._stream import Streamed

Score = Callable[[Any], Float[np.ndarray, " seed"]]
"""Takes emulators, whose arrays lead with the seeds, to one number each."""


@dataclasses.dataclass(frozen=True)
class Validation:
    """The validation of a training: what is measured besides the loss, and what follows from it.

    Attributes
    ----------
    trajectories
        Data that are not trained on, in memory or read when they are needed.
    score
        The metric that decides on the best weights and on the end of a seed; None is the loss.
    keep_best
        Whether the weights with the best score are given back, not the last ones.
    patience
        After so many scores in a row that are no better than the best, a seed stops; 0 is never.
    perfect
        The score that none is better than: the nearer to it, the better.
    """

    trajectories: Float[Array, "sample frame channel *space"] | Streamed
    score: Score | None = None
    keep_best: bool = False
    patience: int = 0
    perfect: float = 0.0


class Standing(NamedTuple):
    """The findings of validation so far; all lead with the seeds.

    Attributes
    ----------
    distance, update
        How far the best score is from a perfect one, and the updates that had been made.
    waited
        Scores since then.
    stopped_at
        The updates after which a seed stopped, or -1.
    weights
        The best weights, where they are kept.
    """

    distance: Float[np.ndarray, " seed"]
    update: Int[np.ndarray, " seed"]
    waited: Int[np.ndarray, " seed"]
    stopped_at: Int[np.ndarray, " seed"]
    weights: Any = None

    @classmethod
    def fresh(cls, num_seeds: int, weights: Any) -> "Standing":
        """Return what is known before the first validation."""
        count = np.zeros(num_seeds, np.int64)
        endless = np.full(num_seeds, np.inf)
        return cls(endless, count, count, np.full(num_seeds, NEVER, np.int64), weights)

    @property
    def running(self) -> Bool[np.ndarray, " seed"]:
        """Which seeds have not stopped."""
        return self.stopped_at == NEVER

    def after(
        self,
        scores: Float[np.ndarray, " seed"],
        update: int,
        weights: Any,
        validation: Validation,
    ) -> "Standing":
        """Return the standing after one more validation of the seeds that run.

        A score that is not finite is no better than anything; of equal ones the first is best.
        """
        patience, distance = validation.patience, np.abs(scores - validation.perfect)
        better = self.running & np.isfinite(scores) & (distance < self.distance)
        waited = np.where(better, 0, self.waited + self.running)
        over = self.running & (waited >= patience) if patience else np.zeros_like(better)
        kept = self.weights
        if kept is not None and better.any():
            kept = _chosen(better, weights, kept)
        return Standing(
            np.where(better, distance, self.distance),
            np.where(better, update, self.update),
            waited,
            np.where(over, update, self.stopped_at),
            kept,
        )

    def selected(
        self, last: Any, stopped_at: Int[np.ndarray, " seed"], updates: int
    ) -> tuple[Any, Int[np.ndarray, " seed"]]:
        """Return the weights to test and after how many updates they were.

        Of a seed whose scores were never finite, these are the last ones.
        """
        found = np.isfinite(self.distance)
        end = np.where(stopped_at == NEVER, updates, stopped_at)
        if self.weights is None:
            return last, end
        return _chosen(found, self.weights, last), np.where(found, self.update, end)


@jax.jit
def _chosen(first: Bool[Array, " seed"], ours: Any, others: Any) -> Any:
    """Return weights that are the first ones for some seeds, and the others for the rest."""

    def pick(mine: Array, other: Array) -> Array:
        return jnp.where(first.reshape(-1, *(1,) * (mine.ndim - 1)), mine, other)

    return jax.tree.map(pick, ours, others)
