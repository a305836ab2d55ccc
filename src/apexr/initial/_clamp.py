"""Initial conditions stretched to given limits."""

from typing import Annotated

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Finite, Nested
from apexr.errors import SpecError
from apexr.initial._function import StateFunction, followed_by, on_grid
from apexr.initial._kind import INITIAL_CONDITIONS, InitialCondition, initial_condition
from apexr.initial._normalize import nonzero
from apexr.spectral import Grid


@initial_condition("clamp")
class Clamp(InitialCondition):
    """clamp;LOWER;UPPER;INNER - another initial condition, from LOWER to UPPER.

    The inner state is shifted and scaled so that its smallest value is ``LOWER`` and its
    largest ``UPPER``, over all its channels; nothing is cut off. A state that is the same
    everywhere becomes ``LOWER``.
    """

    lower: Finite
    upper: Finite
    inner: Annotated[InitialCondition, Nested(INITIAL_CONDITIONS)]

    def __post_init__(self) -> None:
        if not self.lower < self.upper:
            raise SpecError(f"LOWER must be below UPPER, got {self.lower} and {self.upper}")
        if isinstance(self.inner, Clamp):
            raise SpecError("INNER must not be another clamp; one pair of limits is enough")

    @property
    def num_channels(self) -> int | None:
        """The channels of the inner initial condition."""
        return self.inner.num_channels

    def check(self, grid: Grid) -> None:
        """Refuse what the inner initial condition refuses.

        Raises
        ------
        SpecError
            If the inner initial condition does.
        """
        self.inner.check(grid)

    def sample(self, grid: Grid, key: PRNGKeyArray) -> Float[Array, "channel *space"]:
        """Return one state; the key goes to the inner initial condition."""
        u = self.inner.sample(grid, key)
        return self._stretch(u, *_limits(u))

    def sample_function(self, grid: Grid, key: PRNGKeyArray) -> StateFunction:
        """Return one state, stretched by the limits of its values on the grid."""
        inner = self.inner.sample_function(grid, key)
        return followed_by(inner, self._stretch, *_limits(on_grid(inner, grid)))

    def _stretch(self, u: Array, least: Array, width: Array) -> Array:
        return (u - least) / width * (self.upper - self.lower) + self.lower


def _limits(u: Array) -> tuple[Array, Array]:
    """Return the smallest value and the distance from it to the largest, or 1."""
    least = jnp.min(u)
    return least, nonzero(jnp.max(u - least))
