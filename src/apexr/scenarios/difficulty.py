"""Scenarios by difficulty: coefficients relative to the resolution of the grid.

A linear coefficient γⱼ and a nonlinear one δⱼ say how hard one step is for a stencil on the
grid, whatever the number of points; γ₁ is the number of cells crossed in a step. All
coefficients stand on the right-hand side of the equation. There is no time and no length: the
step and the extent are 1.

References
----------
Koehler et al. (2024), "APEBench: A Benchmark for Autoregressive Neural Emulators of PDEs",
NeurIPS, section 3.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from apexr._grammar import Count, PositiveFloat, Range
from apexr.errors import SpecError
from apexr.scenarios._base import BaseScenario
from apexr.scenarios._etdrk import NonlinearSolver
from apexr.scenarios._fields import derived
from apexr.scenarios._registry import scenario
from apexr.steppers import Convection as ConvectionEquation
from apexr.steppers import ETDRKStepper, Stepper
from apexr.steppers import Linear as LinearEquation
from apexr.steppers import Nonlinear as NonlinearEquation

Coefficients = tuple[float, ...]
Triple = tuple[float, float, float]
TermOrder = Annotated[int, Range(minimum=0, maximum=16)]

KURAMOTO_METRICS = "mean_nRMSE,mean_correlation"
KURAMOTO_WARMUP = 500


class _Difficulty(BaseScenario):
    """What all have: dimensions and points enter the coefficients; the name says so."""

    suffix: ClassVar[str]
    num_channels: int = derived()

    def _derive(self) -> None:
        self._set(num_channels=1)

    def get_scenario_name(self) -> str:
        """Return ``{D}d_diff_{suffix}``."""
        return f"{self.num_spatial_dims}d_diff_{self.suffix.format(terms=self._linear_terms())}"

    def _linear_terms(self) -> str:
        gammas = getattr(self, "gammas", ())
        return "_".join(str(order) for order, gamma in enumerate(gammas) if gamma != 0)

    @property
    def _size(self) -> dict[str, int]:
        return {"num_spatial_dims": self.num_spatial_dims, "num_points": self.num_points}


def _scaled(values: Coefficients, factor: float, substeps: int) -> Coefficients:
    return tuple(factor * value / substeps for value in values)


# --- linear equations --------------------------------------------------------------------------


class _Linear(_Difficulty):
    """``uₜ = Σ_j a_j Σ_d ∂_dʲ u``, solved exactly.

    ``gammas`` holds γ₀, γ₁, …

    Parameters
    ----------
    coarse_proportion
        Part of the step that the coarse stepper makes.
    """

    gammas: Coefficients = derived()
    coarse_proportion: PositiveFloat = 0.5

    def get_ref_stepper(self) -> Stepper:
        """Return the exact solver of one step."""
        return self._stepper(1.0)

    def get_coarse_stepper(self) -> Stepper:
        """Return the exact solver of a part of the step."""
        return self._stepper(self.coarse_proportion)

    def _stepper(self, proportion: float) -> Stepper:
        gammas = _scaled(self.gammas, proportion, 1)
        return ETDRKStepper(LinearEquation.difficulty(gammas, **self._size), self.grid, 1.0)


@scenario("diff_lin")
class Linear(_Linear):
    """Any linear equation, by all its coefficients."""

    suffix = "linear_{terms}"
    gammas: Coefficients = (0.0, -4.0, 0.0, 0.0, 0.0)


@scenario("diff_lin_simple")
class LinearSimple(_Linear):
    """One linear term of any order."""

    suffix = "linear_{terms}"
    linear_gamma: float = -4.0
    linear_term_order: TermOrder = 1

    def _derive(self) -> None:
        super()._derive()
        self._set(gammas=(0.0,) * self.linear_term_order + (self.linear_gamma,))


@scenario("diff_adv")
class Advection(_Linear):
    """Advection ``uₜ = -c Σ_d ∂_d u``; γ₁ < 0 moves to the right."""

    renamed: ClassVar[Mapping[str, tuple[str, float]]] = {
        "adv_difficulty": ("advection_gamma", -1.0)
    }
    suffix = "adv"
    advection_gamma: float = -4.0

    def _derive(self) -> None:
        super()._derive()
        self._set(gammas=(0.0, self.advection_gamma, 0.0, 0.0, 0.0))


@scenario("diff_diff")
class Diffusion(_Linear):
    """Diffusion ``uₜ = ν Δu``."""

    suffix = "diff"
    diffusion_gamma: float = 4.0

    def _derive(self) -> None:
        super()._derive()
        self._set(gammas=(0.0, 0.0, self.diffusion_gamma, 0.0, 0.0))


@scenario("diff_adv_diff")
class AdvectionDiffusion(_Linear):
    """Advection and diffusion ``uₜ = -c Σ_d ∂_d u + ν Δu``."""

    suffix = "adv_diff"
    advection_gamma: float = -4.0
    diffusion_gamma: float = 4.0

    def _derive(self) -> None:
        super()._derive()
        self._set(gammas=(0.0, self.advection_gamma, self.diffusion_gamma, 0.0, 0.0))


@scenario("diff_disp")
class Dispersion(_Linear):
    """Dispersion ``uₜ = ξ Σ_d ∂_d³ u``."""

    suffix = "disp"
    dispersion_gamma: float = 4.0

    def _derive(self) -> None:
        super()._derive()
        self._set(gammas=(0.0, 0.0, 0.0, self.dispersion_gamma, 0.0))


@scenario("diff_hyp_diff")
class HyperDiffusion(_Linear):
    """Hyper-diffusion ``uₜ = -μ Σ_d ∂_d⁴ u``; γ₄ < 0 damps."""

    suffix = "hyp_diff"
    hyp_diffusion_gamma: float = -4.0

    def _derive(self) -> None:
        super()._derive()
        self._set(gammas=(0.0, 0.0, 0.0, 0.0, self.hyp_diffusion_gamma))


@scenario("diff_four")
class FirstFour(_Linear):
    """Advection, diffusion, dispersion and hyper-diffusion together."""

    suffix = "four"
    advection_gamma: float = -4.0
    diffusion_gamma: float = 4.0
    dispersion_gamma: float = 4.0
    hyp_diffusion_gamma: float = -4.0

    def _derive(self) -> None:
        super()._derive()
        first = (0.0, self.advection_gamma, self.diffusion_gamma)
        self._set(gammas=(*first, self.dispersion_gamma, self.hyp_diffusion_gamma))


# --- convection --------------------------------------------------------------------------------


class _Convection(_Difficulty, NonlinearSolver):
    """``uₜ = b ½ ∇·(u ⊗ u) + Σ_j a_j Σ_d ∂_dʲ u``, one channel a dimension.

    Parameters
    ----------
    convection_delta
        δ₁; negative for the usual sign.
    conservative
        Whether convection has the form ``½ ∇·(u ⊗ u)``, else ``u·∇u``.
    """

    gammas: Coefficients = derived()
    convection_delta: float = -1.5
    conservative: bool = True

    def _derive(self) -> None:
        self._set(num_channels=self.num_spatial_dims)

    def get_ref_stepper(self) -> Stepper:
        """Return the solver of one step."""
        return self._stepper(1.0)

    def get_coarse_stepper(self) -> Stepper:
        """Return the solver of a part of the step."""
        return self._stepper(self.coarse_proportion)

    def _stepper(self, proportion: float) -> Stepper:
        (delta,) = _scaled((-self.convection_delta,), proportion, self.num_substeps)
        equation = ConvectionEquation.difficulty(
            _scaled(self.gammas, proportion, self.num_substeps),
            delta,
            num_spatial_dims=self.num_spatial_dims,
            num_points=self.num_points,
            conservative=self.conservative,
        )
        return self._build(equation, 1.0)


@scenario("diff_conv")
class Convection(_Convection):
    """Convection with any linear terms."""

    suffix = "conv_{terms}"
    gammas: Coefficients = (0.0, 0.0, 1.5, 0.0, 0.0)


@scenario("diff_burgers")
class Burgers(_Convection):
    """The Burgers equation ``uₜ = b ½ ∇·(u ⊗ u) + ν Δu``."""

    suffix = "burgers"
    diffusion_gamma: float = 1.5

    def _derive(self) -> None:
        super()._derive()
        self._set(gammas=(0.0, 0.0, self.diffusion_gamma, 0.0, 0.0))


@scenario("diff_ks_cons")
class KuramotoSivashinskyConservative(_Convection):
    """The Kuramoto-Sivashinsky equation in conservative form, 1D only."""

    suffix = "ks_cons"
    num_warmup_steps: Count = KURAMOTO_WARMUP
    vlim: tuple[float, float] = (-2.5, 2.5)
    report_metrics: str = KURAMOTO_METRICS
    convection_delta: float = -1.0
    diffusion_gamma: float = -2.0
    hyp_diffusion_gamma: float = -18.0

    def _derive(self) -> None:
        super()._derive()
        self._set(gammas=(0.0, 0.0, self.diffusion_gamma, 0.0, self.hyp_diffusion_gamma))

    def _check(self) -> None:
        if self.num_spatial_dims != 1:
            raise SpecError(
                "num_spatial_dims of KuramotoSivashinskyConservative must be 1, got"
                f" {self.num_spatial_dims}; in more dimensions take KuramotoSivashinsky (diff_ks)"
            )


# --- one channel, up to second order in the state ----------------------------------------------


class _Nonlinear(_Difficulty, NonlinearSolver):
    """``uₜ = Σ_j a_j Σ_d ∂_dʲ u + b₀ u² + b₁ ½ Σ_d ∂_d u² + b₂ ½ (‖∇u‖² - mean)``.

    ``deltas`` holds δ₀, δ₁, δ₂.
    """

    gammas: Coefficients = derived()
    deltas: Triple = derived()

    def get_ref_stepper(self) -> Stepper:
        """Return the solver of one step."""
        return self._stepper(1.0)

    def get_coarse_stepper(self) -> Stepper:
        """Return the solver of a part of the step."""
        return self._stepper(self.coarse_proportion)

    def _stepper(self, proportion: float) -> Stepper:
        equation = NonlinearEquation.difficulty(
            _scaled(self.gammas, proportion, self.num_substeps),
            _scaled(self.deltas, proportion, self.num_substeps),
            **self._size,
        )
        return self._build(equation, 1.0)


@scenario("diff_nonlin")
class Nonlinear(_Nonlinear):
    """Any linear terms with quadratic, convective and gradient-norm ones."""

    suffix = "nonlin"
    gammas: Coefficients = (0.0, 0.0, 1.5, 0.0, 0.0)
    deltas: Triple = (0.0, -1.5, 0.0)


@scenario("diff_burgers_sc")
class BurgersSingleChannel(_Nonlinear):
    """The Burgers equation with one channel, ``uₜ = b ½ Σ_d ∂_d u² + ν Δu``."""

    suffix = "burgers_sc"
    convection_sc_delta: float = -1.5
    diffusion_gamma: float = 1.5

    def _derive(self) -> None:
        super()._derive()
        self._set(
            gammas=(0.0, 0.0, self.diffusion_gamma, 0.0, 0.0),
            deltas=(0.0, self.convection_sc_delta, 0.0),
        )


@scenario("diff_kdv")
class KortewegDeVries(_Nonlinear):
    """The Korteweg-de Vries equation with hyper-diffusion, one channel."""

    suffix = "kdv"
    convection_sc_delta: float = -2.0
    dispersion_gamma: float = -14.0
    hyp_diffusion_gamma: float = -9.0

    def _derive(self) -> None:
        super()._derive()
        self._set(
            gammas=(0.0, 0.0, 0.0, self.dispersion_gamma, self.hyp_diffusion_gamma),
            deltas=(0.0, self.convection_sc_delta, 0.0),
        )


@scenario("diff_ks")
class KuramotoSivashinsky(_Nonlinear):
    """The Kuramoto-Sivashinsky equation in combustion form, with the norm of the gradient."""

    suffix = "ks"
    num_warmup_steps: Count = KURAMOTO_WARMUP
    vlim: tuple[float, float] = (-6.5, 6.5)
    report_metrics: str = KURAMOTO_METRICS
    gradient_norm_delta: float = -6.0
    diffusion_gamma: float = -1.2
    hyp_diffusion_gamma: float = -15.0

    def _derive(self) -> None:
        super()._derive()
        self._set(
            gammas=(0.0, 0.0, self.diffusion_gamma, 0.0, self.hyp_diffusion_gamma),
            deltas=(0.0, 0.0, self.gradient_norm_delta),
        )


@scenario("diff_fisher")
class FisherKPP(_Nonlinear):
    """The Fisher-KPP equation ``uₜ = r u + ν Δu - r u²``; states between 0 and 1."""

    suffix = "fisher"
    ic_config: str = "clamp;0.0;1.0;fourier;5;false;false"
    quadratic_delta: float = -0.02
    drag_gamma: float = 0.02
    diffusion_gamma: float = 0.2

    def _derive(self) -> None:
        super()._derive()
        self._set(
            gammas=(self.drag_gamma, 0.0, self.diffusion_gamma),
            deltas=(self.quadratic_delta, 0.0, 0.0),
        )
