"""Truncated Fourier series that do not depend on the grid."""

import itertools
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, PRNGKeyArray

from apexr._grammar import Finite, Range
from apexr.errors import warn
from apexr.initial import _series
from apexr.initial._function import StateFunction, state_function
from apexr.initial._kind import InitialCondition, initial_condition
from apexr.initial._normalize import Normalization, check_range
from apexr.spectral import Grid

MOST_WAVES = 64


@initial_condition("fourier_modes")
class FourierModes(InitialCondition):
    """fourier_modes;CUTOFF;ZERO_MEAN;MAX_ONE;... - the longest waves, the same on every grid.

    The state is ``Σ_k a_k cos(2π k·x + φ_k)``, one term for each pair ``±k`` with
    ``|k_d| <= CUTOFF``, amplitudes uniform between their limits, phases in (0, 2π). Each mode has
    a random key of its own: a seed gives the same function on every grid, and a larger cutoff
    adds waves to it. ``MAX_ONE`` and ``STD_ONE`` measure on the grid. Without ``ZERO_MEAN`` the
    mean is uniform in (-0.5, 0.5).
    """

    cutoff: Annotated[int, Range(minimum=1, maximum=MOST_WAVES)]
    zero_mean: bool = True
    max_one: bool = False
    std_one: bool = False
    amplitude_low: Finite = -1.0
    amplitude_high: Finite = 1.0

    def __post_init__(self) -> None:
        Normalization(self.zero_mean, self.std_one, self.max_one)
        check_range("AMPLITUDE", self.amplitude_low, self.amplitude_high)

    def check(self, grid: Grid) -> None:
        """Warn of waves that the grid takes for longer ones.

        Warns
        -----
        ApexrWarning
            If the cutoff is not below ``num_points / 2`` along each axis.
        """
        points = min(grid.shape)
        if 2 * self.cutoff >= points:
            warn(
                f"initial condition {str(self)!r}: {points} points cannot hold waves up"
                f" to {self.cutoff}; take at least {2 * self.cutoff + 1}"
            )

    def sample(self, grid: Grid, key: PRNGKeyArray) -> Float[Array, "1 *space"]:
        """Return one state; each mode folds its wavenumbers into the key."""
        axes, modes = self._modes(grid, key)
        return self._normalization(_series.on_axes(axes, modes, grid))

    def sample_function(self, grid: Grid, key: PRNGKeyArray) -> StateFunction:
        """Return one state as a function; only MAX_ONE and STD_ONE make use of the points."""
        axes, modes = self._modes(grid, key)
        normalization = self._normalization
        return state_function(
            _series.at_points, axes, modes, grid=grid, normalization=normalization
        )

    @property
    def _normalization(self) -> Normalization:
        return Normalization(self.std_one, self.std_one, self.max_one)

    def _modes(self, grid: Grid, key: PRNGKeyArray) -> tuple[_series.Axes, Complex[Array, "..."]]:
        axes = _series.half_modes(grid.num_spatial_dims, self.cutoff)
        k = np.array(list(itertools.product(*axes)))
        modes = jax.vmap(self._mode, in_axes=(None, 0))(key, jnp.asarray(k + MOST_WAVES))
        kept = [_is_first_of_pair(wave) for wave in k]
        modes = jnp.where(np.array(kept), modes, 0)
        if not self.zero_mean:
            mean = jax.random.uniform(key, minval=-0.5, maxval=0.5)
            modes = modes.at[~k.any(axis=1)].set(jax.lax.complex(mean, jnp.zeros_like(mean)))
        return axes, modes.reshape([len(axis) for axis in axes])

    def _mode(self, key: PRNGKeyArray, wave: Array) -> Complex[Array, ""]:
        for component in wave:
            key = jax.random.fold_in(key, component)
        size, angle = jax.random.split(key)
        low, high = self.amplitude_low, self.amplitude_high
        amplitude = jax.random.uniform(size, minval=low, maxval=high)
        phase = jax.random.uniform(angle, maxval=2 * np.pi)
        return jax.lax.complex(amplitude * jnp.cos(phase), amplitude * jnp.sin(phase))


def _is_first_of_pair(wave: np.ndarray) -> bool:
    """Tell whether the last component other than 0 is positive."""
    nonzero = wave[wave != 0]
    return bool(len(nonzero)) and bool(nonzero[-1] > 0)
