"""Boxes of random size, place and height."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Finite, PositiveInt
from apexr.initial._function import FunctionCondition, StateFunction, state_function
from apexr.initial._kind import initial_condition
from apexr.initial._normalize import Normalization, check_range
from apexr.spectral import Grid


@initial_condition("discontinuities")
class Discontinuities(FunctionCondition):
    """discontinuities;NUM_DISCONTINUITIES;ZERO_MEAN;... - a sum of boxes with sharp edges.

    Along each axis the two faces of a box are uniform in (0, 1); its height is uniform between
    ``VALUE_LOW`` and ``VALUE_HIGH``. Outside, a box is 0.
    """

    num_discontinuities: PositiveInt = 3
    zero_mean: bool = False
    max_one: bool = False
    std_one: bool = False
    value_low: Finite = -1.0
    value_high: Finite = 1.0

    def __post_init__(self) -> None:
        Normalization(self.zero_mean, self.std_one, self.max_one)
        check_range("VALUE", self.value_low, self.value_high)

    def sample_function(self, grid: Grid, key: PRNGKeyArray) -> StateFunction:
        """Return one state; the key is split, one key a box.

        For each axis a box's key is split in three: one face, the other, the next key. The last
        one draws the height.
        """
        keys = jax.random.split(key, self.num_discontinuities)
        boxes = jax.vmap(self._draw, in_axes=(0, None))(keys, grid.num_spatial_dims)
        normalization = Normalization(self.zero_mean, self.std_one, self.max_one)
        return state_function(_boxes, *boxes, grid=grid, normalization=normalization)

    def _draw(self, key: PRNGKeyArray, num_spatial_dims: int) -> tuple[Array, Array]:
        """Return the faces (dim, 2) and the height of a box."""
        faces = []
        for _ in range(num_spatial_dims):
            one, other, key = jax.random.split(key, 3)
            faces.append(jnp.stack([jax.random.uniform(one), jax.random.uniform(other)]))
        height = jax.random.uniform(key, minval=self.value_low, maxval=self.value_high)
        return jnp.stack(faces), height


def _boxes(faces: Float[Array, "box dim 2"], heights: Float[Array, " box"], x: Array) -> Array:
    return jnp.sum(jax.vmap(_box, in_axes=(0, 0, None))(faces, heights, x), axis=0)[None]


def _box(faces: Float[Array, "dim 2"], height: Float[Array, ""], x: Array) -> Array:
    inside = jnp.ones(x.shape[1:], bool)
    for position, pair in zip(x, faces, strict=True):
        inside &= (jnp.min(pair) < position) & (position < jnp.max(pair))
    return jnp.where(inside, height, 0.0)
