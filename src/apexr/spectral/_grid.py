"""The grid that states live on."""

import dataclasses
import math
from typing import Any

import numpy as np
from jaxtyping import Float

from apexr.errors import SpecError

MAX_SPATIAL_DIMS = 3


@dataclasses.dataclass(frozen=True)
class Grid:
    """A periodic Cartesian grid, the same along each axis.

    Points are ``x_i = i L / N`` for ``i = 0 … N - 1``: the left end belongs to the grid, the
    right end is its periodic image. Arrays on the grid are ``(channel, *space)``, the first
    spatial axis being the first coordinate.

    Parameters
    ----------
    num_spatial_dims
        1, 2 or 3; ``D`` below.
    num_points
        Points along each axis, at least 2; ``N`` below.
    domain_extent
        Length of each axis; ``L`` below.

    Raises
    ------
    SpecError
        If a parameter is out of its range.

    Examples
    --------
    >>> Grid(2, 64, 10.0).spectral_shape
    (64, 33)
    """

    num_spatial_dims: int
    num_points: int
    domain_extent: float = 1.0

    def __post_init__(self) -> None:
        _check_count("num_spatial_dims", self.num_spatial_dims, 1, MAX_SPATIAL_DIMS)
        _check_count("num_points", self.num_points, 2)
        _check_extent(self.domain_extent)

    @property
    def dx(self) -> float:
        """Return the distance between neighbouring points."""
        return self.domain_extent / self.num_points

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of one channel of a state, ``(N, …, N)``."""
        return (self.num_points,) * self.num_spatial_dims

    @property
    def spectral_shape(self) -> tuple[int, ...]:
        """Return the shape of one channel of a spectrum, ``(N, …, N, N // 2 + 1)``."""
        return (*self.shape[:-1], self.num_points // 2 + 1)

    @property
    def coordinates(self) -> Float[np.ndarray, "dim *space"]:
        """Return the coordinates of every point."""
        return self.mesh()

    def mesh(
        self, *, full: bool = False, zero_centered: bool = False
    ) -> Float[np.ndarray, "dim *points"]:
        """Return the coordinates of points over the domain.

        Parameters
        ----------
        full
            Add the right end of each axis: ``N + 1`` points, as a wrapped field has them.
        zero_centered
            Run from ``-L/2`` to ``L/2`` instead of from 0 to ``L``.
        """
        axis = np.arange(self.num_points + full) * self.domain_extent / self.num_points
        axis = axis - self.domain_extent / 2 if zero_centered else axis
        return np.stack(np.meshgrid(*[axis] * self.num_spatial_dims, indexing="ij"))


def _check_count(name: str, value: Any, minimum: int, maximum: float = math.inf) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not minimum <= value <= maximum:
        limit = f" and at most {maximum}" if math.isfinite(maximum) else ""
        raise SpecError(f"{name} must be an integer, at least {minimum}{limit}, got {value!r}")


def _check_extent(value: Any) -> None:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not 0 < value < math.inf:
        raise SpecError(f"domain_extent must be a finite number above 0, got {value!r}")
