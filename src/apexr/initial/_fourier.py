"""Truncated Fourier series with random coefficients."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Finite, PositiveInt
from apexr.errors import warn
from apexr.initial import _series
from apexr.initial._function import StateFunction, state_function
from apexr.initial._kind import InitialCondition, initial_condition, unit_grid
from apexr.initial._normalize import Normalization, check_range
from apexr.spectral import Grid, ifft, low_pass_mask, scaling


@initial_condition("fourier")
class TruncatedFourier(InitialCondition):
    """fourier;CUTOFF;ZERO_MEAN;MAX_ONE - a sum of the longest waves.

    Amplitudes and angles are uniform between their limits, for all ``|k_d| <= CUTOFF``. Without
    ``ZERO_MEAN`` the mean is uniform between the limits of the offset. As they are drawn for all
    waves that the grid holds, the same key gives another state on another grid; see
    ``fourier_modes``.
    """

    cutoff: PositiveInt
    zero_mean: bool
    max_one: bool
    std_one: bool = False
    amplitude_low: Finite = -1.0
    amplitude_high: Finite = 1.0
    offset_low: Finite = -0.5
    offset_high: Finite = 0.5
    angle_low: Finite = 0.0
    angle_high: Finite = 2 * np.pi

    def __post_init__(self) -> None:
        Normalization(self.zero_mean, self.std_one, self.max_one)
        for name in ("amplitude", "offset", "angle"):
            check_range(name.upper(), getattr(self, f"{name}_low"), getattr(self, f"{name}_high"))

    def check(self, grid: Grid) -> None:
        """Warn of waves that the grid does not resolve; they are left out.

        Warns
        -----
        ApexrWarning
            If the cutoff is above ``num_points // 2`` along an axis.
        """
        points = min(grid.shape)
        most = points // 2
        if self.cutoff > most:
            warn(
                f"initial condition {str(self)!r}: {points} points hold waves up to"
                f" {most}; the cutoff {self.cutoff} has no effect there",
            )

    def sample(self, grid: Grid, key: PRNGKeyArray) -> Float[Array, "1 *space"]:
        """Return one state; the key is split in three: amplitudes, phases, mean."""
        grid = unit_grid(grid)
        amplitude_key, phase_key, mean_key = jax.random.split(key, 3)
        shape = (1, *grid.spectral_shape)
        amplitude = jax.random.uniform(
            amplitude_key, shape, minval=self.amplitude_low, maxval=self.amplitude_high
        )
        phase = jax.random.uniform(phase_key, shape, minval=self.angle_low, maxval=self.angle_high)
        waves = jnp.where(low_pass_mask(grid, self.cutoff), _polar(amplitude, phase), 0)
        waves = waves.at[(0,) * waves.ndim].set(self._mean(mean_key))
        u = ifft(waves * scaling(grid, "coef_extraction").astype(waves.dtype), grid)
        return Normalization(self.std_one, self.std_one, self.max_one)(u)

    def sample_function(self, grid: Grid, key: PRNGKeyArray) -> StateFunction:
        """Return the trigonometric polynomial through the state's values on the grid."""
        axes, modes = _series.coefficients(self.sample(grid, key), grid, self.cutoff)
        return state_function(_series.at_points, axes, modes, grid=grid)

    def _mean(self, key: PRNGKeyArray) -> Array:
        if self.zero_mean:
            return jnp.zeros((), complex)
        mean = jax.random.uniform(key, (1,), minval=self.offset_low, maxval=self.offset_high)[0]
        return jax.lax.complex(mean, jnp.zeros_like(mean))


def _polar(amplitude: Float[Array, "..."], phase: Float[Array, "..."]) -> Array:
    return jax.lax.complex(amplitude * jnp.cos(phase), amplitude * jnp.sin(phase))
