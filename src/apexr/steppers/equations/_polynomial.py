"""Reaction equations with a polynomial of the state."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Self

from jaxtyping import Array, Float

from apexr._grammar import Dimensions, PositiveFloat, PositiveInt
from apexr.spectral import Grid
from apexr.steppers._arrays import is_zero
from apexr.steppers._terms import NonlinearTerm, PointwiseTerm, PseudoSpectral, ZeroTerm
from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._linear import isotropic_symbol
from apexr.steppers.equations._parametrisations import denormalize, from_difficulty
from apexr.steppers.equations._tensors import Coefficient, coefficients


@dataclasses.dataclass(frozen=True)
class Polynomial(Equation):
    """``uₜ = Σ_j a_j Σ_d ∂_d^j u + Σ_k c_k uᵏ``.

    Parameters
    ----------
    linear_coefficients
        ``a_0, a_1, …``, as in :class:`~apexr.steppers.Linear`.
    polynomial_coefficients
        ``c_0, c_1, …``. Only ``u²`` is free of aliases at the default dealiasing fraction of
        2/3; take 1/2 for ``u³``.
    """

    linear_coefficients: tuple[Coefficient, ...] = (10.0, 0.0, 1.0)
    polynomial_coefficients: tuple[Coefficient, ...] = (0.0, 0.0, -10.0)

    def __post_init__(self) -> None:
        for name in ("linear_coefficients", "polynomial_coefficients"):
            object.__setattr__(self, name, coefficients(name, getattr(self, name)))

    @classmethod
    def normalized(
        cls,
        linear_coefficients: Sequence[Coefficient] = (0.01, 0.0, 1e-5),
        polynomial_coefficients: Sequence[Coefficient] = (0.0, 0.0, -0.01),
        *,
        domain_extent: PositiveFloat = 1.0,
        dt: PositiveFloat = 1.0,
    ) -> Self:
        """Return the equation of normalized coefficients, for a grid and a step of this size."""
        scale = {"domain_extent": domain_extent, "dt": dt}
        linear = denormalize("linear", linear_coefficients, **scale)
        return cls(linear, denormalize("polynomial", polynomial_coefficients, **scale))

    @classmethod
    def difficulty(
        cls,
        linear_difficulties: Sequence[Coefficient] = (0.01, 0.0, 0.001 * 0.01 * 48**2 * 2),
        polynomial_difficulties: Sequence[Coefficient] = (0.0, 0.0, -0.01),
        *,
        num_spatial_dims: Dimensions,
        num_points: PositiveInt,
    ) -> Self:
        """Return the equation of difficulties, for a grid of extent 1 and a step of 1."""
        size = {"num_spatial_dims": num_spatial_dims, "num_points": num_points}
        return cls(
            from_difficulty("linear", linear_difficulties, **size), tuple(polynomial_difficulties)
        )

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(1, *spectrum)``."""
        return isotropic_symbol(grid, self.linear_coefficients)

    def nonlinear_term(self, transform: PseudoSpectral) -> NonlinearTerm:
        """Return the polynomial without its zero coefficients."""
        terms = {k: c for k, c in enumerate(self.polynomial_coefficients) if not is_zero(c)}
        if not terms:
            return ZeroTerm()
        return PointwiseTerm(transform, _PowerSum(tuple(terms)), *terms.values())


@dataclasses.dataclass(frozen=True)
class _PowerSum:
    """``Σ c uᵏ`` over the given exponents, powers by repeated multiplication."""

    exponents: tuple[int, ...]

    def __call__(self, u: Float[Array, "channel *space"], *factors: Array) -> Array:
        terms = dict(zip(self.exponents, factors, strict=True))
        total, power = 0 * u, u
        for exponent in range(max(terms) + 1):
            power = power * u if exponent > 1 else power
            if exponent in terms:
                total = total + (terms[exponent] * power if exponent else terms[0])
        return total
