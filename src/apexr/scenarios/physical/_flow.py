"""Incompressible flow in two dimensions, by its vorticity."""

import math
from typing import Literal

from apexr._grammar import Count, PositiveInt
from apexr.recipe import Extent, scenario
from apexr.scenarios._families import NonlinearFamily
from apexr.scenarios._interfaces import Domain
from apexr.steppers import (
    Equation,
    KolmogorovFlowVorticity,
    NavierStokesVorticity,
    VorticityForm,
)

FEWEST_POINTS_FOR_FLUX = 64


class _Vorticity(Domain, NonlinearFamily):
    """``ωₜ + U ∂₀ω + V ∂₁ω = ν Δω + …`` in two dimensions, with ``ω = ∂₀V - ∂₁U``.

    ``numerics="apebench"`` has the velocity of the opposite sign, as the published data do:
    mirrored flows.

    Parameters
    ----------
    diffusivity
        ν.
    form
        ``"flux"`` or ``"advective"``, as in :class:`apexr.steppers.VorticityConvection`: the
        first takes less time, the second is the one of the published data. They differ in waves
        that the grid does not resolve; ``"auto"`` takes the first with exact numerics, which
        leave those waves out, and from 64 points on, where they are faint.
    """

    dimensions = (2,)
    elsewhere = "vorticity is a scalar there alone"
    channel_names = ("vorticity",)
    channel_kind = "vorticity"
    num_spatial_dims: int = 2
    diffusivity: float = 1e-4
    form: Literal["auto", "flux", "advective"] = "auto"

    @property
    def _form(self) -> VorticityForm:
        if self.form != "auto":
            return self.form
        fine = self._as_stated or min(self.grid.shape) >= FEWEST_POINTS_FOR_FLUX
        return "flux" if fine else "advective"

    @property
    def _direction(self) -> float:
        """The scale of convection: the equations of apexr.steppers have the published sign."""
        return -1.0 if self._as_stated else 1.0

    def _published_deviations(self) -> list[str]:
        flipped = "the velocity has the opposite sign, that of ω = ∂₁U - ∂₀V"
        return [flipped, *super()._published_deviations()]


@scenario("phy_decay_turb")
class DecayingTurbulence(_Vorticity):
    """Decaying turbulence (Navier-Stokes) ``ωₜ + U ∂₀ω + V ∂₁ω = ν Δω``, 2D only."""

    suffix = "decay_turb"

    def _equation(self) -> Equation:
        return NavierStokesVorticity(self.diffusivity, self._direction, form=self._form)


@scenario("phy_kolm_flow")
class KolmogorovFlow(_Vorticity):
    """Kolmogorov flow ``ωₜ + U ∂₀ω + V ∂₁ω = ν Δω + λ ω - m γ cos(2π m x₁ / L₁)``, 2D only.

    Turbulence that a wave keeps alive.

    Parameters
    ----------
    injection_mode, injection_scale
        m and γ.
    drag
        λ, negative to damp. With ``numerics="apebench"`` it acts as 2 λ, as in the published
        data.
    """

    suffix = "kolm_flow"
    num_warmup_steps: Count = 500
    vlim: tuple[float, float] = (-10.0, 10.0)
    domain_extent: Extent = 2 * math.pi
    num_substeps: PositiveInt = 20
    diffusivity: float = 1e-2
    injection_mode: PositiveInt = 4
    injection_scale: float = 1.0
    drag: float = -0.1

    def _equation(self) -> Equation:
        return KolmogorovFlowVorticity(
            self.diffusivity,
            self._direction,
            self.drag if self._as_stated else self.num_spatial_dims * self.drag,
            injection_mode=self.injection_mode,
            injection_scale=self.injection_scale,
            form=self._form,
        )

    def _published_deviations(self) -> list[str]:
        doubled = f"the drag acts as {self.num_spatial_dims} λ"
        return [*([doubled] if self.drag else []), *super()._published_deviations()]
