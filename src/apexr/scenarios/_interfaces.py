"""The three interfaces: what each adds to the forms of equations that all of them share."""

from collections.abc import Mapping
from typing import Any, Literal

from apexr._grammar import PositiveFloat
from apexr.recipe import Extent, derived
from apexr.scenarios._families import ConvectionFamily, Family, LinearFamily, NonlinearFamily
from apexr.scenarios._terms import DIFFICULTY, NORMALIZED, PHYSICAL, Coefficients, Triple
from apexr.spectral import Grid
from apexr.steppers import Convection, Equation, Linear, Nonlinear

Form = Literal["linear", "convection", "nonlinear"]

# --- the forms -----------------------------------------------------------------------------------


class _Linear(LinearFamily):
    """``uₜ = a₀ u + Σ_{j>0} a_j Σ_d ∂_dʲ u``, solved exactly.

    With ``numerics="apebench"`` the term of order zero counts D times, as in the published data.
    """

    def _equation(self) -> Equation:
        return self._scaled(Linear, self._linear_coefficients)


class _Convection(ConvectionFamily):
    """``uₜ = b ½ ∇·(u ⊗ u)`` and linear terms as in :class:`Linear`, one channel a dimension."""

    def _equation(self) -> Equation:
        scale = getattr(self, self.scale.parameter("convection"))
        conservative: bool = getattr(self, "conservative")  # noqa: B009 - of sub-classes
        return self._scaled(
            Convection, self._linear_coefficients, -scale, conservative=conservative
        )


class _Nonlinear(NonlinearFamily):
    """Linear terms as in :class:`Linear` and ``b₀ u² + b₁ ½ Σ_d ∂_d u² + b₂ ½ (‖∇u‖² - mean)``."""

    def _equation(self) -> Equation:
        nonlinear = getattr(self, self.scale.sets["nonlinear"])
        return self._scaled(Nonlinear, self._linear_coefficients, nonlinear)


# --- difficulty ----------------------------------------------------------------------------------


class Difficulty(Family):
    """The common part: γ₀, γ₁, … in ``gammas``; dimensions and points enter the coefficients."""

    interface = "diff"
    scale = DIFFICULTY
    linear_field = "gammas"
    gammas: Coefficients = derived()

    @property
    def grid(self) -> Grid:
        """The grid of the states: its cells are square, its longest axis has the extent 1."""
        if isinstance(self.num_points, int):
            return super().grid
        extents = tuple(points / max(self.num_points) for points in self.num_points)
        return Grid(self.num_spatial_dims, self.num_points, extents)

    def _scaled(self, equation: Any, *coefficients: Any, **options: Any) -> Equation:
        size = {"num_spatial_dims": self.num_spatial_dims, "num_points": max(self.grid.shape)}
        made: Equation = equation.difficulty(*coefficients, **size, **options)
        return made


class DifficultyLinear(_Linear, Difficulty):
    """A linear equation by difficulties."""


class DifficultyConvection(Difficulty, _Convection):
    """Convection by difficulties.

    Parameters
    ----------
    convection_delta
        δ₁; negative for the usual sign.
    conservative
        Whether convection has the form ``½ ∇·(u ⊗ u)``, else ``u · ∇u``.
    """

    convection_delta: float = -1.5
    conservative: bool = True


class DifficultyNonlinear(Difficulty, _Nonlinear):
    """An equation of one channel by difficulties; ``deltas`` holds δ₀, δ₁, δ₂."""

    deltas: Triple = derived()


# --- normalized ----------------------------------------------------------------------------------


class Normalized(Family):
    """The common part: α₀, α₁, … in ``alphas``."""

    interface = "norm"
    scale = NORMALIZED
    linear_field = "alphas"
    alphas: Coefficients = derived()

    def _scaled(self, equation: Any, *coefficients: Any, **options: Any) -> Equation:
        made: Equation = equation.normalized(*coefficients, **options)
        return made


class NormalizedLinear(_Linear, Normalized):
    """A linear equation by normalized coefficients."""


class NormalizedConvection(Normalized, _Convection):
    """Convection by normalized coefficients.

    Parameters
    ----------
    convection_beta
        β₁; negative for the usual sign.
    conservative
        Whether convection has the form ``½ ∇·(u ⊗ u)``, else ``u · ∇u``.
    """

    convection_beta: float = -1.25e-2
    conservative: bool = True


class NormalizedNonlinear(Normalized, _Nonlinear):
    """An equation of one channel by normalized coefficients; ``betas`` holds β₀, β₁, β₂."""

    betas: Triple = derived()


# --- physical ------------------------------------------------------------------------------------


class Domain(Family):
    """An equation on a domain of some extent, with a step of some time.

    Parameters
    ----------
    domain_extent
        Length of the domain along each axis; a tuple of one number an axis where they differ.
    dt
        Time from one recorded state to the next.
    """

    interface = "phy"
    scale = PHYSICAL
    domain_extent: Extent = 1.0
    dt: PositiveFloat = 0.1


class Physical(Domain):
    """An equation with the linear coefficients a₀, a₁, … in ``a_coefs``."""

    linear_field = "a_coefs"
    a_coefs: Coefficients = derived()


class PhysicalLinear(_Linear, Physical):
    """A linear equation by physical coefficients."""


class PhysicalConvection(Physical, _Convection):
    """Convection by physical coefficients.

    Parameters
    ----------
    convection_coef
        b₁; negative for the usual sign.
    conservative
        Whether convection has the form ``½ ∇·(u ⊗ u)``, else ``u · ∇u``.
    """

    convection_coef: float = -0.125
    conservative: bool = True


class PhysicalNonlinear(Physical, _Nonlinear):
    """An equation of one channel by physical coefficients; ``b_coefs`` holds b₀, b₁, b₂."""

    b_coefs: Triple = derived()


FORMS: Mapping[str, Mapping[Form, type[Family]]] = {
    "diff": {
        "linear": DifficultyLinear,
        "convection": DifficultyConvection,
        "nonlinear": DifficultyNonlinear,
    },
    "norm": {
        "linear": NormalizedLinear,
        "convection": NormalizedConvection,
        "nonlinear": NormalizedNonlinear,
    },
    "phy": {
        "linear": PhysicalLinear,
        "convection": PhysicalConvection,
        "nonlinear": PhysicalNonlinear,
    },
}
"""The base classes of scenarios, by interface and form of the equation."""
