"""The largest error anywhere."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr.metrics._kind import Metric, metric


@metric("mean_max_error")
class MaximumError(Metric):
    """mean_max_error - largest absolute error over all channels and points.

    The mean is the one over test samples.
    """

    formula = "max_{c,x} |u − r|"

    def sample_error(
        self, prediction: Float[Array, "channel *space"], target: Float[Array, "channel *space"]
    ) -> Float[Array, ""]:
        """Return the error of one predicted state."""
        return jnp.max(jnp.abs(prediction - target))
