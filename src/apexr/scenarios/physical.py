"""Scenarios by physical coefficients, with the extent of the domain and the time step.

A linear coefficient aⱼ and a nonlinear one bⱼ stand on the right-hand side of the equation as
it is written in textbooks. Initial conditions are drawn as on a domain of extent 1 and
stretched to ``domain_extent``. The defaults are made for 160 points in 1D.

References
----------
Koehler et al. (2024), "APEBench: A Benchmark for Autoregressive Neural Emulators of PDEs",
NeurIPS, section 3.
"""

from collections.abc import Mapping
from typing import ClassVar

from apexr._grammar import Count, PositiveFloat
from apexr.scenarios._families import (
    FROM_0_TO_1,
    KURAMOTO_METRICS,
    KURAMOTO_WARMUP,
    Coefficients,
    ConvectionFamily,
    Derived,
    Family,
    LinearFamily,
    NonlinearFamily,
    TermOrder,
    Triple,
    check_one_dimension,
)
from apexr.scenarios._fields import derived
from apexr.scenarios._registry import scenario
from apexr.steppers import Convection as ConvectionEquation
from apexr.steppers import Equation
from apexr.steppers import Linear as LinearEquation
from apexr.steppers import Nonlinear as NonlinearEquation
from apexr.steppers import Polynomial as PolynomialEquation


class _Physical(Family):
    """What all have: a domain, a time step, and a₀, a₁, … in ``a_coefs``.

    Parameters
    ----------
    domain_extent
        Length of the domain along each axis.
    dt
        Time from one recorded state to the next.
    """

    interface = "phy"
    linear_field = "a_coefs"
    domain_extent: PositiveFloat = 1.0
    dt: PositiveFloat = 0.1
    a_coefs: Coefficients = derived()


# --- linear equations --------------------------------------------------------------------------


class _Linear(LinearFamily, _Physical):
    """``uₜ = Σ_j a_j Σ_d ∂_dʲ u``, solved exactly."""

    def _equation(self) -> Equation:
        return LinearEquation(self.a_coefs)


@scenario("phy_lin")
class Linear(_Linear):
    """Any linear equation, by all its coefficients."""

    suffix = "lin_{terms}"
    a_coefs: Coefficients = (0.0, -0.25, 0.0, 0.0, 0.0)


@scenario("phy_lin_simple")
class LinearSimple(_Linear):
    """One linear term of any order."""

    suffix = "lin_{terms}"
    linear_coef: float = -0.25
    linear_term_order: TermOrder = 1

    def _coefficients(self) -> Derived:
        return {"a_coefs": (0.0,) * self.linear_term_order + (self.linear_coef,)}


@scenario("phy_adv")
class Advection(_Linear):
    """Advection ``uₜ = -c Σ_d ∂_d u``; a₁ < 0 moves to the right."""

    suffix = "adv"
    advection_coef: float = -0.25

    def _coefficients(self) -> Derived:
        return {"a_coefs": (0.0, self.advection_coef, 0.0, 0.0, 0.0)}


@scenario("phy_diff")
class Diffusion(_Linear):
    """Diffusion ``uₜ = ν Δu``."""

    suffix = "diff"
    diffusion_coef: float = 0.008

    def _coefficients(self) -> Derived:
        return {"a_coefs": (0.0, 0.0, self.diffusion_coef, 0.0, 0.0)}


@scenario("phy_adv_diff")
class AdvectionDiffusion(_Linear):
    """Advection and diffusion ``uₜ = -c Σ_d ∂_d u + ν Δu``."""

    suffix = "adv_diff"
    advection_coef: float = -0.25
    diffusion_coef: float = 0.008

    def _coefficients(self) -> Derived:
        return {"a_coefs": (0.0, self.advection_coef, self.diffusion_coef, 0.0, 0.0)}


@scenario("phy_disp")
class Dispersion(_Linear):
    """Dispersion ``uₜ = ξ Σ_d ∂_d³ u``."""

    renamed: ClassVar[Mapping[str, tuple[str, float]]] = {
        "dipersion_coef": ("dispersion_coef", 1.0)
    }
    suffix = "disp"
    dt: PositiveFloat = 0.001
    dispersion_coef: float = 2.5e-4

    def _coefficients(self) -> Derived:
        return {"a_coefs": (0.0, 0.0, 0.0, self.dispersion_coef, 0.0)}


@scenario("phy_hyp_diff")
class HyperDiffusion(_Linear):
    """Hyper-diffusion ``uₜ = -μ Σ_d ∂_d⁴ u``; a₄ < 0 damps."""

    suffix = "hyp_diff"
    dt: PositiveFloat = 1e-5
    hyper_diffusion_coef: float = -7.5e-5

    def _coefficients(self) -> Derived:
        return {"a_coefs": (0.0, 0.0, 0.0, 0.0, self.hyper_diffusion_coef)}


@scenario("phy_four")
class FirstFour(_Linear):
    """Advection, diffusion, dispersion and hyper-diffusion together."""

    suffix = "four"
    dt: PositiveFloat = 1e-5
    advection_coef: float = -2500.0
    diffusion_coef: float = 80.0
    dispersion_coef: float = 0.025
    hyp_diffusion_coef: float = -7.5e-5

    def _coefficients(self) -> Derived:
        first = (0.0, self.advection_coef, self.diffusion_coef)
        return {"a_coefs": (*first, self.dispersion_coef, self.hyp_diffusion_coef)}


# --- convection --------------------------------------------------------------------------------


class _Convection(_Physical, ConvectionFamily):
    """``uₜ = b ½ ∇·(u ⊗ u) + Σ_j a_j Σ_d ∂_dʲ u``, one channel a dimension.

    Parameters
    ----------
    convection_coef
        b₁; negative for the usual sign.
    conservative
        Whether convection has the form ``½ ∇·(u ⊗ u)``, else ``u·∇u``.
    """

    convection_coef: float = -0.125
    conservative: bool = True

    def _equation(self) -> Equation:
        return ConvectionEquation(
            self.a_coefs, -self.convection_coef, conservative=self.conservative
        )


@scenario("phy_conv")
class Convection(_Convection):
    """Convection with any linear terms."""

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
    """The Kuramoto-Sivashinsky equation in conservative form, 1D only."""

    suffix = "ks_conservative"
    num_warmup_steps: Count = KURAMOTO_WARMUP
    vlim: tuple[float, float] = (-2.5, 2.5)
    report_metrics: str = KURAMOTO_METRICS
    domain_extent: PositiveFloat = 60.0
    convection_coef: float = -3.6
    diffusion_coef: float = -1.44
    hyp_diffusion_coef: float = -0.4

    def _coefficients(self) -> Derived:
        return {"a_coefs": (0.0, 0.0, self.diffusion_coef, 0.0, self.hyp_diffusion_coef)}

    def _check(self) -> None:
        check_one_dimension(self)


# --- one channel, up to second order in the state ----------------------------------------------


class _Nonlinear(_Physical, NonlinearFamily):
    """``uₜ = Σ_j a_j Σ_d ∂_dʲ u + b₀ u² + b₁ ½ Σ_d ∂_d u² + b₂ ½ (‖∇u‖² - mean)``.

    ``b_coefs`` holds b₀, b₁, b₂.
    """

    b_coefs: Triple = derived()

    def _equation(self) -> Equation:
        return NonlinearEquation(self.a_coefs, self.b_coefs)


@scenario("phy_nonlin")
class Nonlinear(_Nonlinear):
    """Any linear terms with quadratic, convective and gradient-norm ones."""

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
    """The Korteweg-de Vries equation with hyper-diffusion, one channel."""

    suffix = "kdv"
    domain_extent: PositiveFloat = 50.0
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
    """The Kuramoto-Sivashinsky equation in combustion form, with the norm of the gradient."""

    suffix = "ks"
    num_warmup_steps: Count = KURAMOTO_WARMUP
    vlim: tuple[float, float] = (-6.5, 6.5)
    report_metrics: str = KURAMOTO_METRICS
    domain_extent: PositiveFloat = 60.0
    gradient_norm_coef: float = -1.0
    diffusion_coef: float = -1.0
    hyp_diffusion_coef: float = -1.0

    def _coefficients(self) -> Derived:
        return {
            "a_coefs": (0.0, 0.0, self.diffusion_coef, 0.0, self.hyp_diffusion_coef),
            "b_coefs": (0.0, 0.0, self.gradient_norm_coef),
        }


# --- one channel, reactions --------------------------------------------------------------------


class _Polynomial(_Physical, NonlinearFamily):
    """``uₜ = Σ_j a_j Σ_d ∂_dʲ u + Σ_k c_k uᵏ``; ``poly_coefs`` holds c₀, c₁, …."""

    dt: PositiveFloat = 0.001
    poly_coefs: Coefficients = derived()

    def _equation(self) -> Equation:
        return PolynomialEquation(self.a_coefs, self.poly_coefs)


@scenario("phy_poly")
class Polynomial(_Polynomial):
    """Any linear terms with a polynomial of the state."""

    suffix = "poly"
    a_coefs: Coefficients = (0.02, 0.0, 4e-6, 0.0, 0.0)
    poly_coefs: Coefficients = (0.0, 0.0, -0.02)


@scenario("phy_fisher")
class FisherKPP(_Polynomial):
    """The Fisher-KPP equation ``uₜ = r u + ν Δu - r u²``; states between 0 and 1."""

    suffix = "fisher"
    ic_config: str = FROM_0_TO_1
    drag_coef: float = 20.0
    diffusion_coef: float = 0.004
    quadratic_coef: float = -20.0

    def _coefficients(self) -> Derived:
        return {
            "a_coefs": (self.drag_coef, 0.0, self.diffusion_coef, 0.0, 0.0),
            "poly_coefs": (0.0, 0.0, self.quadratic_coef),
        }
