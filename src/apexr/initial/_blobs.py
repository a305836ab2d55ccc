"""Gaussian blobs at random places."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Finite, PositiveFloat, PositiveInt
from apexr.initial._function import FunctionCondition, StateFunction, state_function
from apexr.initial._kind import initial_condition
from apexr.initial._normalize import check_range
from apexr.spectral import Grid


@initial_condition("blobs")
class GaussianBlobs(FunctionCondition):
    """blobs;NUM_BLOBS;ONE_COMPLEMENT;... - the mean of Gaussian blobs of height 1.

    A blob is ``exp(-½ Σ_d (x_d - p_d)² / v_d)`` with a center ``p`` and variances ``v`` that are
    uniform between their limits, on a domain of extent 1. It is not repeated periodically. With
    ``ONE_COMPLEMENT`` it is 1 minus that.
    """

    num_blobs: PositiveInt = 1
    one_complement: bool = False
    position_low: Finite = 0.4
    position_high: Finite = 0.6
    variance_low: PositiveFloat = 0.005
    variance_high: PositiveFloat = 0.01

    def __post_init__(self) -> None:
        check_range("POSITION", self.position_low, self.position_high)
        check_range("VARIANCE", self.variance_low, self.variance_high)

    def sample_function(self, grid: Grid, key: PRNGKeyArray) -> StateFunction:
        """Return one state; a chain of keys gives each blob one, split in position, variance."""
        shape = (grid.num_spatial_dims,)

        def link(chain: PRNGKeyArray, _: None) -> tuple[PRNGKeyArray, tuple[Array, Array]]:
            chain, key = jax.random.split(chain)
            place, width = jax.random.split(key)
            position = jax.random.uniform(
                place, shape, minval=self.position_low, maxval=self.position_high
            )
            variance = jax.random.uniform(
                width, shape, minval=self.variance_low, maxval=self.variance_high
            )
            return chain, (position, variance)

        _, blobs = jax.lax.scan(link, key, length=self.num_blobs)
        values = _complement if self.one_complement else _blobs
        return state_function(values, *blobs, grid=grid)


def _blobs(
    positions: Float[Array, "blob dim"], variances: Float[Array, "blob dim"], x: Array
) -> Array:
    each = jax.vmap(_blob, in_axes=(0, 0, None))(positions, variances, x)
    return jnp.mean(each, axis=0)[None]


def _blob(position: Float[Array, " dim"], variance: Float[Array, " dim"], x: Array) -> Array:
    squares = [(x[d] - position[d]) ** 2 / variance[d] for d in range(len(x))]
    return jnp.exp(-0.5 * sum(squares[1:], squares[0]))


def _complement(positions: Array, variances: Array, x: Array) -> Array:
    return 1 - _blobs(positions, variances, x)
