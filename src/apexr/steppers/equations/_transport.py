"""Advection and diffusion, isotropic or not."""

import dataclasses
import itertools
from typing import Any

from apexr.errors import ShapeError
from apexr.spectral import Grid, derivative_operator, gradient_inner_product
from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._composed import Composed
from apexr.steppers.equations._tensors import Tensor, check_diffusive, freeze, is_matrix, per_axis


@dataclasses.dataclass(frozen=True)
class Advection(Equation):
    """``uₜ = -c · ∇u``, solved exactly.

    Parameters
    ----------
    velocity
        ``c``: a number, the same along each axis, or one number an axis. Positive moves right.

    Raises
    ------
    SpecError
        If it is not made of numbers.
    """

    velocity: Tensor = 1.0

    def __post_init__(self) -> None:
        freeze(self, velocity=1)

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(1, *spectrum)``; a wrong length is a :class:`ShapeError`."""
        return -gradient_inner_product(grid, per_axis("velocity", self.velocity, grid))


@dataclasses.dataclass(frozen=True)
class Diffusion(Equation):
    """``uₜ = ∇ · (A ∇u)``, solved exactly.

    Parameters
    ----------
    diffusivity
        ``A``: a number ``ν`` (``A = ν I``), one number an axis (its diagonal), or a symmetric
        positive semidefinite matrix.

    Raises
    ------
    SpecError
        If it is not made of numbers, not symmetric, or not positive semidefinite.
    ShapeError
        If a matrix is not square.
    """

    diffusivity: Tensor = 0.01

    def __post_init__(self) -> None:
        freeze(self, diffusivity=2)
        check_diffusive("diffusivity", self.diffusivity)

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(1, *spectrum)``; a wrong size is a :class:`ShapeError`."""
        if not is_matrix(self.diffusivity):
            entries = per_axis("diffusivity", self.diffusivity, grid)
            second = derivative_operator(grid, 2)[:, None]
            return sum(nu * symbol for nu, symbol in zip(entries, second, strict=True))
        dims = grid.num_spatial_dims
        if len(self.diffusivity) != dims:
            size = len(self.diffusivity)
            raise ShapeError(
                f"diffusivity must be a {dims}x{dims} matrix on this grid of {dims}"
                f" spatial axes, got {size}x{size}: {self.diffusivity}"
            )
        first = derivative_operator(grid)[:, None]
        pairs = itertools.product(range(dims), repeat=2)
        return sum(self.diffusivity[i][j] * (first[i] * first[j]) for i, j in pairs)


@dataclasses.dataclass(frozen=True)
class AdvectionDiffusion(Composed):
    """``uₜ = -c · ∇u + ∇ · (A ∇u)``, solved exactly.

    Parameters
    ----------
    velocity
        ``c``, as in :class:`Advection`.
    diffusivity
        ``A``, as in :class:`Diffusion`.
    """

    velocity: Tensor = 1.0
    diffusivity: Tensor = 0.01

    def __post_init__(self) -> None:
        freeze(self, velocity=1, diffusivity=2)
        super().__post_init__()

    @property
    def parts(self) -> tuple[Equation, ...]:
        """Return advection and diffusion."""
        return Advection(self.velocity), Diffusion(self.diffusivity)
