"""Linear equations with the same derivatives along all axes."""

from collections.abc import Mapping
from typing import ClassVar

from apexr._grammar import PositiveFloat
from apexr.recipe import scenario
from apexr.scenarios._families import Coefficients, Derived, LinearFamily, TermOrder
from apexr.scenarios.physical._interface import Physical
from apexr.steppers import Equation
from apexr.steppers import Linear as LinearEquation


class _Linear(LinearFamily, Physical):
    """``uₜ = a₀ u + Σ_{j>0} a_j Σ_d ∂_dʲ u``, solved exactly.

    With ``numerics="apebench"`` the term of order zero counts D times, as in the published data.
    """

    def _equation(self) -> Equation:
        return LinearEquation(self.a_coefs)


@scenario("phy_lin")
class Linear(_Linear):
    """Any linear equation ``uₜ = a₀ u + Σ_{j>0} a_j Σ_d ∂_dʲ u``, by all its coefficients."""

    suffix = "lin_{terms}"
    a_coefs: Coefficients = (0.0, -0.25, 0.0, 0.0, 0.0)


@scenario("phy_lin_simple")
class LinearSimple(_Linear):
    """One linear term of any order n, ``uₜ = a Σ_d ∂_dⁿ u``, or ``uₜ = a u`` for n = 0."""

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
    """Advection to hyper-diffusion together: ``uₜ = Σ_{j=1…4} a_j Σ_d ∂_dʲ u``."""

    suffix = "four"
    dt: PositiveFloat = 1e-5
    advection_coef: float = -2500.0
    diffusion_coef: float = 80.0
    dispersion_coef: float = 0.025
    hyp_diffusion_coef: float = -7.5e-5

    def _coefficients(self) -> Derived:
        first = (0.0, self.advection_coef, self.diffusion_coef)
        return {"a_coefs": (*first, self.dispersion_coef, self.hyp_diffusion_coef)}
