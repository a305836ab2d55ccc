"""A few chosen waves with normal coefficients."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from apexr.errors import SpecError
from apexr.initial._kind import InitialCondition, initial_condition
from apexr.initial._normalize import Normalization
from apexr.spectral import Grid


@initial_condition("modes")
class Modes(InitialCondition):
    """modes;MODES;MAX_ONE - the listed waves, such as 1,2, with normal coefficients, 1D only.

    The coefficient of each wave is a complex normal number, drawn with the wavenumber folded into
    the key; the state is the inverse real Fourier transform, over the number of points.
    ``MAX_ONE`` divides by the largest absolute value.
    """

    modes: tuple[int, ...]
    max_one: bool = False

    def __post_init__(self) -> None:
        if min(self.modes) < 0 or len(set(self.modes)) < len(self.modes):
            listed = ",".join(map(str, self.modes))
            raise SpecError(f"MODES must be different wavenumbers of at least 0, got {listed}")

    def check(self, grid: Grid) -> None:
        """Refuse grids of several axes, and waves that the grid does not hold.

        Raises
        ------
        SpecError
            Naming what fits.
        """
        if grid.num_spatial_dims > 1:
            raise SpecError(
                f"initial condition {str(self)!r} has one dimension, the grid has"
                f" {grid.num_spatial_dims}; take fourier or fourier_modes"
            )
        most = grid.shape[0] // 2
        if max(self.modes) > most:
            raise SpecError(
                f"initial condition {str(self)!r}: {grid.shape[0]} points hold waves up to {most}"
            )

    def sample(self, grid: Grid, key: PRNGKeyArray) -> Float[Array, "1 *space"]:
        """Return one state; each wave folds its wavenumber into the key."""
        spectrum = jnp.zeros((1, *grid.spectral_shape), jax.dtypes.canonicalize_dtype(complex))
        for mode in self.modes:
            drawn = jax.random.normal(jax.random.fold_in(key, mode), (), spectrum.dtype)
            spectrum = spectrum.at[0, mode].set(drawn)
        u = jnp.fft.irfft(spectrum, grid.shape[0])
        return Normalization(False, False, self.max_one)(u)
