"""White noise whose waves are cut off, or decay by a power law.

Noise is drawn at the points of the grid and transformed, as the second release of the benchmark's
solver does for its Fourier series and random fields; :func:`drawn_from_noise` takes the one to the
other.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, PRNGKeyArray

from apexr._grammar import Finite, PositiveInt
from apexr.errors import SpecError
from apexr.initial._fourier import TruncatedFourier
from apexr.initial._grf import GaussianRandomField, power_law
from apexr.initial._kind import InitialCondition, initial_condition, unit_grid
from apexr.initial._normalize import Normalization, check_range
from apexr.spectral import Grid, fft, ifft, low_pass_mask


@initial_condition("noise_fourier")
class NoiseFourier(InitialCondition):
    """noise_fourier;CUTOFF;ZERO_MEAN;MAX_ONE - the longest waves of white noise.

    Independent normal values, of which all waves with ``|k_d| <= CUTOFF`` are left. Without
    ``ZERO_MEAN`` the sum over all points is uniform between the limits of the offset.

    References
    ----------
    Exponax 0.2.0, ``RandomTruncatedFourierSeries``.
    """

    cutoff: PositiveInt
    zero_mean: bool
    max_one: bool
    std_one: bool = False
    offset_low: Finite = -0.5
    offset_high: Finite = 0.5

    def __post_init__(self) -> None:
        Normalization(self.zero_mean, self.std_one, self.max_one)
        check_range("OFFSET", self.offset_low, self.offset_high)

    def sample(self, grid: Grid, key: PRNGKeyArray) -> Float[Array, "1 *space"]:
        """Return one state; the key is split in two: noise, sum."""
        grid = unit_grid(grid)
        noise_key, sum_key = jax.random.split(key)
        waves = jnp.where(low_pass_mask(grid, self.cutoff), _noise(grid, noise_key), 0)
        limits = (0.0, 0.0) if self.zero_mean else (self.offset_low, self.offset_high)
        total = jax.random.uniform(sum_key, (1,), minval=limits[0], maxval=limits[1])[0]
        waves = waves.at[(0,) * waves.ndim].set(jax.lax.complex(total, jnp.zeros_like(total)))
        u = ifft(waves, grid)
        return Normalization(self.zero_mean, self.std_one, self.max_one)(u)


@initial_condition("noise_grf")
class NoiseField(GaussianRandomField):
    """noise_grf;POWERLAW_EXPONENT;ZERO_MEAN;MAX_ONE - white noise with fewer short waves.

    Independent normal values, whose waves are multiplied by ``‖2π k‖^(-POWERLAW_EXPONENT / 2)``.

    References
    ----------
    Exponax 0.2.0, ``GaussianRandomField``.
    """

    def sample(self, grid: Grid, key: PRNGKeyArray) -> Float[Array, "1 *space"]:
        """Return one state; the key draws the noise."""
        grid = unit_grid(grid)
        weight = jnp.asarray(power_law(grid, self.powerlaw_exponent).astype(complex))
        u = ifft(_noise(grid, key) * weight, grid)
        return Normalization(self.zero_mean, self.std_one, self.max_one)(u)


def _noise(grid: Grid, key: PRNGKeyArray) -> Complex[Array, "1 *spectrum"]:
    """Return the waves of independent normal values."""
    return fft(jax.random.normal(key, (1, *grid.shape)), grid.num_spatial_dims)


def drawn_from_noise(condition: InitialCondition) -> InitialCondition:
    """Return an initial condition whose Fourier series and random fields are filtered noise.

    Raises
    ------
    SpecError
        If a Fourier series has limits of amplitudes or angles, which filtered noise has not.
    """
    if isinstance(condition, TruncatedFourier):
        return _from_series(condition)
    if isinstance(condition, GaussianRandomField):
        return NoiseField(**vars(condition))
    if not dataclasses.is_dataclass(condition):
        return condition
    inner = {
        field.name: changed
        for field in dataclasses.fields(condition)
        if (changed := _changed(value := getattr(condition, field.name))) is not value
    }
    return dataclasses.replace(condition, **inner) if inner else condition


def _changed(value: Any) -> Any:
    """Return what a field holds, the initial conditions in it changed."""
    if isinstance(value, InitialCondition):
        return drawn_from_noise(value)
    if isinstance(value, tuple) and any(isinstance(one, InitialCondition) for one in value):
        return tuple(map(_changed, value))
    return value


def _from_series(series: TruncatedFourier) -> NoiseFourier:
    given = vars(series).copy()
    for name in ("amplitude", "angle"):
        limits = [given.pop(f"{name}_{end}") for end in ("low", "high")]
        usual = [getattr(TruncatedFourier, f"{name}_{end}") for end in ("low", "high")]
        if limits != usual:
            raise SpecError(
                f"initial condition {str(series)!r} has limits of its {name}s, {limits}; filtered"
                ' noise has none: leave them out, or take numerics="apebench"'
            )
    return NoiseFourier(**given)
