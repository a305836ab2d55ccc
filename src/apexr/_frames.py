"""Emulators of several frames: how many they are given, and how many they make at a call.

The state of such an emulator holds its frames one after another along the channels, the newest
last. These states are unrolled and rolled out, so that nothing else has to know of them.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

States = Float[Array, "channel batch *space"]


@dataclasses.dataclass(frozen=True)
class Frames:
    """The frames of an emulator.

    Attributes
    ----------
    given
        Of how many frames it makes the next ones.
    made
        How many it makes at a call.
    """

    given: int = 1
    made: int = 1

    def __str__(self) -> str:
        return f"a history of {self.given} frames and a bundle of {self.made}"

    @property
    def held(self) -> int:
        """Frames of a state: enough for the next call, and all that the last one made."""
        return max(self.given, self.made)

    def needed(self, num_calls: int) -> int:
        """Return how many frames of a trajectory so many calls go through."""
        return self.given + num_calls * self.made

    def calls(self, num_frames: int) -> int:
        """Return after how many calls a trajectory of so many frames is at its end."""
        return math.ceil((num_frames - self.given) / self.made)


SINGLE = Frames()
"""A state is one frame, and a call makes the next one."""


def frames_of(emulator: Any) -> Frames:
    """Return the frames of an emulator: what its ``frames`` say, else one after another."""
    found = getattr(emulator, "frames", SINGLE)
    return found if isinstance(found, Frames) else SINGLE


def states_along(
    window: Float[Array, "channel batch frame *space"], frames: Frames, num_states: int
) -> Float[Array, "held_channel batch state *space"]:
    """Return the states of a trajectory before the first call and after each of the following.

    Where a state holds more frames than have been, the first one is repeated: the next call reads
    the newest ones only.
    """
    newest = frames.given - 1 + frames.made * np.arange(num_states)
    places = np.maximum(newest + np.arange(1 - frames.held, 1)[:, None], 0)
    channels, batch, _, *space = window.shape
    chosen = jnp.moveaxis(jnp.take(window, places, axis=2), 2, 0)
    return chosen.reshape(frames.held * channels, batch, num_states, *space)


def newest(states: States, count: int, num_channels: int) -> list[States]:
    """Return the last frames of states, the oldest of them first."""
    frames = states.shape[0] // num_channels
    return [
        states[place * num_channels : (place + 1) * num_channels]
        for place in range(frames - count, frames)
    ]


def stepping_frames(
    step: Callable[[Array], Array], frames: Frames, num_channels: int
) -> Callable[[Array], Array]:
    """Return one step of single frames as a call that makes as many frames as the emulator does."""

    def call(states: States) -> States:
        frame, made = states[-num_channels:], []
        for _ in range(frames.made):
            frame = step(frame)
            made.append(frame)
        return jnp.concatenate([states, *made])[-frames.held * num_channels :]

    return call
