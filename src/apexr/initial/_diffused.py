"""White noise, smoothed by diffusion."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import PositiveFloat
from apexr.initial._kind import InitialCondition, initial_condition, unit_grid
from apexr.initial._normalize import Normalization
from apexr.spectral import Grid, fft, ifft, laplacian


@initial_condition("diffused")
class DiffusedNoise(InitialCondition):
    """diffused;INTENSITY;ZERO_MEAN;MAX_ONE - white noise after diffusion.

    Independent normal values, diffused for unit time with diffusivity ``INTENSITY`` on a domain
    of extent 1: wave ``k`` is damped by ``exp(-INTENSITY (2π‖k‖)²)``.
    """

    intensity: PositiveFloat
    zero_mean: bool
    max_one: bool
    std_one: bool = False

    def __post_init__(self) -> None:
        Normalization(self.zero_mean, self.std_one, self.max_one)

    def sample(self, grid: Grid, key: PRNGKeyArray) -> Float[Array, "channel *space"]:
        """Return one state; the key draws the noise."""
        grid = unit_grid(grid)
        noise = fft(jax.random.normal(key, (1, *grid.shape)), grid.num_spatial_dims)
        damping = jnp.asarray(np.exp(self.intensity * laplacian(grid)))
        u = ifft(damping * noise, grid)
        return Normalization(self.zero_mean, self.std_one, self.max_one)(u)
