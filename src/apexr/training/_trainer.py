"""A trainer: data, objective and optimiser, waiting for an emulator."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from apexr.training._batched import as_batched
from apexr.training._batches import count_windows
from apexr.training._chunk import frames_first, gather_windows
from apexr.training._loop import Report, TrainingPlan, train


@dataclasses.dataclass(frozen=True)
class Trainer:
    """Trains emulators on windows of trajectories.

    Parameters
    ----------
    trajectories
        Training data, ``(sample, frame, channel, *space)``.
    plan
        Objective, optimiser and sizes.

    Raises
    ------
    SpecError
        If the windows of the objective do not fit into the trajectories.
    """

    trajectories: Float[Array, "sample frame channel *space"]
    plan: TrainingPlan

    def __post_init__(self) -> None:
        num_samples, num_frames = self.trajectories.shape[:2]
        count_windows(num_samples, num_frames, self.plan.objective.window_length)

    def __call__(
        self, emulator: Any, key: PRNGKeyArray, report: Report | None = None
    ) -> tuple[Any, Float[Array, " record"]]:
        """Return the trained emulator and the recorded losses.

        Parameters
        ----------
        emulator
            A module that maps a state ``(channel, *space)`` to the next.
        key
            From which the mini-batches are drawn.
        report
            Called after each chunk with the updates done and the losses.
        """
        arrays, static = eqx.partition(emulator, eqx.is_inexact_array)
        one_seed = eqx.combine(jax.tree.map(lambda array: array[None], arrays), static)
        done = train(one_seed, self.trajectories, key[None], self.plan, report)
        arrays, static = eqx.partition(done.emulators, eqx.is_inexact_array)
        trained = eqx.combine(jax.tree.map(lambda array: array[0], arrays), static)
        return trained, jnp.asarray(done.losses[0])

    def full_loss(self, emulator: Any) -> float:
        """Return the loss over all windows, in batches of the plan's size."""
        num_samples, num_frames = self.trajectories.shape[:2]
        length = self.plan.objective.window_length
        num_windows = count_windows(num_samples, num_frames, length)

        @eqx.filter_jit
        def window_losses(emulator: Any, frames: Array) -> Array:
            def one(index: Array) -> Array:
                window = gather_windows(frames, index[None], num_frames, length)
                return self.plan.objective.sample_losses(as_batched(emulator), window)[0]

            return jax.lax.map(one, jnp.arange(num_windows), batch_size=self.plan.batch_size)

        return float(jnp.mean(window_losses(emulator, frames_first(self.trajectories))))
