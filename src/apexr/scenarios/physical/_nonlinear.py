"""Equations of one channel, up to second order in the state."""

from apexr._grammar import Count
from apexr.recipe import Extent, derived, scenario
from apexr.scenarios._families import (
    KURAMOTO_METRICS,
    KURAMOTO_WARMUP,
    Coefficients,
    Derived,
    NonlinearFamily,
    Triple,
)
from apexr.scenarios.physical._interface import Physical
from apexr.steppers import Equation
from apexr.steppers import Nonlinear as NonlinearEquation


class _Nonlinear(Physical, NonlinearFamily):
    """Linear terms as in :class:`Linear` and ``b₀ u² + b₁ ½ Σ_d ∂_d u² + b₂ ½ (‖∇u‖² - mean)``.

    ``b_coefs`` holds b₀, b₁, b₂.
    """

    b_coefs: Triple = derived()

    def _equation(self) -> Equation:
        return NonlinearEquation(self.a_coefs, self.b_coefs)


@scenario("phy_nonlin")
class Nonlinear(_Nonlinear):
    """``uₜ = a₀ u + Σ_{j>0} a_j Σ_d ∂_dʲ u + b₀ u² + b₁ ½ Σ_d ∂_d u² + b₂ ½ (‖∇u‖² - mean)``.

    With ``numerics="apebench"`` the term of order zero counts D times, as in the published data.
    """

    suffix = "nonlin"
    a_coefs: Coefficients = (0.0, 0.0, 3e-4, 0.0, 0.0)
    b_coefs: Triple = (0.0, -0.125, 0.0)


@scenario("phy_burgers_sc")
class BurgersSingleChannel(_Nonlinear):
    """The Burgers equation with one channel, ``uₜ = b ½ Σ_d ∂_d u² + ν Δu``."""

    suffix = "burgers_sc"
    convection_sc_coef: float = -0.125
    diffusion_coef: float = 3e-4

    def _coefficients(self) -> Derived:
        return {
            "a_coefs": (0.0, 0.0, self.diffusion_coef, 0.0, 0.0),
            "b_coefs": (0.0, self.convection_sc_coef, 0.0),
        }


@scenario("phy_kdv")
class KortewegDeVries(_Nonlinear):
    """Korteweg-de Vries ``uₜ = b ½ Σ_d ∂_d u² + a₃ Σ_d ∂_d³ u + a₄ Σ_d ∂_d⁴ u``, one channel."""

    suffix = "kdv"
    domain_extent: Extent = 50.0
    convection_sc_coef: float = -6.0
    dispersion_coef: float = -1.0
    hyp_diffusion_coef: float = -0.125

    def _coefficients(self) -> Derived:
        return {
            "a_coefs": (0.0, 0.0, 0.0, self.dispersion_coef, self.hyp_diffusion_coef),
            "b_coefs": (0.0, self.convection_sc_coef, 0.0),
        }


@scenario("phy_ks")
class KuramotoSivashinsky(_Nonlinear):
    """Kuramoto-Sivashinsky ``uₜ = b ½ (‖∇u‖² - mean) + a₂ Δu + a₄ Σ_d ∂_d⁴ u``, combustion form."""

    suffix = "ks"
    num_warmup_steps: Count = KURAMOTO_WARMUP
    vlim: tuple[float, float] = (-6.5, 6.5)
    report_metrics: str = KURAMOTO_METRICS
    domain_extent: Extent = 60.0
    gradient_norm_coef: float = -1.0
    diffusion_coef: float = -1.0
    hyp_diffusion_coef: float = -1.0

    def _coefficients(self) -> Derived:
        return {
            "a_coefs": (0.0, 0.0, self.diffusion_coef, 0.0, self.hyp_diffusion_coef),
            "b_coefs": (0.0, 0.0, self.gradient_norm_coef),
        }
