"""Any metric, of every channel on its own."""

from typing import Annotated

import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr._grammar import Nested
from apexr.errors import SpecError
from apexr.metrics._domain import Fields, on_domain
from apexr.metrics._kind import METRICS, Metric, metric


@metric("per_channel")
class PerChannel(Metric):
    """per_channel;METRIC - another metric of every channel on its own.

    Results hold it along ``channel``. ``per_channel(METRIC)`` is the same.
    """

    dims = ("channel",)
    formula = "the metric of u_c and r_c, for each c"
    span = "that of METRIC"
    best = float("nan")

    metric: Annotated[Metric, Nested(METRICS)]

    def __post_init__(self) -> None:
        """Refuse what is per channel already."""
        if self.metric.dims:
            raise SpecError(f"METRIC must give one number, got {str(self.metric)!r}")

    def on(self, fields: Fields) -> "PerChannel":
        """Return the metric of these states."""
        return PerChannel(on_domain(self.metric, fields.single))

    def sample_error(
        self, prediction: Float[Array, "channel *space"], target: Float[Array, "channel *space"]
    ) -> Float[Array, " channel"]:
        """Return the error of every channel of one predicted state."""
        each = [slice(channel, channel + 1) for channel in range(target.shape[0])]
        return jnp.stack([self.metric.sample_error(prediction[c], target[c]) for c in each])
