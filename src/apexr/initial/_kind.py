"""The interface of random initial conditions."""

import abc
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, dataclass_transform

from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Kind
from apexr.errors import SpecError
from apexr.spectral import Grid

if TYPE_CHECKING:
    from apexr.initial._function import StateFunction

S = TypeVar("S")


class InitialCondition(abc.ABC):
    """A distribution over states: what ``NAME;ARG;...`` parses to.

    Leaves are decorated with :func:`initial_condition`; their fields are the arguments of the
    string.
    """

    @property
    def num_channels(self) -> int | None:
        """Channels of a state; None for one channel that can be drawn for each of several."""
        return None

    def check(self, grid: Grid) -> None:  # noqa: B027 - most fit every grid
        """Refuse grids that the distribution cannot be drawn on.

        Raises
        ------
        SpecError
            Naming the field at fault and the values that would fit.
        """

    @abc.abstractmethod
    def sample(self, grid: Grid, key: PRNGKeyArray) -> Float[Array, "channel *space"]:
        """Return one state.

        Parameters
        ----------
        grid
            Its dimensions and points count; its extent does not: all distributions are stated
            for axes of extent 1, and stretched along each axis. Where coefficients or values are
            drawn for the whole grid, the same key gives another state on another grid.
        key
            The only source of randomness.
        """

    def sample_function(self, grid: Grid, key: PRNGKeyArray) -> "StateFunction":
        """Return the state that :meth:`sample` draws, as a function of position.

        Parameters
        ----------
        grid
            Where the function's values are those of :meth:`sample`. A part that depends on the grid
            there depends on it here: normalization and limits are those of the values on it.
        key
            The only source of randomness.

        Raises
        ------
        SpecError
            If the state means nothing between the points of the grid.
        """
        raise SpecError(
            f"{str(self)!r} has no function of position: its values are drawn for the points of a"
            f" grid. These have one: {', '.join(_function_valued())}"
        )


INITIAL_CONDITIONS: Kind[InitialCondition] = Kind("initial condition", "apexr.initial_conditions")
"""Every initial condition by its name in config strings."""


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
    """Return the grid with the same points on axes of extent 1."""
    return Grid(grid.num_spatial_dims, grid.num_points)


def _function_valued() -> list[str]:
    plain = InitialCondition.sample_function
    known = INITIAL_CONDITIONS.registry.loaded()
    return sorted(name for name, cls in known.items() if cls.sample_function is not plain)
