"""What a random initial condition is, and the normalisation that most share."""

import abc
from collections.abc import Callable
from typing import TypeVar, dataclass_transform

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Kind
from apexr.spectral import Grid

S = TypeVar("S")


class InitialCondition(abc.ABC):
    """A distribution over states of one channel: what ``NAME;ARG;...`` parses to.

    Leaves are decorated with :func:`initial_condition`; their fields are the arguments of the
    string.
    """

    def check(self, grid: Grid) -> None:  # noqa: B027 - most fit every grid
        """Refuse grids that the distribution cannot be drawn on.

        Raises
        ------
        SpecError
            Naming the field at fault and the values that would fit.
        """

    @abc.abstractmethod
    def sample(self, grid: Grid, key: PRNGKeyArray) -> Float[Array, "1 *space"]:
        """Return one state.

        Parameters
        ----------
        grid
            Its dimensions and points count; its extent does not, all distributions are stated
            for a domain of extent 1. The same key gives another state on another grid.
        key
            The only source of randomness.
        """


INITIAL_CONDITIONS: Kind[InitialCondition] = Kind("initial condition", "apexr.initial_conditions")


@dataclass_transform(frozen_default=True)
def initial_condition(name: str) -> Callable[[type[S]], type[S]]:
    """Return the decorator that registers an initial condition under ``name``.

    Parameters
    ----------
    name
        The first word of its config strings, in any case.
    """
    return INITIAL_CONDITIONS.register(name)  # type: ignore[return-value, arg-type]


def unit_grid(grid: Grid) -> Grid:
    """Return the grid with the same points on a domain of extent 1."""
    return Grid(grid.num_spatial_dims, grid.num_points)


def normalize(
    u: Float[Array, "1 *space"], *, zero_mean: bool, max_one: bool
) -> Float[Array, "1 *space"]:
    """Return the state without its mean, then divided by its largest absolute value."""
    u = u - jnp.mean(u) if zero_mean else u
    return u / jnp.max(jnp.abs(u)) if max_one else u
