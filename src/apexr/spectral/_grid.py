"""The grid that states live on."""

import dataclasses
import functools
import math

import numpy as np
from jaxtyping import Float

from apexr._per_axis import joined, read_count, read_length, read_per_axis, spread

MAX_SPATIAL_DIMS = 3


@dataclasses.dataclass(frozen=True)
class Grid:
    """A periodic Cartesian grid.

    Points are ``x_i = i L / N`` for ``i = 0 … N - 1``: the left end belongs to the grid, the
    right end is its periodic image. Arrays on the grid are ``(channel, *space)``, the first
    spatial axis being the first coordinate. A sequence of equal numbers means the number: the
    grids are equal.

    Parameters
    ----------
    num_spatial_dims
        1, 2 or 3; ``D`` below.
    num_points
        Points along each axis, at least 2, ``N`` below; or a sequence of one number an axis.
    domain_extent
        Length of each axis, ``L`` below; or a sequence of one number an axis.

    Raises
    ------
    SpecError
        If a parameter is out of its range, or there are numbers for another number of axes.

    Examples
    --------
    >>> Grid(2, 64, 10.0).spectral_shape
    (64, 33)
    >>> Grid(2, (64, 32), (2.0, 1.0)).shape
    (64, 32)
    """

    num_spatial_dims: int
    num_points: int | tuple[int, ...]
    domain_extent: float | tuple[float, ...] = 1.0

    def __post_init__(self) -> None:
        dims = read_count("num_spatial_dims", self.num_spatial_dims, 1, MAX_SPATIAL_DIMS)
        read_points = functools.partial(read_count, minimum=2)
        points = read_per_axis("num_points", self.num_points, dims, read_points)
        extent = read_per_axis("domain_extent", self.domain_extent, dims, read_length)
        object.__setattr__(self, "num_points", points)
        object.__setattr__(self, "domain_extent", extent)

    @property
    def dx(self) -> float | tuple[float, ...]:
        """Return the distance between neighboring points, one an axis where they differ."""
        return joined(self.spacings)

    @property
    def spacings(self) -> tuple[float, ...]:
        """Return the distance between neighboring points along each axis."""
        return tuple(
            length / points for length, points in zip(self.extents, self.shape, strict=True)
        )

    @property
    def extents(self) -> tuple[float, ...]:
        """Return the length of each axis."""
        return spread(self.domain_extent, self.num_spatial_dims)

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of one channel of a state, ``(N, …, N)``."""
        return spread(self.num_points, self.num_spatial_dims)

    @property
    def size(self) -> int:
        """Return how many points the grid has."""
        return math.prod(self.shape)

    @property
    def spectral_shape(self) -> tuple[int, ...]:
        """Return the shape of one channel of a spectrum, ``(N, …, N, N // 2 + 1)``."""
        return (*self.shape[:-1], self.shape[-1] // 2 + 1)

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
        axes = [
            np.arange(points + full) * length / points - zero_centered * (length / 2)
            for points, length in zip(self.shape, self.extents, strict=True)
        ]
        return np.stack(np.meshgrid(*axes, indexing="ij"))
