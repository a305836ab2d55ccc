"""Networks whose products have factors in bfloat16."""

from typing import Any

import equinox as eqx
from jaxtyping import Array, Float

from apexr._typing import Step
from apexr.networks import bfloat16_products
from apexr.training import as_batched


class Mixed(eqx.Module):
    """A network that multiplies in bfloat16 and sums in single precision.

    It goes by the names of the network's own weights, so that these fit into the network without.
    """

    in_bfloat16: Step

    def batched(
        self, states: Float[Array, "channel batch *space"]
    ) -> Float[Array, "channel batch *space"]:
        """Return the network's output for every state of a batch."""
        with bfloat16_products():
            out: Array = as_batched(self.in_bfloat16)(states)
        return out

    def __call__(self, state: Float[Array, "channel *space"]) -> Float[Array, "channel *space"]:
        """Return the network's output for one state."""
        return self.batched(state[:, None])[:, 0]

    def __getattr__(self, name: str) -> Any:
        """Return what the network has under a name, such as ``layers``."""
        if name.startswith("__") or name == "in_bfloat16":
            raise AttributeError(name)
        return getattr(self.in_bfloat16, name)


MIXED_NAME = "in_bfloat16"
"""The part of a path that names of weights leave out."""
