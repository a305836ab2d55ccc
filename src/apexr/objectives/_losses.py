"""Losses of one time level: one number for every sample of a batch."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def mean_square(
    prediction: Float[Array, "channel batch *space"], target: Float[Array, "channel batch *space"]
) -> Float[Array, " batch"]:
    """Return the squared error of each sample, averaged over channels and space."""
    error = prediction - target
    return jnp.mean(error * error, axis=(0, *range(2, error.ndim)))
