"""The equation of Kuramoto and Sivashinsky, in its two forms."""

import dataclasses
from typing import Any

from apexr.errors import warn
from apexr.spectral import Grid
from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._composed import Composed
from apexr.steppers.equations._convection import Convection
from apexr.steppers.equations._gradient_norm import GradientNorm
from apexr.steppers.equations._tensors import Coefficient, freeze


@dataclasses.dataclass(frozen=True)
class KuramotoSivashinsky(Composed):
    """``uₜ + b ½ (‖∇u‖² - mean) = -s₂ Δu - s₄ Σ_d ∂_d⁴ u``, the form of combustion.

    Parameters
    ----------
    gradient_norm_scale
        ``b``.
    second_order_scale
        ``s₂``; makes long waves grow.
    fourth_order_scale
        ``s₄``; damps short ones.
    """

    gradient_norm_scale: Coefficient = 1.0
    second_order_scale: Coefficient = 1.0
    fourth_order_scale: Coefficient = 1.0

    def __post_init__(self) -> None:
        freeze(self, gradient_norm_scale=0, second_order_scale=0, fourth_order_scale=0)
        super().__post_init__()

    @property
    def parts(self) -> tuple[Equation, ...]:
        """Return the generic equation of these coefficients."""
        linear = (0.0, 0.0, -self.second_order_scale, 0.0, -self.fourth_order_scale)
        return (GradientNorm(linear, self.gradient_norm_scale),)


@dataclasses.dataclass(frozen=True)
class KuramotoSivashinskyConservative(Composed):
    """``uₜ + b 𝓒(u) = -s₂ Δu - s₄ Σ_d ∂_d⁴ u``, the form of the slope in one dimension.

    In one dimension it is the derivative of :class:`KuramotoSivashinsky`. Above it, it is another
    equation, whose waves may grow without bound: a warning says so.

    Parameters
    ----------
    convection_scale
        ``b``.
    second_order_scale, fourth_order_scale
        ``s₂`` and ``s₄``.
    single_channel, conservative
        The form of the convection, see :class:`~apexr.steppers.Convection`.
    """

    convection_scale: Coefficient = 1.0
    second_order_scale: Coefficient = 1.0
    fourth_order_scale: Coefficient = 1.0
    single_channel: bool = False
    conservative: bool = True

    def __post_init__(self) -> None:
        freeze(self, convection_scale=0, second_order_scale=0, fourth_order_scale=0)
        super().__post_init__()

    @property
    def parts(self) -> tuple[Equation, ...]:
        """Return the generic equation of these coefficients."""
        linear = (0.0, 0.0, -self.second_order_scale, 0.0, -self.fourth_order_scale)
        flags = {"single_channel": self.single_channel, "conservative": self.conservative}
        return (Convection(linear, self.convection_scale, **flags),)

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(1, *spectrum)``, with a warning above one dimension."""
        if grid.num_spatial_dims > 1:
            warn(
                "KuramotoSivashinskyConservative is meant for one dimension, the grid has"
                f" {grid.num_spatial_dims}: states may diverge; use KuramotoSivashinsky"
            )
        return super().linear_symbol(grid)
