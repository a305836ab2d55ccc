"""Gaussian random fields with a power-law spectrum."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Finite
from apexr.initial._kind import InitialCondition, initial_condition, unit_grid
from apexr.initial._normalize import Normalization
from apexr.spectral import Grid, ifft, scaling, wavenumber_norm


@initial_condition("grf")
class GaussianRandomField(InitialCondition):
    """grf;POWERLAW_EXPONENT;ZERO_MEAN;MAX_ONE - waves of all lengths, fewer short ones.

    Normal coefficients, times ``‖2π k‖^(-POWERLAW_EXPONENT / 2)``: the energy of a wave decays
    with this exponent.
    """

    powerlaw_exponent: Finite
    zero_mean: bool
    max_one: bool
    std_one: bool = False

    def __post_init__(self) -> None:
        Normalization(self.zero_mean, self.std_one, self.max_one)

    def sample(self, grid: Grid, key: PRNGKeyArray) -> Float[Array, "channel *space"]:
        """Return one state; the key is split in two: real parts, imaginary parts."""
        grid = unit_grid(grid)
        real_key, imag_key = jax.random.split(key, 2)
        shape = (1, *grid.spectral_shape)
        waves = jax.lax.complex(
            jax.random.normal(real_key, shape), jax.random.normal(imag_key, shape)
        )
        weight = power_law(grid, self.powerlaw_exponent) * scaling(grid, "coef_extraction")
        u = ifft(waves * jnp.asarray(weight.astype(complex)), grid)
        return Normalization(self.zero_mean, self.std_one, self.max_one)(u)


def power_law(grid: Grid, exponent: float) -> Float[np.ndarray, "1 *spectrum"]:
    """Return ``‖2π k‖^(-exponent / 2)`` for all waves; the mean is not scaled."""
    norm = 2 * np.pi * wavenumber_norm(grid)
    norm.flat[0] = 1.0
    return np.asarray(norm ** (-exponent / 2))
