"""Equations whose nonlinear term is the norm of the gradient: Kuramoto-Sivashinsky."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from apexr._grammar import Dimensions, PositiveFloat, PositiveInt
from apexr.spectral import Grid
from apexr.steppers._arrays import is_zero
from apexr.steppers._terms import (
    NonlinearTerm,
    PseudoSpectral,
    QuadraticTerm,
    ZeroTerm,
    mean_free,
)
from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._linear import isotropic_symbol
from apexr.steppers.equations._parametrisations import denormalize, from_difficulty
from apexr.steppers.equations._tensors import Coefficient, coefficients, freeze


@dataclasses.dataclass(frozen=True)
class GradientNorm(Equation):
    """``uₜ + b ½ (‖∇u‖² - mean) = Σ_j a_j Σ_d ∂_d^j u``; the scale ``b`` stands on the left.

    Parameters
    ----------
    linear_coefficients
        ``a_0, a_1, …``, as in :class:`~apexr.steppers.Linear`.
    gradient_norm_scale
        ``b``.
    remove_mean
        Whether the mean of the norm is removed, so that the mean of the state is kept.
    """

    linear_coefficients: tuple[Coefficient, ...] = (0.0, 0.0, -1.0, 0.0, -1.0)
    gradient_norm_scale: Coefficient = 1.0
    remove_mean: bool = True

    def __post_init__(self) -> None:
        checked = coefficients("linear_coefficients", self.linear_coefficients)
        object.__setattr__(self, "linear_coefficients", checked)
        freeze(self, gradient_norm_scale=0)

    @classmethod
    def normalized(
        cls,
        linear_coefficients: Sequence[Coefficient] = (0.0, 0.0, -0.1 / 60**2, 0.0, -0.1 / 60**4),
        gradient_norm_scale: Coefficient = 0.1 / 60**2,
        *,
        domain_extent: PositiveFloat = 1.0,
        dt: PositiveFloat = 1.0,
    ) -> Self:
        """Return the equation of normalized coefficients, for a grid and a step of this size."""
        scale = {"domain_extent": domain_extent, "dt": dt}
        linear = denormalize("linear", linear_coefficients, **scale)
        return cls(linear, denormalize("gradient_norm", gradient_norm_scale, **scale))

    @classmethod
    def difficulty(
        cls,
        linear_difficulties: Sequence[Coefficient] = (0.0, 0.0, -0.128, 0.0, -0.32768),
        gradient_norm_difficulty: Coefficient = 0.064,
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
        scale = from_difficulty("gradient_norm", gradient_norm_difficulty, **size)
        return cls(linear, scale)

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(1, *spectrum)``."""
        return isotropic_symbol(grid, self.linear_coefficients)

    def nonlinear_term(self, transform: PseudoSpectral) -> NonlinearTerm:
        """Return the halved, negated gradient norm."""
        if is_zero(self.gradient_norm_scale):
            return ZeroTerm()
        symbol = gradient_symbol(transform.grid, -self.gradient_norm_scale)
        symbol = mean_free(symbol, transform.grid) if self.remove_mean else symbol
        return QuadraticTerm(transform, gradient=symbol)


def gradient_symbol(grid: Grid, coefficient: Coefficient) -> Any:
    """Return the constant symbol of ``½ b``, for the gradient part of a quadratic term."""
    return 0.5 * coefficient * np.ones((1, *grid.spectral_shape), complex)
