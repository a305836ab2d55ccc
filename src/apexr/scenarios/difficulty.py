"""Scenarios by difficulty: coefficients relative to the resolution of the grid.

A linear coefficient γⱼ and a nonlinear one δⱼ say how hard one step is for a stencil on the
grid, whatever the number of points; γ₁ is the number of cells crossed in a step. All
coefficients stand on the right-hand side of the equation. There is no time and no length: the
step and the extent are 1. Where ``num_points`` differs from axis to axis, the cells stay square,
so that a coefficient is as hard along every axis, and the longest axis has the extent 1.

References
----------
Koehler et al. (2024), "APEBench: A Benchmark for Autoregressive Neural Emulators of PDEs",
NeurIPS, section 3.
"""

from collections.abc import Mapping
from typing import ClassVar

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
from apexr.spectral import Grid
from apexr.steppers import Convection as ConvectionEquation
from apexr.steppers import Equation
from apexr.steppers import Linear as LinearEquation
from apexr.steppers import Nonlinear as NonlinearEquation


class _Difficulty(Family):
    """What all have: γ₀, γ₁, … in ``gammas``; dimensions and points enter the coefficients."""

    interface = "diff"
    linear_field = "gammas"
    gammas: Coefficients = derived()

    @property
    def grid(self) -> Grid:
        """The grid of the states: its cells are square, its longest axis has the extent 1."""
        if isinstance(self.num_points, int):
            return super().grid
        extents = tuple(points / max(self.num_points) for points in self.num_points)
        return Grid(self.num_spatial_dims, self.num_points, extents)

    @property
    def _size(self) -> dict[str, int]:
        return {"num_spatial_dims": self.num_spatial_dims, "num_points": max(self.grid.shape)}


# --- linear equations --------------------------------------------------------------------------


class _Linear(LinearFamily, _Difficulty):
    """``uₜ = a₀ u + Σ_{j>0} a_j Σ_d ∂_dʲ u``, solved exactly.

    With ``numerics="apebench"`` the term of order zero counts D times, as in the published data.
    """

    def _equation(self) -> Equation:
        return LinearEquation.difficulty(self.gammas, **self._size)


@scenario("diff_lin")
class Linear(_Linear):
    """Any linear equation ``uₜ = a₀ u + Σ_{j>0} a_j Σ_d ∂_dʲ u``, by all its coefficients."""

    suffix = "linear_{terms}"
    gammas: Coefficients = (0.0, -4.0, 0.0, 0.0, 0.0)


@scenario("diff_lin_simple")
class LinearSimple(_Linear):
    """One linear term of any order n, ``uₜ = a Σ_d ∂_dⁿ u``, or ``uₜ = a u`` for n = 0."""

    suffix = "linear_{terms}"
    linear_gamma: float = -4.0
    linear_term_order: TermOrder = 1

    def _coefficients(self) -> Derived:
        return {"gammas": (0.0,) * self.linear_term_order + (self.linear_gamma,)}


@scenario("diff_adv")
class Advection(_Linear):
    """Advection ``uₜ = -c Σ_d ∂_d u``; γ₁ < 0 moves to the right."""

    renamed: ClassVar[Mapping[str, tuple[str, float]]] = {
        "adv_difficulty": ("advection_gamma", -1.0)
    }
    suffix = "adv"
    advection_gamma: float = -4.0

    def _coefficients(self) -> Derived:
        return {"gammas": (0.0, self.advection_gamma, 0.0, 0.0, 0.0)}


@scenario("diff_diff")
class Diffusion(_Linear):
    """Diffusion ``uₜ = ν Δu``."""

    suffix = "diff"
    diffusion_gamma: float = 4.0

    def _coefficients(self) -> Derived:
        return {"gammas": (0.0, 0.0, self.diffusion_gamma, 0.0, 0.0)}


@scenario("diff_adv_diff")
class AdvectionDiffusion(_Linear):
    """Advection and diffusion ``uₜ = -c Σ_d ∂_d u + ν Δu``."""

    suffix = "adv_diff"
    advection_gamma: float = -4.0
    diffusion_gamma: float = 4.0

    def _coefficients(self) -> Derived:
        return {"gammas": (0.0, self.advection_gamma, self.diffusion_gamma, 0.0, 0.0)}


@scenario("diff_disp")
class Dispersion(_Linear):
    """Dispersion ``uₜ = ξ Σ_d ∂_d³ u``."""

    suffix = "disp"
    dispersion_gamma: float = 4.0

    def _coefficients(self) -> Derived:
        return {"gammas": (0.0, 0.0, 0.0, self.dispersion_gamma, 0.0)}


@scenario("diff_hyp_diff")
class HyperDiffusion(_Linear):
    """Hyper-diffusion ``uₜ = -μ Σ_d ∂_d⁴ u``; γ₄ < 0 damps."""

    suffix = "hyp_diff"
    hyp_diffusion_gamma: float = -4.0

    def _coefficients(self) -> Derived:
        return {"gammas": (0.0, 0.0, 0.0, 0.0, self.hyp_diffusion_gamma)}


@scenario("diff_four")
class FirstFour(_Linear):
    """Advection to hyper-diffusion together: ``uₜ = Σ_{j=1…4} a_j Σ_d ∂_dʲ u``."""

    suffix = "four"
    advection_gamma: float = -4.0
    diffusion_gamma: float = 4.0
    dispersion_gamma: float = 4.0
    hyp_diffusion_gamma: float = -4.0

    def _coefficients(self) -> Derived:
        first = (0.0, self.advection_gamma, self.diffusion_gamma)
        return {"gammas": (*first, self.dispersion_gamma, self.hyp_diffusion_gamma)}


# --- convection --------------------------------------------------------------------------------


class _Convection(_Difficulty, ConvectionFamily):
    """``uₜ = b ½ ∇·(u ⊗ u)`` and linear terms as in :class:`Linear`, one channel a dimension.

    Parameters
    ----------
    convection_delta
        δ₁; negative for the usual sign.
    conservative
        Whether convection has the form ``½ ∇·(u ⊗ u)``, else ``u · ∇u``.
    """

    convection_delta: float = -1.5
    conservative: bool = True

    def _equation(self) -> Equation:
        return ConvectionEquation.difficulty(
            self.gammas,
            -self.convection_delta,
            num_spatial_dims=self.num_spatial_dims,
            num_points=max(self.grid.shape),
            conservative=self.conservative,
        )


@scenario("diff_conv")
class Convection(_Convection):
    """Convection ``uₜ = b ½ ∇·(u ⊗ u) + a₀ u + Σ_{j>0} a_j Σ_d ∂_dʲ u``, any linear terms.

    With ``numerics="apebench"`` the term of order zero counts D times, as in the published data.
    """

    suffix = "conv_{terms}"
    gammas: Coefficients = (0.0, 0.0, 1.5, 0.0, 0.0)


@scenario("diff_burgers")
class Burgers(_Convection):
    """The Burgers equation ``uₜ = b ½ ∇·(u ⊗ u) + ν Δu``."""

    suffix = "burgers"
    diffusion_gamma: float = 1.5

    def _coefficients(self) -> Derived:
        return {"gammas": (0.0, 0.0, self.diffusion_gamma, 0.0, 0.0)}


@scenario("diff_ks_cons")
class KuramotoSivashinskyConservative(_Convection):
    """Kuramoto-Sivashinsky, conservative form, ``uₜ = b ½ ∂ u² + a₂ ∂² u + a₄ ∂⁴ u``, 1D only."""

    dimensions = (1,)
    elsewhere = "in more dimensions take KuramotoSivashinsky (diff_ks)"
    suffix = "ks_cons"
    num_warmup_steps: Count = KURAMOTO_WARMUP
    vlim: tuple[float, float] = (-2.5, 2.5)
    report_metrics: str = KURAMOTO_METRICS
    convection_delta: float = -1.0
    diffusion_gamma: float = -2.0
    hyp_diffusion_gamma: float = -18.0

    def _coefficients(self) -> Derived:
        return {"gammas": (0.0, 0.0, self.diffusion_gamma, 0.0, self.hyp_diffusion_gamma)}


# --- one channel, up to second order in the state ----------------------------------------------


class _Nonlinear(_Difficulty, NonlinearFamily):
    """Linear terms as in :class:`Linear` and ``b₀ u² + b₁ ½ Σ_d ∂_d u² + b₂ ½ (‖∇u‖² - mean)``.

    ``deltas`` holds δ₀, δ₁, δ₂.
    """

    deltas: Triple = derived()

    def _equation(self) -> Equation:
        return NonlinearEquation.difficulty(self.gammas, self.deltas, **self._size)


@scenario("diff_nonlin")
class Nonlinear(_Nonlinear):
    """``uₜ = a₀ u + Σ_{j>0} a_j Σ_d ∂_dʲ u + b₀ u² + b₁ ½ Σ_d ∂_d u² + b₂ ½ (‖∇u‖² - mean)``.

    With ``numerics="apebench"`` the term of order zero counts D times, as in the published data.
    """

    suffix = "nonlin"
    gammas: Coefficients = (0.0, 0.0, 1.5, 0.0, 0.0)
    deltas: Triple = (0.0, -1.5, 0.0)


@scenario("diff_burgers_sc")
class BurgersSingleChannel(_Nonlinear):
    """The Burgers equation with one channel, ``uₜ = b ½ Σ_d ∂_d u² + ν Δu``."""

    suffix = "burgers_sc"
    convection_sc_delta: float = -1.5
    diffusion_gamma: float = 1.5

    def _coefficients(self) -> Derived:
        return {
            "gammas": (0.0, 0.0, self.diffusion_gamma, 0.0, 0.0),
            "deltas": (0.0, self.convection_sc_delta, 0.0),
        }


@scenario("diff_kdv")
class KortewegDeVries(_Nonlinear):
    """Korteweg-de Vries ``uₜ = b ½ Σ_d ∂_d u² + a₃ Σ_d ∂_d³ u + a₄ Σ_d ∂_d⁴ u``, one channel."""

    suffix = "kdv"
    convection_sc_delta: float = -2.0
    dispersion_gamma: float = -14.0
    hyp_diffusion_gamma: float = -9.0

    def _coefficients(self) -> Derived:
        return {
            "gammas": (0.0, 0.0, 0.0, self.dispersion_gamma, self.hyp_diffusion_gamma),
            "deltas": (0.0, self.convection_sc_delta, 0.0),
        }


@scenario("diff_ks")
class KuramotoSivashinsky(_Nonlinear):
    """Kuramoto-Sivashinsky ``uₜ = b ½ (‖∇u‖² - mean) + a₂ Δu + a₄ Σ_d ∂_d⁴ u``, combustion form."""

    suffix = "ks"
    num_warmup_steps: Count = KURAMOTO_WARMUP
    vlim: tuple[float, float] = (-6.5, 6.5)
    report_metrics: str = KURAMOTO_METRICS
    gradient_norm_delta: float = -6.0
    diffusion_gamma: float = -1.2
    hyp_diffusion_gamma: float = -15.0

    def _coefficients(self) -> Derived:
        return {
            "gammas": (0.0, 0.0, self.diffusion_gamma, 0.0, self.hyp_diffusion_gamma),
            "deltas": (0.0, 0.0, self.gradient_norm_delta),
        }


@scenario("diff_fisher")
class FisherKPP(_Nonlinear):
    """The Fisher-KPP equation ``uₜ = r u + ν Δu - r u²``; states between 0 and 1.

    With ``numerics="apebench"`` the growth is D r u in D dimensions, as in the published data:
    states saturate at D.
    """

    suffix = "fisher"
    ic_config: str = FROM_0_TO_1
    quadratic_delta: float = -0.02
    drag_gamma: float = 0.02
    diffusion_gamma: float = 0.2

    def _coefficients(self) -> Derived:
        return {
            "gammas": (self.drag_gamma, 0.0, self.diffusion_gamma),
            "deltas": (self.quadratic_delta, 0.0, 0.0),
        }
