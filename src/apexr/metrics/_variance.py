"""The root mean squared error relative to how much the reference varies."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr.metrics._correlation import centered
from apexr.metrics._kind import metric
from apexr.metrics._spatial import SpatialMetric


@metric("mean_VRMSE")
class VRMSE(SpatialMetric):
    """mean_VRMSE - root of the mean squared error over the variance, averaged over channels.

    1 is as bad as predicting the spatial mean of the reference. As in the paper below, but without
    its small number in the denominator, which would hide the errors of fields of small values; a
    constant reference has an infinite error.

    References
    ----------
    Ohana et al. (2024), "The Well: a large-scale collection of diverse physics simulations for
    machine learning", NeurIPS Datasets and Benchmarks, appendix on metrics.
    """

    inner, outer, mode = 2, 0.5, "normalized"
    formula = "mean_c (⟨(u − r)²⟩ / ⟨(r − ⟨r⟩)²⟩)^½"

    def sample_error(
        self, prediction: Float[Array, "channel *space"], target: Float[Array, "channel *space"]
    ) -> Float[Array, ""]:
        """Return the error of one predicted state."""
        return jnp.mean(self.relative(prediction - target, centered(target)))
