"""Initial conditions stretched to given limits."""

from typing import Annotated

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Finite, Nested
from apexr.errors import SpecError
from apexr.initial._kind import INITIAL_CONDITIONS, InitialCondition, initial_condition
from apexr.spectral import Grid


@initial_condition("clamp")
class Clamp(InitialCondition):
    """clamp;LOWER;UPPER;INNER - another initial condition, from LOWER to UPPER.

    The inner state is shifted and scaled so that its smallest value is ``LOWER`` and its
    largest ``UPPER``; nothing is cut off.
    """

    lower: Finite
    upper: Finite
    inner: Annotated[InitialCondition, Nested(INITIAL_CONDITIONS)]

    def __post_init__(self) -> None:
        if not self.lower < self.upper:
            raise SpecError(f"LOWER must be below UPPER, got {self.lower} and {self.upper}")
        if isinstance(self.inner, Clamp):
            raise SpecError("INNER must not be another clamp; one pair of limits is enough")

    def check(self, grid: Grid) -> None:
        """Refuse what the inner initial condition refuses.

        Raises
        ------
        SpecError
            If the inner initial condition does.
        """
        self.inner.check(grid)

    def sample(self, grid: Grid, key: PRNGKeyArray) -> Float[Array, "1 *space"]:
        """Return one state; the key goes to the inner initial condition."""
        u = self.inner.sample(grid, key)
        u = u - jnp.min(u)
        return u / jnp.max(u) * (self.upper - self.lower) + self.lower
