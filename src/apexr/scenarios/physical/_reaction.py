"""Reactions: polynomials of one state, patterns, and two substances."""

import math
from typing import Annotated

from apexr._grammar import PositiveFloat, PositiveInt, Range
from apexr.errors import warn
from apexr.recipe import Extent, derived, scenario
from apexr.scenarios._families import FROM_0_TO_1, Derived, NonlinearFamily
from apexr.scenarios._interfaces import Domain, Physical
from apexr.scenarios._terms import Coefficients
from apexr.steppers import Equation
from apexr.steppers import GrayScott as GrayScottEquation
from apexr.steppers import Polynomial as PolynomialEquation
from apexr.steppers import SwiftHohenberg as SwiftHohenbergEquation

Fraction = Annotated[float, Range(minimum=0.0, maximum=1.0)]

BLOBS = "gray_scott_blobs"
NOT_IN_1D = "patterns need a plane"


class _Polynomial(Physical, NonlinearFamily):
    """Linear terms as in :class:`Linear` and ``Σ_k c_k uᵏ``; ``poly_coefs`` holds c₀, c₁, …."""

    dt: PositiveFloat = 0.001
    poly_coefs: Coefficients = derived()

    def _equation(self) -> Equation:
        return PolynomialEquation(self.a_coefs, self.poly_coefs)


@scenario("phy_poly")
class Polynomial(_Polynomial):
    """A polynomial of the state, ``uₜ = a₀ u + Σ_{j>0} a_j Σ_d ∂_dʲ u + Σ_k c_k uᵏ``.

    With ``numerics="apebench"`` the term of order zero counts D times, as in the published data.
    """

    suffix = "poly"
    a_coefs: Coefficients = (0.02, 0.0, 4e-6, 0.0, 0.0)
    poly_coefs: Coefficients = (0.0, 0.0, -0.02)


@scenario("phy_fisher")
class FisherKPP(_Polynomial):
    """The Fisher-KPP equation ``uₜ = r u + ν Δu - r u²``; states between 0 and 1.

    With ``numerics="apebench"`` the growth is D r u in D dimensions, as in the published data:
    states saturate at D.
    """

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


@scenario("phy_sh")
class SwiftHohenberg(Domain, NonlinearFamily):
    """The Swift-Hohenberg equation ``uₜ = r u - (k + Δ)² u + Σ_i c_i uⁱ``, 2D and 3D.

    Parameters
    ----------
    reactivity
        r.
    critical_number
        k, compared with the square of a wavenumber.
    polynomial_coefficients
        c₀, c₁, ….
    """

    suffix = "sh"
    dimensions = (2, 3)
    elsewhere = NOT_IN_1D
    num_spatial_dims: int = 2
    domain_extent: Extent = 10 * math.pi
    num_substeps: PositiveInt = 5
    dealiasing_fraction: Fraction = 1 / 2
    reactivity: float = 0.7
    critical_number: float = 1.0
    polynomial_coefficients: Coefficients = (0.0, 0.0, 1.0, -1.0)

    def _equation(self) -> Equation:
        return SwiftHohenbergEquation(
            self.reactivity, self.critical_number, self.polynomial_coefficients
        )


class _GrayScott(Domain, NonlinearFamily):
    """``uₜ = d₁ Δu + F (1 - u) - u v²`` and ``vₜ = d₂ Δv - (F + K) v + u v²``.

    Channel 0 is the substrate, 1 minus a blob at the start; channel 1 the activator, another
    blob. An initial condition for one channel, which would draw both equal, is replaced by the
    blobs, as the published benchmark does; ``channels;FIRST|SECOND`` is taken as it is.

    Parameters
    ----------
    diffusivity_1, diffusivity_2
        d₁ and d₂.
    """

    dimensions = (2, 3)
    elsewhere = NOT_IN_1D
    channel_names = ("u", "v")
    channel_kind = "scalars"
    num_spatial_dims: int = 2
    ic_config: str = BLOBS
    dealiasing_fraction: Fraction = 1 / 2
    diffusivity_1: float = 2e-5
    diffusivity_2: float = 1e-5

    def _num_channels(self) -> int:
        return 2

    def _derive(self) -> None:
        super()._derive()
        if self.parsed_conditions[0].num_channels is None:
            warn(
                f"ic_config {self.ic_config!r} would draw equal substrate and activator;"
                f" {type(self).__name__} starts from {BLOBS!r} instead. Give both channels, as in"
                " 'channels;FIRST|SECOND', for another start"
            )
            self._set(ic_config=BLOBS)
            del vars(self)["parsed_conditions"]  # of the string before


@scenario("phy_gs")
class GrayScott(_GrayScott):
    """The Gray-Scott equations by feed rate F and kill rate K, 2D and 3D."""

    suffix = "gs"
    dt: PositiveFloat = 10.0
    num_substeps: PositiveInt = 10
    feed_rate: float = 0.04
    kill_rate: float = 0.06

    def _equation(self) -> Equation:
        return GrayScottEquation(
            self.diffusivity_1, self.diffusivity_2, self.feed_rate, self.kill_rate
        )


@scenario("phy_gs_type")
class GrayScottType(_GrayScott):
    """The Gray-Scott equations by the name of their pattern, ``alpha`` to ``mu``, 2D and 3D."""

    suffix = "gs_{pattern_type}"
    domain_extent: Extent = 2.5
    dt: PositiveFloat = 20.0
    num_substeps: PositiveInt = 20
    pattern_type: str = "theta"

    def _check(self) -> None:
        self._equation()

    def _equation(self) -> Equation:
        return GrayScottEquation.pattern(self.pattern_type, self.diffusivity_1, self.diffusivity_2)
