"""Truncated Fourier series with random coefficients."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import PositiveInt
from apexr.errors import warn
from apexr.initial._kind import InitialCondition, initial_condition, unit_grid
from apexr.initial._normalize import Normalization
from apexr.spectral import Grid, ifft, low_pass_mask, scaling


@initial_condition("fourier")
class TruncatedFourier(InitialCondition):
    """fourier;CUTOFF;ZERO_MEAN;MAX_ONE - a sum of the longest waves.

    Amplitudes are uniform in (-1, 1), phases in (0, 2π), for all ``|k_d| <= CUTOFF``. Without
    ``ZERO_MEAN`` the mean is uniform in (-0.5, 0.5).
    """

    cutoff: PositiveInt
    zero_mean: bool
    max_one: bool

    def check(self, grid: Grid) -> None:
        """Warn of waves that the grid does not resolve; they are left out.

        Warns
        -----
        ApexrWarning
            If the cutoff is above ``num_points // 2``.
        """
        most = grid.num_points // 2
        if self.cutoff > most:
            warn(
                f"initial condition {str(self)!r}: {grid.num_points} points hold waves up to"
                f" {most}; the cutoff {self.cutoff} has no effect",
            )

    def sample(self, grid: Grid, key: PRNGKeyArray) -> Float[Array, "1 *space"]:
        """Return one state; the key is split in three: amplitudes, phases, mean."""
        grid = unit_grid(grid)
        amplitude_key, phase_key, mean_key = jax.random.split(key, 3)
        shape = (1, *grid.spectral_shape)
        amplitude = jax.random.uniform(amplitude_key, shape, minval=-1.0, maxval=1.0)
        phase = jax.random.uniform(phase_key, shape, minval=0.0, maxval=2 * np.pi)
        waves = jnp.where(low_pass_mask(grid, self.cutoff), _polar(amplitude, phase), 0)
        waves = waves.at[(0,) * waves.ndim].set(self._mean(mean_key))
        u = ifft(waves * scaling(grid, "coef_extraction").astype(waves.dtype), grid)
        return Normalization(max_one=self.max_one)(u)

    def _mean(self, key: PRNGKeyArray) -> Array:
        if self.zero_mean:
            return jnp.zeros((), complex)
        mean = jax.random.uniform(key, (1,), minval=-0.5, maxval=0.5)[0]
        return jax.lax.complex(mean, jnp.zeros_like(mean))


def _polar(amplitude: Float[Array, "..."], phase: Float[Array, "..."]) -> Array:
    return jax.lax.complex(amplitude * jnp.cos(phase), amplitude * jnp.sin(phase))
