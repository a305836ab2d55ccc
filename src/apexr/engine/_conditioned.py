"""Emulators that are given more than they predict."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr.training import as_batched


class Conditioned(eqx.Module):
    """An emulator of states whose last channels stay as they are.

    The network sees all channels; what it says of the constant ones is left out.
    """

    emulator: Any
    num_predicted: int = eqx.field(static=True)

    def batched(
        self, states: Float[Array, "channel batch *space"]
    ) -> Float[Array, "channel batch *space"]:
        """Return every state of a batch one step later."""
        predicted = as_batched(self.emulator)(states)[: self.num_predicted]
        return jnp.concatenate([predicted, states[self.num_predicted :]])

    def __call__(self, state: Float[Array, "channel *space"]) -> Float[Array, "channel *space"]:
        """Return one state one step later."""
        return self.batched(state[:, None])[:, 0]
