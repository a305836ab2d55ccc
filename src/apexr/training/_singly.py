"""Training by somebody else's trainer: one seed after another."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from apexr._parts import split
from apexr._typing import Step
from apexr.errors import ShapeError, SpecError
from apexr.training._clock import Clock
from apexr.training._plan import TrainingPlan
from apexr.training._records import NEVER
from apexr.training._result import Trained

OwnTrainer = Callable[[Any, PRNGKeyArray], tuple[Any, ...]]
"""Takes an emulator and a key, and returns the trained emulator, its losses and what it likes."""


@dataclasses.dataclass(frozen=True)
class Singly:
    """A training of all seeds by a trainer of one.

    Attributes
    ----------
    trainer
        Trains one emulator.
    plan
        Says how often a loss is recorded.
    """

    trainer: OwnTrainer
    plan: TrainingPlan

    def __call__(self, emulators: Step, shuffle_keys: PRNGKeyArray) -> Trained:
        """Return the trained emulators; parameters are those of :func:`apexr.training.train`.

        Raises
        ------
        SpecError, ShapeError
            If the trainer returns something else than an emulator like the one it got and losses.
        """
        own, shared, structure = split(emulators)
        with Clock() as clock:
            outcomes = [
                _outcome(self.trainer, structure.filled(_at(own, place), shared), key)
                for place, key in enumerate(shuffle_keys)
            ]
        parts = [split(emulator) for emulator, _ in outcomes]
        try:
            trained = jax.tree.map(lambda *arrays: jnp.stack(arrays), *(p.own for p in parts))
            losses = np.stack([losses for _, losses in outcomes])
        except ValueError as error:
            raise ShapeError(
                f"get_trainer: two seeds were trained to other shapes ({error})"
            ) from (error)
        every = self._interval(losses.shape[1])
        lost = ~np.isfinite(losses)
        return Trained(
            emulators=parts[0].structure.filled(trained, parts[0].shared),
            losses=losses,
            update_steps=every * np.arange(losses.shape[1]),
            diverged_at=np.where(lost.any(axis=1), every * lost.argmax(axis=1), NEVER),
            train_seconds=clock.work_seconds,
            compile_seconds=clock.compile_seconds,
        )

    def _interval(self, num_losses: int) -> int:
        """Return how many updates lie between two losses: those of the plan, else one."""
        every = self.plan.record_loss_every
        return every if num_losses == -(-self.plan.optimizer.updates // every) else 1


def _at(own: Any, place: int) -> Any:
    return jax.tree.map(lambda array: array[place], own)


def _outcome(trainer: OwnTrainer, emulator: Step, key: PRNGKeyArray) -> tuple[Any, np.ndarray]:
    outcome: Any = trainer(emulator, key)
    if not isinstance(outcome, tuple) or len(outcome) < 2 or not callable(outcome[0]):
        raise SpecError(
            "what get_trainer returns must map (emulator, key) to (trained emulator, losses),"
            f" got {type(outcome).__name__} from it"
        )
    losses = np.asarray(outcome[1], np.float32)
    if losses.ndim != 1 or not losses.size:
        raise ShapeError(
            f"what get_trainer returns must give losses of shape (update,), got {losses.shape}"
        )
    return outcome[0], losses
