"""Sums of sine waves in one dimension."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Finite, PositiveInt
from apexr.errors import SpecError
from apexr.initial._function import FunctionCondition, StateFunction, state_function
from apexr.initial._kind import initial_condition
from apexr.initial._normalize import Normalization, check_range
from apexr.spectral import Grid


@initial_condition("sine_waves")
class SineWaves(FunctionCondition):
    """sine_waves;CUTOFF;MAX_ONE;... - a sum of sine waves, in one dimension.

    The state is ``Σ_k a_k sin(2π k x + p_k) + offset`` for ``k = 1 … CUTOFF``: amplitudes, phases
    and the offset are uniform between their limits. The same key gives the same function on
    every grid.
    """

    cutoff: PositiveInt = 5
    max_one: bool = False
    std_one: bool = False
    amplitude_low: Finite = -1.0
    amplitude_high: Finite = 1.0
    offset_low: Finite = 0.0
    offset_high: Finite = 0.0
    phase_low: Finite = 0.0
    phase_high: Finite = 2 * np.pi

    def __post_init__(self) -> None:
        for name in ("amplitude", "offset", "phase"):
            check_range(name.upper(), getattr(self, f"{name}_low"), getattr(self, f"{name}_high"))
        if self.std_one and (self.offset_low, self.offset_high) != (0, 0):
            raise SpecError(
                "STD_ONE needs a state of zero mean: OFFSET_LOW and OFFSET_HIGH must be 0, got"
                f" {self.offset_low} and {self.offset_high}"
            )
        Normalization(self.std_one, self.std_one, self.max_one)

    def check(self, grid: Grid) -> None:
        """Refuse grids of two or three dimensions.

        Raises
        ------
        SpecError
            Naming what there is for them.
        """
        if grid.num_spatial_dims != 1:
            raise SpecError(
                f"initial condition {str(self)!r}: sine waves are for num_spatial_dims 1, got"
                f" {grid.num_spatial_dims}; 'fourier' and 'fourier_modes' are for more"
            )

    def sample_function(self, grid: Grid, key: PRNGKeyArray) -> StateFunction:
        """Return one state; the key is split in three: amplitudes, phases, offset."""
        self.check(grid)
        draws = [
            jax.random.uniform(k, shape, minval=low, maxval=high)
            for k, (shape, low, high) in zip(jax.random.split(key, 3), self._draws, strict=True)
        ]
        normalization = Normalization(self.std_one, self.std_one, self.max_one)
        return state_function(_waves, *draws, grid=grid, normalization=normalization)

    @property
    def _draws(self) -> tuple[tuple[tuple[int, ...], float, float], ...]:
        """Shapes and limits of amplitudes, phases and offset."""
        return (
            ((self.cutoff,), self.amplitude_low, self.amplitude_high),
            ((self.cutoff,), self.phase_low, self.phase_high),
            ((), self.offset_low, self.offset_high),
        )


def _waves(
    amplitudes: Float[Array, " wave"], phases: Float[Array, " wave"], offset: Array, x: Array
) -> Array:
    k = jnp.arange(1, len(amplitudes) + 1, dtype=x.dtype)
    angles = 2 * np.pi * k * x[0][..., None] + phases
    return (jnp.sum(amplitudes * jnp.sin(angles), axis=-1) + offset)[None]
