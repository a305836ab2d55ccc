"""A trainer: data, objective and optimizer, waiting for an emulator."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._html import card, picture_of, shape_words
from apexr._parts import split
from apexr._typing import Step
from apexr.kernels import frames_first
from apexr.objectives import Objective
from apexr.steppers import Solver
from apexr.training._batches import count_windows
from apexr.training._chunk import window_losses
from apexr.training._loop import Attendance, Report, train
from apexr.training._moment import Hook, check_trackers
from apexr.training._plan import TrainingPlan
from apexr.training._stream import Streamed


@dataclasses.dataclass(frozen=True)
class Trainer:
    """Trains emulators on windows of trajectories.

    Parameters
    ----------
    trajectories
        Training data, ``(sample, frame, channel, *space)``.
    plan
        Objective, optimizer and sizes.

    Raises
    ------
    SpecError
        If the windows of the objective do not fit into the trajectories.
    """

    trajectories: Float[Array, "sample frame channel *space"] | Streamed
    plan: TrainingPlan

    def __post_init__(self) -> None:
        num_samples, num_frames = self.trajectories.shape[:2]
        count_windows(num_samples, num_frames, self.plan.objective.window_length)

    def _repr_html_(self) -> str:
        shape = self.trajectories.shape
        names = ("samples", "frames", "channels", *("points" for _ in shape[3:]))
        facts = {
            "objective": self.plan.objective,
            "optimizer": self.plan.optimizer,
            "batch size": self.plan.batch_size,
            "windows": count_windows(shape[0], shape[1], self.plan.objective.window_length),
            "data": shape_words(shape, names, self.trajectories.dtype),
        }
        return card("Trainer", facts, picture=self._picture())

    def _picture(self) -> str:
        """Return the first trajectory over time and space, where it is in memory."""
        if isinstance(self.trajectories, Streamed):
            return ""
        first = np.asarray(self.trajectories[0, :, 0])
        plane = first.reshape(len(first), -1) if first.ndim == 2 else first[-1]
        plane = plane.reshape(*plane.shape[:2], -1)[..., 0]
        over = "time and space" if first.ndim == 2 else "space, at its end"
        return picture_of(plane.T, f"first trajectory over {over}")

    def __call__(
        self,
        emulator: Step,
        key: PRNGKeyArray,
        report: Report | None = None,
        trackers: Sequence[Hook] = (),
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
        trackers
            Called before some of the updates; see :class:`apexr.training.Moment`.
        """
        own, shared, structure = split(emulator)
        one_seed = structure.filled(jax.tree.map(lambda array: array[None], own), shared)
        attendance = Attendance(report, trackers=check_trackers(trackers))
        done = train(one_seed, self.trajectories, key[None], self.plan, attendance)
        own = jax.tree.map(lambda array: array[0], split(done.emulators).own)
        return structure.filled(own, shared), jnp.asarray(done.losses[0])

    def full_loss(self, emulator: Step) -> float:
        """Return the loss over all windows, in batches of the plan's size."""
        frames = jnp.asarray(frames_first(np.asarray(self.trajectories)))
        num_samples, num_frames = self.trajectories.shape[:2]
        sizes = (num_samples, num_frames, self.plan.batch_size)
        plan = self.plan.along(emulator)
        return float(_mean_loss(emulator, plan.reference(), frames, plan.objective, sizes))


@eqx.filter_jit
def _mean_loss(
    emulator: Step,
    reference: Solver | None,
    frames: Float[Array, "channel frame *space"],
    objective: Objective,
    sizes: tuple[int, int, int],
) -> Float[Array, ""]:
    """Return the mean loss over all windows; sizes are samples, their frames and a batch."""
    num_samples, num_frames, batch_size = sizes
    num_windows = count_windows(num_samples, num_frames, objective.window_length)

    def one(index: Array) -> Array:
        window = (frames, index[None], num_frames)
        return window_losses(emulator, objective, reference, *window)[0]

    return jnp.mean(jax.lax.map(one, jnp.arange(num_windows), batch_size=batch_size))
