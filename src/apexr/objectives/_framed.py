"""Objectives for emulators that are given or make several frames."""

import dataclasses

import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr._frames import Frames, newest, states_along, stepping_frames
from apexr.objectives._kind import PLAIN, Emulator, Enclosing, Objective, Setting
from apexr.objectives._losses import LossFunction


@dataclasses.dataclass(frozen=True)
class Framed(Enclosing):
    """Another objective along the states of several frames of an emulator.

    A frame of the objective is a state of the emulator, and a step of it is a call.
    Only the frames that the call made are compared, each by itself: their losses are averaged.

    Parameters
    ----------
    objective
        The objective.
    frames
        The frames of the emulator.
    """

    objective: Objective
    frames: Frames

    def __str__(self) -> str:
        return str(self.objective)

    @property
    def window_length(self) -> int:
        """The frames that are given, and those of all calls."""
        return self.frames.needed(self.objective.window_length - 1)

    @property
    def stored_frames(self) -> int:
        """The frames that are given, and those of the calls that are compared with data."""
        return self.frames.needed(self.objective.stored_frames - 1)

    def sample_losses(
        self,
        emulate: Emulator,
        window: Float[Array, "channel batch frame *space"],
        setting: Setting = PLAIN,
    ) -> Float[Array, " batch"]:
        """Return the losses of the objective within."""
        channels = window.shape[0]
        states = states_along(window, self.frames, self.objective.stored_frames)
        noise = setting.noise
        if noise is not None:
            spread = jnp.tile(noise.spread, self.frames.held)
            noise = dataclasses.replace(noise, spread=spread)
        changed = dataclasses.replace(
            setting,
            noise=noise,
            reference=stepping_frames(setting.reference, self.frames, channels),
            loss=self._of_made(setting.loss, channels),
            of_state=lambda loss: self._of_made(loss, channels),
        )
        return self.objective.sample_losses(emulate, states, changed)

    def _of_made(self, loss: LossFunction, num_channels: int) -> LossFunction:
        """Return a loss of frames as one of states."""
        count = self.frames.made

        def of_states(prediction: Array, target: Array) -> Float[Array, " batch"]:
            pairs = zip(
                newest(prediction, count, num_channels),
                newest(target, count, num_channels),
                strict=True,
            )
            losses = [loss(*pair) for pair in pairs]
            return losses[0] if count == 1 else jnp.mean(jnp.stack(losses), axis=0)

        return of_states


def framed(objective: Objective, frames: Frames) -> Objective:
    """Return the objective as it is for emulators of these frames."""
    plain = objective.objective if isinstance(objective, Framed) else objective
    return plain if frames == Frames() else Framed(plain, frames)
