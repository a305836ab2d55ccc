"""Linear equations that treat the axes differently, or mix them."""

from typing import Any

from apexr._grammar import PositiveFloat
from apexr.errors import SpecError
from apexr.recipe import scenario
from apexr.scenarios._families import LinearFamily
from apexr.scenarios._interfaces import Domain
from apexr.scenarios._terms import Coefficients
from apexr.steppers import Advection, Diffusion, Dispersion, Equation, HyperDiffusion


class _Anisotropic(LinearFamily, Domain):
    """A linear equation of several axes, solved exactly."""

    dimensions = (2, 3)
    elsewhere = "with one axis nothing can differ between axes"
    num_spatial_dims: int = 2

    def _check_length(self, name: str, values: tuple[Any, ...], what: str = "numbers") -> None:
        dims = self.num_spatial_dims
        if len(values) != dims:
            raise SpecError(
                f"{name} of {type(self).__name__} must hold {dims} {what}, one a dimension, got"
                f" {len(values)}: {values!r}"
            )


@scenario("phy_unbal_adv")
class UnbalancedAdvection(_Anisotropic):
    """Advection ``uₜ = -c · ∇u`` with another velocity along each axis, 2D and 3D."""

    suffix = "unbal_adv"
    num_spatial_dims: int = 3
    advection_coef_vector: Coefficients = (0.01, -0.04, 0.005)

    def _check(self) -> None:
        self._check_length("advection_coef_vector", self.advection_coef_vector)

    def _equation(self) -> Equation:
        return Advection(self.advection_coef_vector)


@scenario("phy_diag_diff")
class DiagonalDiffusion(_Anisotropic):
    """Diffusion ``uₜ = Σ_d ν_d ∂_d² u`` with another diffusivity along each axis, 2D and 3D."""

    suffix = "diag_diff"
    diffusion_coef_vector: Coefficients = (0.001, 0.002)

    def _check(self) -> None:
        self._check_length("diffusion_coef_vector", self.diffusion_coef_vector)
        self._equation()

    def _equation(self) -> Equation:
        return Diffusion(self.diffusion_coef_vector)


@scenario("phy_aniso_diff")
class AnisotropicDiffusion(_Anisotropic):
    """Diffusion ``uₜ = ∇ · (A ∇u)`` with a symmetric, positive matrix A, 2D and 3D."""

    suffix = "aniso_diff"
    diffusion_coef_matrix: tuple[Coefficients, ...] = ((0.001, 0.0005), (0.0005, 0.002))

    def _check(self) -> None:
        self._check_length("diffusion_coef_matrix", self.diffusion_coef_matrix, "rows")
        for place, row in enumerate(self.diffusion_coef_matrix):
            self._check_length(f"diffusion_coef_matrix[{place}]", row)
        self._equation()

    def _equation(self) -> Equation:
        return Diffusion(self.diffusion_coef_matrix)


@scenario("phy_mix_disp")
class SpatiallyMixedDispersion(_Anisotropic):
    """Dispersion ``uₜ = ξ (Σ_d ∂_d) Δu``, 2D and 3D."""

    suffix = "mix_disp"
    dt: PositiveFloat = 0.001
    dispersion_coef: float = 2.5e-4

    def _equation(self) -> Equation:
        return Dispersion(self.dispersion_coef, advect_on_diffusion=True)


@scenario("phy_mix_hyp")
class SpatiallyMixedHyperDiffusion(_Anisotropic):
    """Hyper-diffusion ``uₜ = -μ Δ² u``, the coefficient being -μ, 2D and 3D."""

    suffix = "mix_hyp"
    dt: PositiveFloat = 1e-5
    hyp_diffusion_coef: float = -7.5e-5

    def _equation(self) -> Equation:
        return HyperDiffusion(-self.hyp_diffusion_coef, diffuse_on_diffuse=True)
