"""Burgers' equation."""

import dataclasses

from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._composed import Composed
from apexr.steppers.equations._convection import Convection
from apexr.steppers.equations._tensors import Coefficient, Tensor, freeze
from apexr.steppers.equations._transport import Diffusion


@dataclasses.dataclass(frozen=True)
class Burgers(Composed):
    """``uₜ + b 𝓒(u) = ν Δu`` with the convection ``𝓒`` of :class:`~apexr.steppers.Convection`.

    Parameters
    ----------
    diffusivity
        ``ν``, as in :class:`~apexr.steppers.Diffusion`.
    convection_scale
        ``b``.
    single_channel
        One channel in any dimension, rather than one a dimension.
    conservative
        The form that keeps the mean.
    """

    diffusivity: Tensor = 0.1
    convection_scale: Coefficient = 1.0
    single_channel: bool = False
    conservative: bool = False

    def __post_init__(self) -> None:
        freeze(self, diffusivity=2, convection_scale=0)
        super().__post_init__()

    @property
    def parts(self) -> tuple[Equation, ...]:
        """Return diffusion and convection."""
        flags = {"single_channel": self.single_channel, "conservative": self.conservative}
        return Diffusion(self.diffusivity), Convection((0.0,), self.convection_scale, **flags)
