"""Consequences of validation in a training: which weights are tested, which seeds go on."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from apexr.training._base import Optimizer, averaged
from apexr.training._checkpoint import Progress
from apexr.training._chunk import Constants, Static, TrainState, Work
from apexr.training._records import VALID_LOSS, VALID_SCORE, Records
from apexr.training._result import Validated
from apexr.training._standing import Standing, Validation
from apexr.training._validation import Validator


class Judge:
    """Says which weights of a training are tested, and which seeds go on.

    Parameters
    ----------
    optimizer, static, constants
        Those of the training.
    validation
        The validation; without one, nothing follows.
    batch_size
        Windows that go through an emulator at a time.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        static: Static,
        constants: Constants,
        validation: Validation | None,
        batch_size: int,
    ) -> None:
        self._optimizer = optimizer
        self._validator = None
        if validation is not None:
            self._validator = Validator(validation, static, constants, batch_size)
        self._keeps_best = validation is not None and validation.keep_best
        self._patience = 0 if validation is None else validation.patience

    def tested(self, state: TrainState) -> Any:
        """Return the weights that tests and validation use."""
        return averaged(self._optimizer, state.optimizer, state.params)

    def copied(self, state: TrainState) -> tuple[Any, Any]:
        """Return copies of the weights, and of those that tests use."""
        weights = jax.tree.map(jnp.copy, state.params)
        return weights, averaged(self._optimizer, state.optimizer, weights)

    def fresh(self, state: TrainState) -> Standing | None:
        """Return what is known before the first validation."""
        if self._validator is None:
            return None
        best = jax.tree.map(jnp.copy, state.params) if self._keeps_best else None
        return Standing.fresh(len(state.diverged_at), best)

    def judged(
        self,
        standing: Standing | None,
        state: TrainState,
        update: int,
        records: Records,
    ) -> Standing | None:
        """Return the standing after a validation before an update, which is noted.

        The findings of seeds that have stopped stay: so do their weights.
        """
        if self._validator is None or standing is None:
            return None
        weights, running = self.tested(state), standing.running
        if not running.any():
            records.repeat(update)
            return standing
        losses = self._validator.losses(weights)
        scores = self._validator.scores(weights, losses)
        records.measure(update, {VALID_LOSS: losses, VALID_SCORE: scores}, running)
        return standing.after(scores, update, weights, self._validator.validation)

    def allotted(self, work: Work, standing: Standing | None) -> Work:
        """Return the work of the seeds that have not stopped."""
        if standing is None or not self._patience:
            return work
        return dataclasses.replace(work, running=standing.running)

    def outcome(self, done: Progress) -> tuple[Any, Validated | None]:
        """Return the weights to test, and what validation found."""
        last, standing = self.tested(done.state), done.standing
        if standing is None:
            return last, None
        stopped_at = standing.stopped_at
        if self._keeps_best:  # the last weights may be the best ones
            standing = self.judged(standing, done.state, done.update, Records()) or standing
        weights, selected_at = standing.selected(last, stopped_at, done.update)
        measured = {name: series.record().values for name, series in done.records.measured.items()}
        losses, scores = measured[VALID_LOSS], measured[VALID_SCORE]
        return weights, Validated(losses, scores, selected_at, stopped_at)
