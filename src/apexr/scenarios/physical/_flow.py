"""Incompressible flow in two dimensions, by its vorticity."""

import math
from typing import Literal

from apexr._grammar import Count, PositiveInt
from apexr.scenarios._families import NonlinearFamily
from apexr.scenarios._fields import Extent
from apexr.scenarios._registry import scenario
from apexr.scenarios.physical._interface import Domain
from apexr.steppers import (
    Equation,
    KolmogorovFlowVorticity,
    NavierStokesVorticity,
    VorticityForm,
)

FEWEST_POINTS_FOR_FLUX = 64


class _Vorticity(Domain, NonlinearFamily):
    """``ωₜ + U ∂₀ω + V ∂₁ω = ν Δω + …`` in two dimensions.

    Parameters
    ----------
    diffusivity
        ν.
    form
        ``"flux"`` or ``"advective"``, as in :class:`apexr.steppers.VorticityConvection`: the
        first takes less time, the second is the one of the published data. They differ in waves
        that the grid does not resolve; ``"auto"`` takes the first from 64 points on, where these
        are faint.
    """

    dimensions = (2,)
    elsewhere = "vorticity is a scalar there alone"
    channel_names = ("vorticity",)
    num_spatial_dims: int = 2
    diffusivity: float = 1e-4
    form: Literal["auto", "flux", "advective"] = "auto"

    @property
    def _form(self) -> VorticityForm:
        if self.form != "auto":
            return self.form
        return "flux" if min(self.grid.shape) >= FEWEST_POINTS_FOR_FLUX else "advective"


@scenario("phy_decay_turb")
class DecayingTurbulence(_Vorticity):
    """Decaying turbulence, the Navier-Stokes equations without a force, 2D only."""

    suffix = "decay_turb"

    def _equation(self) -> Equation:
        return NavierStokesVorticity(self.diffusivity, form=self._form)


@scenario("phy_kolm_flow")
class KolmogorovFlow(_Vorticity):
    """Kolmogorov flow, turbulence kept alive by ``-m γ cos(2π m x₁ / L₁)``, 2D only.

    Parameters
    ----------
    injection_mode, injection_scale
        m and γ.
    drag
        λ. The equation has the term ``2 λ ω``, as in the published data.
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
            drag=self.num_spatial_dims * self.drag,
            injection_mode=self.injection_mode,
            injection_scale=self.injection_scale,
            form=self._form,
        )
