"""Equations of one channel with quadratic, convection and gradient-norm terms together."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from apexr._grammar import Dimensions, PositiveFloat, PositiveInt
from apexr.spectral import Grid, summed_derivative
from apexr.steppers._arrays import is_zero
from apexr.steppers._terms import (
    NonlinearTerm,
    PseudoSpectral,
    QuadraticTerm,
    ZeroTerm,
    mean_free,
)
from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._gradient_norm import gradient_symbol
from apexr.steppers.equations._linear import isotropic_symbol
from apexr.steppers.equations._parametrisations import denormalize, from_difficulty, triple
from apexr.steppers.equations._tensors import Coefficient, coefficients


@dataclasses.dataclass(frozen=True)
class Nonlinear(Equation):
    """``uₜ = Σ_j a_j Σ_d ∂_d^j u + b₀ u² + b₁ ½ Σ_d ∂_d u² + b₂ ½ (‖∇u‖² - mean)``.

    All coefficients stand on the right-hand side. A part with coefficient 0 costs nothing.

    Parameters
    ----------
    linear_coefficients
        ``a_0, a_1, …``, as in :class:`~apexr.steppers.Linear`.
    nonlinear_coefficients
        ``b₀, b₁, b₂``: quadratic, single-channel convection, gradient norm.
    """

    linear_coefficients: tuple[Coefficient, ...] = (0.0, 0.0, 0.01)
    nonlinear_coefficients: tuple[Coefficient, ...] = (0.0, -1.0, 0.0)

    def __post_init__(self) -> None:
        for name in ("linear_coefficients", "nonlinear_coefficients"):
            object.__setattr__(self, name, coefficients(name, getattr(self, name)))
        triple(self.nonlinear_coefficients)

    @classmethod
    def normalized(
        cls,
        linear_coefficients: Sequence[Coefficient] = (0.0, 0.0, 0.01),
        nonlinear_coefficients: Sequence[Coefficient] = (0.0, -0.1, 0.0),
        *,
        domain_extent: PositiveFloat = 1.0,
        dt: PositiveFloat = 1.0,
    ) -> Self:
        """Return the equation of normalized coefficients, for a grid and a step of this size."""
        scale = {"domain_extent": domain_extent, "dt": dt}
        linear = denormalize("linear", linear_coefficients, **scale)
        return cls(linear, denormalize("nonlinear", nonlinear_coefficients, **scale))

    @classmethod
    def difficulty(
        cls,
        linear_difficulties: Sequence[Coefficient] = (0.0, 0.0, 0.01 * 48**2 * 2),
        nonlinear_difficulties: Sequence[Coefficient] = (0.0, -0.1 * 48, 0.0),
        *,
        num_spatial_dims: Dimensions,
        num_points: PositiveInt,
        maximum_absolute: PositiveFloat = 1.0,
    ) -> Self:
        """Return the equation of difficulties, for a grid of extent 1 and a step of 1."""
        size: dict[str, Any] = {
            "num_spatial_dims": num_spatial_dims,
            "num_points": num_points,
            "maximum_absolute": maximum_absolute,
        }
        linear = from_difficulty("linear", linear_difficulties, **size)
        nonlinear = from_difficulty("nonlinear", nonlinear_difficulties, **size)
        return cls(linear, nonlinear)

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(1, *spectrum)``."""
        return isotropic_symbol(grid, self.linear_coefficients)

    def nonlinear_term(self, transform: PseudoSpectral) -> NonlinearTerm:
        """Return the parts whose coefficients are not zero; they share their transforms."""
        grid = transform.grid
        quadratic, convection, norm = triple(self.nonlinear_coefficients)
        square = gradient = None
        if not (is_zero(quadratic) and is_zero(convection)):
            constant = quadratic * np.ones((1, *grid.spectral_shape), complex)
            square = constant + 0.5 * convection * summed_derivative(grid, 1)
        if not is_zero(norm):
            gradient = mean_free(gradient_symbol(grid, norm), grid)
        if square is None and gradient is None:
            return ZeroTerm()
        return QuadraticTerm(transform, square=square, gradient=gradient)
