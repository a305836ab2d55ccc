"""The root mean squared error relative to how much the reference varies."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr.metrics._kind import Metric, metric

_FLOOR = 1e-7


@metric("mean_VRMSE")
class VRMSE(Metric):
    """mean_VRMSE - root of the mean squared error over the variance, averaged over channels.

    1 is as bad as predicting the spatial mean of the reference. The small number in the
    denominator is that of the reference below, so that values are comparable; it keeps the error
    of a constant reference finite.

    References
    ----------
    Ohana et al. (2024), "The Well: a large-scale collection of diverse physics simulations for
    machine learning", NeurIPS Datasets and Benchmarks, appendix on metrics.
    """

    formula = "mean_c (⟨(u − r)²⟩ / (⟨(r − ⟨r⟩)²⟩ + 10⁻⁷))^½"

    def sample_error(
        self, prediction: Float[Array, "channel *space"], target: Float[Array, "channel *space"]
    ) -> Float[Array, ""]:
        """Return the error of one predicted state."""
        axes = tuple(range(1, target.ndim))
        error = jnp.mean((prediction - target) ** 2, axis=axes)
        return jnp.mean(jnp.sqrt(error / (jnp.var(target, axis=axes) + _FLOOR)))
