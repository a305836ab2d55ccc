"""Convection of a velocity: one channel a dimension."""

from apexr._grammar import Count
from apexr.recipe import Extent, scenario
from apexr.scenarios._families import (
    KURAMOTO_METRICS,
    KURAMOTO_WARMUP,
    Coefficients,
    ConvectionFamily,
    Derived,
)
from apexr.scenarios.physical._interface import Physical
from apexr.steppers import Convection as ConvectionEquation
from apexr.steppers import Equation


class _Convection(Physical, ConvectionFamily):
    """``uₜ = b ½ ∇·(u ⊗ u)`` and linear terms as in :class:`Linear`, one channel a dimension.

    Parameters
    ----------
    convection_coef
        b₁; negative for the usual sign.
    conservative
        Whether convection has the form ``½ ∇·(u ⊗ u)``, else ``u · ∇u``.
    """

    convection_coef: float = -0.125
    conservative: bool = True

    def _equation(self) -> Equation:
        return ConvectionEquation(
            self.a_coefs, -self.convection_coef, conservative=self.conservative
        )


@scenario("phy_conv")
class Convection(_Convection):
    """Convection ``uₜ = b ½ ∇·(u ⊗ u) + a₀ u + Σ_{j>0} a_j Σ_d ∂_dʲ u``, any linear terms.

    With ``numerics="apebench"`` the term of order zero counts D times, as in the published data.
    """

    suffix = "conv_{terms}"
    a_coefs: Coefficients = (0.0, 0.0, 3e-4, 0.0, 0.0)


@scenario("phy_burgers")
class Burgers(_Convection):
    """The Burgers equation ``uₜ = b ½ ∇·(u ⊗ u) + ν Δu``."""

    suffix = "burgers"
    diffusion_coef: float = 3e-4

    def _coefficients(self) -> Derived:
        return {"a_coefs": (0.0, 0.0, self.diffusion_coef, 0.0, 0.0)}


@scenario("phy_ks_cons")
class KuramotoSivashinskyConservative(_Convection):
    """Kuramoto-Sivashinsky, conservative form, ``uₜ = b ½ ∂ u² + a₂ ∂² u + a₄ ∂⁴ u``, 1D only."""

    dimensions = (1,)
    elsewhere = "in more dimensions take KuramotoSivashinsky (phy_ks)"
    suffix = "ks_conservative"
    num_warmup_steps: Count = KURAMOTO_WARMUP
    vlim: tuple[float, float] = (-2.5, 2.5)
    report_metrics: str = KURAMOTO_METRICS
    domain_extent: Extent = 60.0
    convection_coef: float = -3.6
    diffusion_coef: float = -1.44
    hyp_diffusion_coef: float = -0.4

    def _coefficients(self) -> Derived:
        return {"a_coefs": (0.0, 0.0, self.diffusion_coef, 0.0, self.hyp_diffusion_coef)}
