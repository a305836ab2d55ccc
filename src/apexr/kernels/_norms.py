"""The norm over groups of channels, with a gradient of few sweeps over the states.

Derived operation by operation, its gradient sums over all points five times. Here the derivative
is written so that it reads the states only through two numbers a channel and sample: what
multiplies the normalized state, and what is added. The gradient then sums twice, once for each,
and all else that it needs follows from these sums.
"""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Grouped = Float[Array, "group channel batch point"]
Sums = Float[Array, "group channel batch one"]
POINTS = (1, 3)
"""The axes of a grouped state over which statistics are taken."""


def normalize_groups(
    x: Float[Array, "channel batch *space"],
    weight: Float[Array, " channel"],
    bias: Float[Array, " channel"],
    *,
    num_groups: int,
    epsilon: float,
) -> Float[Array, "channel batch *space"]:
    """Return ``γ (x − ⟨x⟩) / √(⟨(x − ⟨x⟩)²⟩ + ε) + β`` with means over space and a group.

    Parameters
    ----------
    x
        A batch of states.
    weight, bias
        The ``γ`` and ``β`` of each channel.
    num_groups
        How many groups share the channels evenly.
    epsilon
        Added to the variance.
    """
    grouped = x.reshape(num_groups, -1, x.shape[1], x[0, 0].size)
    ours = (array.reshape(num_groups, -1, 1, 1) for array in (weight, bias))
    return _normalize(grouped, *ours, epsilon).reshape(x.shape)


@functools.partial(jax.custom_jvp, nondiff_argnums=(3,))
def _normalize(x: Grouped, weight: Array, bias: Array, epsilon: float) -> Grouped:
    normal, _ = _standardized(x, epsilon)
    return normal * weight + bias


@_normalize.defjvp
def _normalize_jvp(
    epsilon: float, primals: tuple[Array, ...], tangents: tuple[Array, ...]
) -> tuple[Grouped, Grouped]:
    (x, weight, bias), (x_change, weight_change, bias_change) = primals, tangents
    normal, rate = _standardized(x, epsilon)
    slope = weight * rate
    added = bias_change - slope * jnp.mean(x_change, POINTS, keepdims=True)
    stretch = weight_change - slope * jnp.mean(normal * x_change, POINTS, keepdims=True)
    return normal * weight + bias, slope * x_change + stretch * normal + added


def _standardized(x: Grouped, epsilon: float) -> tuple[Grouped, Sums]:
    """Return the states with mean zero and variance one, and by what they were multiplied."""
    centered = x - jnp.mean(x, POINTS, keepdims=True)
    rate = jax.lax.rsqrt(jnp.mean(jnp.square(centered), POINTS, keepdims=True) + epsilon)
    return centered * rate, rate
