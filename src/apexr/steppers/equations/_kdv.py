"""The equation of Korteweg and de Vries."""

import dataclasses

from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._composed import Composed
from apexr.steppers.equations._convection import Convection
from apexr.steppers.equations._dispersion import Dispersion, HyperDiffusion
from apexr.steppers.equations._tensors import Coefficient, Tensor, freeze
from apexr.steppers.equations._transport import Diffusion


@dataclasses.dataclass(frozen=True)
class KortewegDeVries(Composed):
    """``uₜ + b 𝓒(u) + ξ Σ_d ∂_d³ u = ν Δu - μ Σ_d ∂_d⁴ u``.

    ``𝓒`` is the convection of :class:`~apexr.steppers.Convection`. With the defaults,
    ``uₜ - 6 u uₓ + uₓₓₓ = -0.01 uₓₓₓₓ``.

    Parameters
    ----------
    convection_scale
        ``b``.
    diffusivity
        ``ν``, as in :class:`~apexr.steppers.Diffusion`.
    dispersivity
        ``ξ``.
    hyper_diffusivity
        ``μ``; damps the waves that the grid hardly resolves.
    advect_over_diffuse
        Mix the axes of the dispersion: ``ξ (Σ_d ∂_d) Δu``.
    diffuse_over_diffuse
        Mix the axes of the hyper-diffusion: ``μ Δ²u``.
    single_channel
        One channel in any dimension, rather than one a dimension.
    conservative
        The form that keeps the mean.
    """

    convection_scale: Coefficient = -6.0
    diffusivity: Tensor = 0.0
    dispersivity: Coefficient = 1.0
    hyper_diffusivity: Coefficient = 0.01
    advect_over_diffuse: bool = False
    diffuse_over_diffuse: bool = False
    single_channel: bool = False
    conservative: bool = False

    def __post_init__(self) -> None:
        freeze(self, convection_scale=0, diffusivity=2, dispersivity=0, hyper_diffusivity=0)
        super().__post_init__()

    @property
    def parts(self) -> tuple[Equation, ...]:
        """Return diffusion, dispersion, hyper-diffusion and convection."""
        flags = {"single_channel": self.single_channel, "conservative": self.conservative}
        return (
            Diffusion(self.diffusivity),
            Dispersion(-self.dispersivity, self.advect_over_diffuse),
            HyperDiffusion(self.hyper_diffusivity, self.diffuse_over_diffuse),
            Convection((0.0,), self.convection_scale, **flags),
        )
