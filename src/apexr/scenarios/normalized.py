"""Scenarios by normalised coefficients: those of an extent of 1 and a time step of 1.

A linear coefficient αⱼ and a nonlinear one βⱼ hold the extent and the time step, so that equal
coefficients give equal states on any grid that resolves them; α₁ is the part of the domain
crossed in a step. Each axis has the extent 1, whatever its ``num_points``; for axes of different
lengths take a physical scenario. All coefficients stand on the right-hand side of the equation.
The defaults are made for 160 points in 1D.

References
----------
Koehler et al. (2024), "APEBench: A Benchmark for Autoregressive Neural Emulators of PDEs",
NeurIPS, section 3.
"""

from apexr._grammar import Count
from apexr.recipe import derived, scenario
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
)
from apexr.steppers import Convection as ConvectionEquation
from apexr.steppers import Equation
from apexr.steppers import Linear as LinearEquation
from apexr.steppers import Nonlinear as NonlinearEquation


class _Normalized(Family):
    """What all have: α₀, α₁, … in ``alphas``."""

    interface = "norm"
    linear_field = "alphas"
    alphas: Coefficients = derived()


# --- linear equations --------------------------------------------------------------------------


class _Linear(LinearFamily, _Normalized):
    """``uₜ = a₀ u + Σ_{j>0} a_j Σ_d ∂_dʲ u``, solved exactly.

    With ``numerics="apebench"`` the term of order zero counts D times, as in the published data.
    """

    def _equation(self) -> Equation:
        return LinearEquation.normalized(self.alphas)


@scenario("norm_lin")
class Linear(_Linear):
    """Any linear equation ``uₜ = a₀ u + Σ_{j>0} a_j Σ_d ∂_dʲ u``, by all its coefficients."""

    suffix = "lin_{terms}"
    alphas: Coefficients = (0.0, -0.025, 0.0, 0.0, 0.0)


@scenario("norm_lin_simple")
class LinearSimple(_Linear):
    """One linear term of any order n, ``uₜ = a Σ_d ∂_dⁿ u``, or ``uₜ = a u`` for n = 0."""

    suffix = "lin_{terms}"
    linear_alpha: float = -0.025
    linear_term_order: TermOrder = 1

    def _coefficients(self) -> Derived:
        return {"alphas": (0.0,) * self.linear_term_order + (self.linear_alpha,)}


@scenario("norm_adv")
class Advection(_Linear):
    """Advection ``uₜ = -c Σ_d ∂_d u``; α₁ < 0 moves to the right."""

    suffix = "adv"
    advection_alpha: float = -0.025

    def _coefficients(self) -> Derived:
        return {"alphas": (0.0, self.advection_alpha, 0.0, 0.0, 0.0)}


@scenario("norm_diff")
class Diffusion(_Linear):
    """Diffusion ``uₜ = ν Δu``."""

    suffix = "diff"
    diffusion_alpha: float = 8e-4

    def _coefficients(self) -> Derived:
        return {"alphas": (0.0, 0.0, self.diffusion_alpha, 0.0, 0.0)}


@scenario("norm_adv_diff")
class AdvectionDiffusion(_Linear):
    """Advection and diffusion ``uₜ = -c Σ_d ∂_d u + ν Δu``."""

    suffix = "adv_diff"
    advection_alpha: float = -0.025
    diffusion_alpha: float = 8e-4

    def _coefficients(self) -> Derived:
        return {"alphas": (0.0, self.advection_alpha, self.diffusion_alpha)}


@scenario("norm_disp")
class Dispersion(_Linear):
    """Dispersion ``uₜ = ξ Σ_d ∂_d³ u``."""

    suffix = "disp"
    dispersion_alpha: float = 2.5e-7

    def _coefficients(self) -> Derived:
        return {"alphas": (0.0, 0.0, 0.0, self.dispersion_alpha, 0.0)}


@scenario("norm_hypdiff", aliases=("norm_hyp_diff",))
class HyperDiffusion(_Linear):
    """Hyper-diffusion ``uₜ = -μ Σ_d ∂_d⁴ u``; α₄ < 0 damps."""

    suffix = "hyp_diff"
    hyp_diffusion_alpha: float = -7.5e-10

    def _coefficients(self) -> Derived:
        return {"alphas": (0.0, 0.0, 0.0, 0.0, self.hyp_diffusion_alpha)}


@scenario("norm_four")
class FirstFour(_Linear):
    """Advection to hyper-diffusion together: ``uₜ = Σ_{j=1…4} a_j Σ_d ∂_dʲ u``."""

    suffix = "four"
    advection_alpha: float = -0.025
    diffusion_alpha: float = 8e-4
    dispersion_alpha: float = 2.5e-7
    hyp_diffusion_alpha: float = -7.5e-10

    def _coefficients(self) -> Derived:
        first = (0.0, self.advection_alpha, self.diffusion_alpha)
        return {"alphas": (*first, self.dispersion_alpha, self.hyp_diffusion_alpha)}


# --- convection --------------------------------------------------------------------------------


class _Convection(_Normalized, ConvectionFamily):
    """``uₜ = b ½ ∇·(u ⊗ u)`` and linear terms as in :class:`Linear`, one channel a dimension.

    Parameters
    ----------
    convection_beta
        β₁; negative for the usual sign.
    conservative
        Whether convection has the form ``½ ∇·(u ⊗ u)``, else ``u · ∇u``.
    """

    convection_beta: float = -1.25e-2
    conservative: bool = True

    def _equation(self) -> Equation:
        return ConvectionEquation.normalized(
            self.alphas, -self.convection_beta, conservative=self.conservative
        )


@scenario("norm_conv")
class Convection(_Convection):
    """Convection ``uₜ = b ½ ∇·(u ⊗ u) + a₀ u + Σ_{j>0} a_j Σ_d ∂_dʲ u``, any linear terms.

    With ``numerics="apebench"`` the term of order zero counts D times, as in the published data.
    """

    suffix = "conv_{terms}"
    alphas: Coefficients = (0.0, 0.0, 3e-5, 0.0, 0.0)


@scenario("norm_burgers")
class Burgers(_Convection):
    """The Burgers equation ``uₜ = b ½ ∇·(u ⊗ u) + ν Δu``."""

    suffix = "burgers"
    diffusion_alpha: float = 3e-5

    def _coefficients(self) -> Derived:
        return {"alphas": (0.0, 0.0, self.diffusion_alpha, 0.0, 0.0)}


@scenario("norm_ks_cons")
class KuramotoSivashinskyConservative(_Convection):
    """Kuramoto-Sivashinsky, conservative form, ``uₜ = b ½ ∂ u² + a₂ ∂² u + a₄ ∂⁴ u``, 1D only.

    The published benchmark declares ``convection_delta=-6e-3`` here, which nothing reads: its
    data are those of ``convection_beta=-1.25e-2``, as they are by default here.
    """

    dimensions = (1,)
    elsewhere = "in more dimensions take KuramotoSivashinsky (norm_ks)"
    suffix = "ks_cons"
    num_warmup_steps: Count = KURAMOTO_WARMUP
    vlim: tuple[float, float] = (-2.5, 2.5)
    report_metrics: str = KURAMOTO_METRICS
    diffusion_alpha: float = -4e-5
    hyp_diffusion_alpha: float = -3e-8

    def _coefficients(self) -> Derived:
        return {"alphas": (0.0, 0.0, self.diffusion_alpha, 0.0, self.hyp_diffusion_alpha)}


# --- one channel, up to second order in the state ----------------------------------------------


class _Nonlinear(_Normalized, NonlinearFamily):
    """Linear terms as in :class:`Linear` and ``b₀ u² + b₁ ½ Σ_d ∂_d u² + b₂ ½ (‖∇u‖² - mean)``.

    ``betas`` holds β₀, β₁, β₂.
    """

    betas: Triple = derived()

    def _equation(self) -> Equation:
        return NonlinearEquation.normalized(self.alphas, self.betas)


@scenario("norm_nonlin")
class Nonlinear(_Nonlinear):
    """``uₜ = a₀ u + Σ_{j>0} a_j Σ_d ∂_dʲ u + b₀ u² + b₁ ½ Σ_d ∂_d u² + b₂ ½ (‖∇u‖² - mean)``.

    With ``numerics="apebench"`` the term of order zero counts D times, as in the published data.
    """

    suffix = "nonlin"
    alphas: Coefficients = (0.0, 0.0, 3e-5, 0.0, 0.0)
    betas: Triple = (0.0, -0.0125, 0.0)


@scenario("norm_burgers_sc")
class BurgersSingleChannel(_Nonlinear):
    """The Burgers equation with one channel, ``uₜ = b ½ Σ_d ∂_d u² + ν Δu``."""

    suffix = "burgers_sc"
    convection_sc_beta: float = -0.0125
    diffusion_alpha: float = 3e-5

    def _coefficients(self) -> Derived:
        return {
            "alphas": (0.0, 0.0, self.diffusion_alpha, 0.0, 0.0),
            "betas": (0.0, self.convection_sc_beta, 0.0),
        }


@scenario("norm_kdv")
class KortewegDeVries(_Nonlinear):
    """Korteweg-de Vries ``uₜ = b ½ Σ_d ∂_d u² + a₃ Σ_d ∂_d³ u + a₄ Σ_d ∂_d⁴ u``, one channel."""

    suffix = "kdv"
    convection_sc_beta: float = -0.0125
    dispersion_alpha: float = -8.5e-7
    hyp_diffusion_alpha: float = -2e-9

    def _coefficients(self) -> Derived:
        return {
            "alphas": (0.0, 0.0, 0.0, self.dispersion_alpha, self.hyp_diffusion_alpha),
            "betas": (0.0, self.convection_sc_beta, 0.0),
        }


@scenario("norm_ks")
class KuramotoSivashinsky(_Nonlinear):
    """Kuramoto-Sivashinsky ``uₜ = b ½ (‖∇u‖² - mean) + a₂ Δu + a₄ Σ_d ∂_d⁴ u``, combustion form."""

    suffix = "ks"
    num_warmup_steps: Count = KURAMOTO_WARMUP
    vlim: tuple[float, float] = (-6.5, 6.5)
    report_metrics: str = KURAMOTO_METRICS
    gradient_norm_beta: float = -2.5e-4
    diffusion_alpha: float = -2.5e-5
    hyp_diffusion_alpha: float = -3e-9

    def _coefficients(self) -> Derived:
        return {
            "alphas": (0.0, 0.0, self.diffusion_alpha, 0.0, self.hyp_diffusion_alpha),
            "betas": (0.0, 0.0, self.gradient_norm_beta),
        }


@scenario("norm_fisher")
class FisherKPP(_Nonlinear):
    """The Fisher-KPP equation ``uₜ = r u + ν Δu - r u²``; states between 0 and 1.

    With ``numerics="apebench"`` the growth is D r u in D dimensions, as in the published data:
    states saturate at D.
    """

    suffix = "fisher"
    ic_config: str = FROM_0_TO_1
    quadratic_beta: float = -0.02
    drag_alpha: float = 0.02
    diffusion_alpha: float = 4e-6

    def _coefficients(self) -> Derived:
        return {
            "alphas": (self.drag_alpha, 0.0, self.diffusion_alpha, 0.0, 0.0),
            "betas": (self.quadratic_beta, 0.0, 0.0),
        }
