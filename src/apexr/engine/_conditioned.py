"""Emulators that are given more than they predict."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr._frames import SINGLE, Frames
from apexr.training import as_batched


class Conditioned(eqx.Module):
    """An emulator of states whose last channels stay as they are.

    The network sees all channels; what it says of the constant ones is left out.

    Attributes
    ----------
    num_predicted
        Channels of a frame that are predicted.
    frames
        The frames of the emulator.
    """

    emulator: Any
    num_predicted: int = eqx.field(static=True)
    frames: Frames = eqx.field(static=True, default=SINGLE)

    def batched(
        self, states: Float[Array, "channel batch *space"]
    ) -> Float[Array, "channel batch *space"]:
        """Return every state of a batch one step later."""
        count = self.frames.held * self.num_predicted
        predicted = as_batched(self.emulator)(states)[:count]
        return jnp.concatenate([predicted, states[count:]])

    def __call__(self, state: Float[Array, "channel *space"]) -> Float[Array, "channel *space"]:
        """Return one state one step later."""
        return self.batched(state[:, None])[:, 0]
