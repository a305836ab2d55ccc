"""States of several channels, each with an initial condition of its own."""

from typing import Annotated

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Nested
from apexr.errors import SpecError
from apexr.initial._function import StateFunction
from apexr.initial._kind import INITIAL_CONDITIONS, InitialCondition, initial_condition
from apexr.spectral import Grid


@initial_condition("channels")
class Channels(InitialCondition):
    """channels;FIRST|SECOND|... - one initial condition for each channel.

    The conditions are separated by bars, as in ``channels;blobs;1;true|blobs;1``; spaces around
    a bar do not matter. Each channel is drawn for itself.
    """

    each: Annotated[tuple[InitialCondition, ...], Nested(INITIAL_CONDITIONS, many=True)]

    def __post_init__(self) -> None:
        if not self.each:
            raise SpecError("channels must have an initial condition for each channel, got none")
        for inner in self.each:
            if inner.num_channels is not None:
                raise SpecError(
                    f"each entry of channels must be for one channel, got {str(inner)!r}"
                )

    @property
    def num_channels(self) -> int:
        """The number of conditions."""
        return len(self.each)

    def check(self, grid: Grid) -> None:
        """Refuse what the condition of any channel refuses.

        Raises
        ------
        SpecError
            If any does.
        """
        for inner in self.each:
            inner.check(grid)

    def sample(self, grid: Grid, key: PRNGKeyArray) -> Float[Array, "channel *space"]:
        """Return one state; the key is split, one key a channel."""
        keys = jax.random.split(key, self.num_channels)
        states = [inner.sample(grid, k) for inner, k in zip(self.each, keys, strict=True)]
        return jnp.concatenate(states)

    def sample_function(self, grid: Grid, key: PRNGKeyArray) -> StateFunction:
        """Return one state; the key is split, one key a channel."""
        keys = jax.random.split(key, self.num_channels)
        made = [inner.sample_function(grid, k) for inner, k in zip(self.each, keys, strict=True)]
        return StateFunction(Partial(_stacked, made), grid.num_spatial_dims)


def _stacked(functions: list[StateFunction], x: Array) -> Array:
    return jnp.concatenate([function(x) for function in functions])


def for_channels(condition: InitialCondition, num_channels: int) -> InitialCondition:
    """Return the initial condition of states with ``num_channels`` channels.

    A condition for one channel is drawn for each of them.

    Raises
    ------
    SpecError
        If the condition has another number of channels.
    """
    if condition.num_channels is None:
        return Channels((condition,) * num_channels)
    if condition.num_channels != num_channels:
        raise SpecError(
            f"initial condition {str(condition)!r} has {condition.num_channels} channels, but"
            f" num_channels is {num_channels}: give one condition for each channel,"
            " channels;FIRST|SECOND|..., or one for all of them"
        )
    return condition
