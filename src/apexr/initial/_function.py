"""States as functions of position, which can be evaluated on any grid or at any points."""

import abc
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax.tree_util import Partial
from jaxtyping import Array, ArrayLike, Float, PRNGKeyArray

from apexr.errors import SpecError
from apexr.initial._kind import InitialCondition, unit_grid
from apexr.initial._normalize import Normalization, normalize
from apexr.spectral import Grid


class StateFunction(eqx.Module):
    """A state at any points; a PyTree, so that it passes through ``jit``, ``vmap`` and ``grad``.

    Attributes
    ----------
    values
        Maps coordinates ``(dim, *space)`` to values ``(channel, *space)``.
    num_spatial_dims
        Dimensions of the domain.
    """

    values: Callable[[Array], Array]
    num_spatial_dims: int = eqx.field(static=True)

    def __call__(self, coordinates: Float[ArrayLike, "dim *space"]) -> Float[Array, "_ *space"]:
        """Return the values at some points.

        Parameters
        ----------
        coordinates
            On the domain of extent 1: ``grid.coordinates``, each row divided by the length of its
            axis, for a grid; an array of shape ``(dim,)`` for one point.

        Raises
        ------
        SpecError
            If the leading axis is not the dimensions.
        """
        points = jnp.asarray(coordinates, float)
        if points.ndim == 0 or points.shape[0] != self.num_spatial_dims:
            raise SpecError(
                f"coordinates must have the shape ({self.num_spatial_dims}, *space), one row a"
                f" dimension, got {points.shape}"
            )
        return self.values(points)


def state_function(
    values: Callable[..., Array],
    *draws: Any,
    grid: Grid,
    normalization: Normalization | None = None,
) -> StateFunction:
    """Return the function ``values(*draws, coordinates)``, normalized by its values on a grid."""
    function = StateFunction(Partial(values, *draws), grid.num_spatial_dims)
    if normalization is None or not normalization.changes:
        return function
    return followed_by(function, normalize, *normalization.measure(on_grid(function, grid)))


def followed_by(function: StateFunction, change: Callable[..., Array], *args: Any) -> StateFunction:
    """Return the function whose values are ``change(values, *args)``."""
    changed = Partial(_changed, function, Partial(change), args)
    return StateFunction(changed, function.num_spatial_dims)


def _changed(function: StateFunction, change: Any, args: tuple[Any, ...], x: Array) -> Array:
    return change(function(x), *args)


def on_grid(function: StateFunction, grid: Grid) -> Float[Array, "channel *space"]:
    """Return the values on a grid, its points taken as those of a domain of extent 1."""
    return function(unit_grid(grid).coordinates)


class FunctionCondition(InitialCondition):
    """An initial condition that is a function of position first, and sampled on grids."""

    @abc.abstractmethod
    def sample_function(self, grid: Grid, key: PRNGKeyArray) -> StateFunction:
        """Return one state as a function; see :meth:`InitialCondition.sample_function`."""

    def sample(self, grid: Grid, key: PRNGKeyArray) -> Float[Array, "channel *space"]:
        """Return one state: the function on the grid."""
        return on_grid(self.sample_function(grid, key), grid)
