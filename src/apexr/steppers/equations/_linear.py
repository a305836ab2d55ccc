"""Linear equations with constant coefficients."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from apexr._grammar import Dimensions, PositiveFloat, PositiveInt
from apexr.spectral import Grid, summed_derivative
from apexr.steppers._arrays import is_zero
from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._parametrisations import denormalize, from_difficulty
from apexr.steppers.equations._tensors import Coefficient, coefficients


def isotropic_symbol(grid: Grid, linear_coefficients: Sequence[Coefficient]) -> Any:
    """Return the symbol of ``Σ_j a_j Σ_d ∂_d^j``, ``(1, *spectrum)``.

    Spatial axes are not mixed. The sum over ``d`` holds for order 0 too: ``a_0`` acts as
    ``D a_0``.
    """
    symbol: Any = np.zeros((1, *grid.spectral_shape), complex)
    for order, coefficient in enumerate(linear_coefficients):
        if not is_zero(coefficient):
            symbol = symbol + coefficient * summed_derivative(grid, order)
    return symbol


@dataclasses.dataclass(frozen=True)
class Linear(Equation):
    """``uₜ = Σ_j a_j Σ_d ∂_d^j u``, solved exactly at any step.

    Parameters
    ----------
    linear_coefficients
        ``a_0, a_1, …``: ``a_0`` acts as ``D a_0``, ``-a_1`` is a velocity, ``a_2`` a
        diffusivity, ``a_3`` a dispersivity, ``-a_4`` a hyper-diffusivity.
    """

    linear_coefficients: tuple[Coefficient, ...] = (0.0, -0.1, 0.01)

    def __post_init__(self) -> None:
        checked = coefficients("linear_coefficients", self.linear_coefficients)
        object.__setattr__(self, "linear_coefficients", checked)

    @classmethod
    def normalized(
        cls,
        linear_coefficients: Sequence[Coefficient] = (0.0, -0.5, 0.01),
        *,
        domain_extent: PositiveFloat = 1.0,
        dt: PositiveFloat = 1.0,
    ) -> Self:
        """Return the equation of normalized coefficients, for a grid and a step of this size."""
        scale = {"domain_extent": domain_extent, "dt": dt}
        return cls(denormalize("linear", linear_coefficients, **scale))

    @classmethod
    def difficulty(
        cls,
        linear_difficulties: Sequence[Coefficient] = (0.0, -2.0),
        *,
        num_spatial_dims: Dimensions,
        num_points: PositiveInt,
    ) -> Self:
        """Return the equation of difficulties, for a grid of extent 1 and a step of 1."""
        size = {"num_spatial_dims": num_spatial_dims, "num_points": num_points}
        return cls(from_difficulty("linear", linear_difficulties, **size))

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(1, *spectrum)``."""
        return isotropic_symbol(grid, self.linear_coefficients)
