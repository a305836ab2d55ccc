"""Lyapunov exponents of a step: growth rates of perturbations along trajectories.

Tangent vectors are carried along the trajectory by the linearized step and made orthonormal by a
QR decomposition every few steps; the logarithms of the diagonal of R add up to the exponents
(Benettin et al. 1980, Meccanica 15, 9, doi:10.1007/BF02128236).
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._parts import Structure, split
from apexr._typing import Step

Growth = Float[np.ndarray, "sample interval exponent"]
States = Float[np.ndarray, "sample channel *space"]

NUM_BLOCKS = 20
"""Blocks of time whose means tell the standard error."""


def lyapunov_growth(
    step: Step,
    states: Float[Array, "sample channel *space"],
    key: PRNGKeyArray,
    *,
    num_exponents: int,
    every: int,
    num_intervals: int,
    num_spinup: int,
    without_mean: bool,
) -> tuple[
    Float[np.ndarray, "sample interval exponent"], Float[np.ndarray, "sample channel *space"]
]:
    """Return how the logarithms of perturbations grow in each interval, and the last states.

    Parameters
    ----------
    step
        The step from a state ``(channel, *space)`` to the next one; JAX differentiates it forward.
    states
        Where the trajectories begin.
    key
        Draws the first perturbations.
    num_exponents
        Perturbations that are carried along.
    every
        Steps of an interval, after which perturbations are made orthonormal.
    num_intervals, num_spinup
        Intervals that are returned, and those before, in which perturbations turn to where they
        grow.
    without_mean
        Whether perturbations have no mean in any channel.
    """
    own, shared, structure = split(step)
    values, last = _growth(
        own,
        shared,
        states,
        key,
        structure,
        (num_exponents, every, num_intervals, num_spinup, without_mean),
    )
    return np.asarray(values), np.asarray(last)


@partial(jax.jit, static_argnums=(4, 5))
def _growth(
    own: Any,
    shared: Any,
    states: Array,
    key: PRNGKeyArray,
    structure: Structure,
    plan: tuple[int, int, int, int, bool],
) -> tuple[Array, Array]:
    num_exponents, every, num_intervals, num_spinup, without_mean = plan
    step = structure.filled(own, shared)

    def orthonormal(vectors: Float[Array, "exponent channel *space"]) -> tuple[Array, Array]:
        if without_mean:
            axes = tuple(range(2, vectors.ndim))
            vectors = vectors - jnp.mean(vectors, axis=axes, keepdims=True)
        q, r = jnp.linalg.qr(vectors.reshape(num_exponents, -1).T)
        return q.T.reshape(vectors.shape), jnp.log(jnp.abs(jnp.diagonal(r)))

    def advance(carry: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
        state, vectors = carry
        state, tangent = jax.linearize(step, state)
        return (state, jax.vmap(tangent)(vectors)), None

    def interval(carry: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], Array]:
        state, vectors = jax.lax.scan(advance, carry, length=every)[0]
        vectors, growth = orthonormal(vectors)
        return (state, vectors), growth

    def trajectory(state: Array, key: PRNGKeyArray) -> tuple[Array, Array]:
        vectors = jax.random.normal(key, (num_exponents, *state.shape), state.dtype)
        begin = (state, orthonormal(vectors)[0])
        begin = jax.lax.scan(interval, begin, length=num_spinup)[0]
        (state, _), growth = jax.lax.scan(interval, begin, length=num_intervals)
        return growth, state

    keys = jax.random.split(key, len(states))
    values: tuple[Array, Array] = jax.vmap(trajectory)(states, keys)
    return values


def block_means(growth: Growth, duration: float) -> Float[np.ndarray, "sample block exponent"]:
    """Return the exponents within blocks of time, :data:`NUM_BLOCKS` of each sample.

    Long blocks are nearly independent of each other, where single intervals are not, so that
    their spread tells the standard error of the mean. Steps that do not fill a block are left out
    at the beginning; with fewer intervals than blocks, each is a block.

    Parameters
    ----------
    growth
        Growth of the logarithms in each interval.
    duration
        Time of an interval.
    """
    num_blocks = min(NUM_BLOCKS, growth.shape[1])
    size = growth.shape[1] // num_blocks
    kept = np.asarray(growth, np.float64)[:, growth.shape[1] - size * num_blocks :]
    return kept.reshape(len(kept), num_blocks, size, -1).mean(axis=2) / duration


def kaplan_yorke(exponents: Float[np.ndarray, " exponent"]) -> float:
    """Return the Kaplan-Yorke dimension of exponents in descending order.

    ``j + Σ_{i≤j} λ_i / |λ_{j+1}|`` with the largest ``j`` for which the sum is not negative
    (Kaplan and Yorke 1979, doi:10.1007/BFb0064319). 0 where the first exponent is negative; NaN
    where the sum of all is not negative, so that more exponents are needed.
    """
    sums = np.cumsum(exponents)
    if not np.all(np.isfinite(sums)) or not np.any(sums < 0):
        return float("nan")
    kept = int(np.argmax(sums < 0))
    return float(kept + (sums[kept - 1] / abs(exponents[kept]) if kept else 0.0))
