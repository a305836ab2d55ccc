"""Reaction and diffusion of one substance."""

import dataclasses
from typing import ClassVar

from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._composed import Composed, Growth
from apexr.steppers.equations._polynomial import Polynomial
from apexr.steppers.equations._tensors import Coefficient, Tensor, freeze
from apexr.steppers.equations._transport import Diffusion


@dataclasses.dataclass(frozen=True)
class FisherKPP(Composed):
    """``uₜ = ν Δu + r u (1 - u)``.

    Parameters
    ----------
    diffusivity
        ``ν``, as in :class:`~apexr.steppers.Diffusion`.
    reactivity
        ``r``, the same in any dimension.
    """

    diffusivity: Tensor = 0.01
    reactivity: Coefficient = 1.0

    def __post_init__(self) -> None:
        freeze(self, diffusivity=2, reactivity=0)
        super().__post_init__()

    @property
    def parts(self) -> tuple[Equation, ...]:
        """Return diffusion, growth and its limit."""
        limit = Polynomial((0.0,), (0.0, 0.0, -self.reactivity))
        return Diffusion(self.diffusivity), Growth(self.reactivity), limit


@dataclasses.dataclass(frozen=True)
class AllenCahn(Composed):
    """``uₜ = ν Δu + c₁ u + c₃ u³``.

    Parameters
    ----------
    diffusivity
        ``ν``, as in :class:`~apexr.steppers.Diffusion`.
    first_order_coefficient
        ``c₁``, the same in any dimension.
    third_order_coefficient
        ``c₃``.
    """

    diffusivity: Tensor = 0.005
    first_order_coefficient: Coefficient = 1.0
    third_order_coefficient: Coefficient = -1.0

    default_dealiasing_fraction: ClassVar[float] = 1 / 2

    def __post_init__(self) -> None:
        freeze(self, diffusivity=2, first_order_coefficient=0, third_order_coefficient=0)
        super().__post_init__()

    @property
    def parts(self) -> tuple[Equation, ...]:
        """Return diffusion, growth and its limit."""
        limit = Polynomial((0.0,), (0.0, 0.0, 0.0, self.third_order_coefficient))
        return Diffusion(self.diffusivity), Growth(self.first_order_coefficient), limit
