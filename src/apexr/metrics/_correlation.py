"""Agreement in shape, whatever the amplitude."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr.metrics._kind import Metric, metric


@metric("mean_correlation")
class Correlation(Metric):
    """mean_correlation - cosine of the angle between both fields, averaged over channels.

    No mean is subtracted: 1 is perfect, 0 is unrelated.
    """

    def sample_error(
        self, prediction: Float[Array, "channel *space"], target: Float[Array, "channel *space"]
    ) -> Float[Array, ""]:
        """Return the correlation of one predicted state."""
        axes = tuple(range(1, target.ndim))
        product = jnp.sum(prediction * target, axis=axes)
        sizes = jnp.sum(prediction**2, axis=axes), jnp.sum(target**2, axis=axes)
        return jnp.mean(product / (jnp.sqrt(sizes[0]) * jnp.sqrt(sizes[1])))
