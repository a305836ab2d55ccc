"""Initial conditions times a number."""

from typing import Annotated

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Finite, Nested
from apexr.initial._function import StateFunction, followed_by
from apexr.initial._kind import INITIAL_CONDITIONS, InitialCondition, initial_condition
from apexr.spectral import Grid


@initial_condition("scaled")
class Scaled(InitialCondition):
    """scaled;SCALE;INNER - another initial condition times SCALE."""

    scale: Finite
    inner: Annotated[InitialCondition, Nested(INITIAL_CONDITIONS)]

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
        return self.inner.sample(grid, key) * self.scale

    def sample_function(self, grid: Grid, key: PRNGKeyArray) -> StateFunction:
        """Return one state; the key goes to the inner initial condition."""
        return followed_by(self.inner.sample_function(grid, key), jnp.multiply, self.scale)
