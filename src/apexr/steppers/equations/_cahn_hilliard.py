"""The separation of two phases after Cahn and Hilliard."""

import dataclasses
from typing import Any, ClassVar

from jaxtyping import Array, Complex

from apexr.spectral import Grid, laplacian
from apexr.steppers._arrays import is_zero, on_device
from apexr.steppers._terms import NonlinearTerm, PseudoSpectral, ZeroTerm
from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._polynomial import Polynomial
from apexr.steppers.equations._tensors import Coefficient, freeze


@dataclasses.dataclass(frozen=True)
class CahnHilliard(Equation):
    """``uₜ = ν Δ(c₃ u³ + c₁ u - γ Δu)``, which keeps the mean of ``u``.

    Parameters
    ----------
    diffusivity
        ``ν``.
    gamma
        ``γ``, the square of the width of the interfaces.
    first_order_coefficient
        ``c₁``.
    third_order_coefficient
        ``c₃``.
    """

    diffusivity: Coefficient = 0.01
    gamma: Coefficient = 0.001
    first_order_coefficient: Coefficient = -1.0
    third_order_coefficient: Coefficient = 1.0

    default_dealiasing_fraction: ClassVar[float] = 1 / 2

    def __post_init__(self) -> None:
        freeze(self, diffusivity=0, gamma=0, first_order_coefficient=0, third_order_coefficient=0)

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(1, *spectrum)``."""
        delta = laplacian(grid)
        return self.diffusivity * delta * (self.first_order_coefficient - self.gamma * delta)

    def nonlinear_term(self, transform: PseudoSpectral) -> NonlinearTerm:
        """Return the Laplacian of the cube."""
        scale = self.diffusivity * self.third_order_coefficient
        if is_zero(scale):
            return ZeroTerm()
        cube = Polynomial((0.0,), (0.0, 0.0, 0.0, 1.0)).nonlinear_term(transform)
        return OperatorTerm(scale * laplacian(transform.grid), cube)


class OperatorTerm(NonlinearTerm):
    """``𝓞 𝓝(u)``: a diagonal operator on another term.

    Parameters
    ----------
    operator
        The symbol of ``𝓞``.
    term
        The term ``𝓝``.
    """

    operator: Complex[Array, "1 *spectrum"]
    term: NonlinearTerm

    def __init__(self, operator: Any, term: NonlinearTerm) -> None:
        self.operator, self.term = on_device(operator), term

    def __call__(self, u_hat: Complex[Array, "channel *spectrum"]) -> Array:
        """Return the spectrum."""
        return self.operator * self.term(u_hat)
