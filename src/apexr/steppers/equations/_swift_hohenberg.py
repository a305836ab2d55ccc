"""The Swift-Hohenberg equation of pattern formation."""

import dataclasses
from typing import Any, ClassVar

from apexr.spectral import Grid, laplacian
from apexr.steppers._terms import NonlinearTerm, PseudoSpectral
from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._polynomial import Polynomial
from apexr.steppers.equations._tensors import Coefficient, coefficients


@dataclasses.dataclass(frozen=True)
class SwiftHohenberg(Equation):
    """``uₜ = r u - (k + Δ)² u + Σ_i c_i uⁱ``.

    Waves whose squared wavenumber is ``k`` grow fastest, at the rate ``r``.

    Parameters
    ----------
    reactivity
        ``r``.
    critical_number
        ``k``, compared with the square of a wavenumber.
    polynomial_coefficients
        ``c_0, c_1, …``.

    References
    ----------
    Swift & Hohenberg (1977), "Hydrodynamic fluctuations at the convective instability", Phys.
    Rev. A 15, 319, doi:10.1103/PhysRevA.15.319.
    """

    default_dealiasing_fraction: ClassVar[float] = 1 / 2

    reactivity: Coefficient = 0.7
    critical_number: Coefficient = 1.0
    polynomial_coefficients: tuple[Coefficient, ...] = (0.0, 0.0, 1.0, -1.0)

    def __post_init__(self) -> None:
        checked = coefficients("polynomial_coefficients", self.polynomial_coefficients)
        object.__setattr__(self, "polynomial_coefficients", checked)

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(1, *spectrum)``."""
        return self.reactivity - (self.critical_number + laplacian(grid)) ** 2

    def nonlinear_term(self, transform: PseudoSpectral) -> NonlinearTerm:
        """Return the polynomial."""
        return Polynomial((0.0,), self.polynomial_coefficients).nonlinear_term(transform)
