"""Agreement in shape, whatever the amplitude."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr.metrics._kind import Metric, metric


@metric("mean_correlation")
class Correlation(Metric):
    """mean_correlation - cosine of the angle between both fields, averaged over channels.

    No mean is subtracted: 1 is perfect, 0 is unrelated. NaN where a field is zero.
    """

    formula = "mean_c ⟨u r⟩ / (⟨u²⟩^½ ⟨r²⟩^½)"
    span = "−1 … 1"
    best = 1.0

    def sample_error(
        self, prediction: Float[Array, "channel *space"], target: Float[Array, "channel *space"]
    ) -> Float[Array, ""]:
        """Return the correlation of one predicted state."""
        return jnp.mean(_cosine(prediction, target))


@metric("mean_pearson_correlation")
class PearsonCorrelation(Metric):
    """mean_pearson_correlation - correlation of both fields without their means, by channel.

    The average over channels of Pearson's coefficient over the points of the grid; NaN where a
    field is constant.
    """

    formula = "mean_c ⟨u′ r′⟩ / (⟨u′²⟩^½ ⟨r′²⟩^½), u′ = u − ⟨u⟩, r′ = r − ⟨r⟩"
    span = "−1 … 1"
    best = 1.0

    def sample_error(
        self, prediction: Float[Array, "channel *space"], target: Float[Array, "channel *space"]
    ) -> Float[Array, ""]:
        """Return the correlation of one predicted state."""
        return jnp.mean(_cosine(centered(prediction), centered(target)))


def _cosine(
    first: Float[Array, "channel *space"], second: Float[Array, "channel *space"]
) -> Float[Array, " channel"]:
    """Return the cosine between two fields; their largest values are divided out beforehand.

    So the squares of fields that have decayed to almost nothing do not underflow.
    """
    axes = tuple(range(1, first.ndim))
    first = first / jnp.max(jnp.abs(first), axis=axes, keepdims=True)
    second = second / jnp.max(jnp.abs(second), axis=axes, keepdims=True)
    product = jnp.sum(first * second, axis=axes)
    sizes = jnp.sum(first**2, axis=axes), jnp.sum(second**2, axis=axes)
    cosine = product / (jnp.sqrt(sizes[0]) * jnp.sqrt(sizes[1]))
    return jnp.clip(cosine, -1, 1)  # rounding may lead beyond; NaN stays


def centered(field: Float[Array, "channel *space"]) -> Float[Array, "channel *space"]:
    """Return a field without its mean, exactly zero where it is constant.

    The first point is taken off before the mean: an offset that is large compared with the
    variation costs no digits, and a constant field leaves no rounding noise to correlate.
    """
    axes = tuple(range(1, field.ndim))
    corner = field[(slice(None), *[slice(0, 1)] * len(axes))]
    shifted = field - corner
    return shifted - jnp.mean(shifted, axis=axes, keepdims=True)
