"""White noise."""

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import PositiveFloat
from apexr.initial._kind import InitialCondition, initial_condition
from apexr.initial._normalize import Normalization
from apexr.spectral import Grid


@initial_condition("white_noise")
class WhiteNoise(InitialCondition):
    """white_noise;STD;ZERO_MEAN;MAX_ONE;STD_ONE - independent normal values at all points.

    ``STD`` is the standard deviation of the distribution, whose mean is 0; ``ZERO_MEAN`` and
    ``STD_ONE`` are about the values of each state.
    """

    std: PositiveFloat = 1.0
    zero_mean: bool = False
    max_one: bool = False
    std_one: bool = False

    def __post_init__(self) -> None:
        Normalization(self.zero_mean, self.std_one, self.max_one)

    def sample(self, grid: Grid, key: PRNGKeyArray) -> Float[Array, "1 *space"]:
        """Return one state; the key draws the values."""
        u = self.std * jax.random.normal(key, (1, *grid.shape))
        return Normalization(self.zero_mean, self.std_one, self.max_one)(u)
