"""Which terms of an equation finite differences have, and their coefficients."""

import dataclasses
import functools
import operator
from collections.abc import Iterable
from typing import Any

import numpy as np
from jaxtyping import Float

from apexr.errors import SpecError
from apexr.spectral import Grid
from apexr.steppers._arrays import is_traced
from apexr.steppers.equations import (
    Advection,
    Composed,
    Convection,
    Diffusion,
    Dispersion,
    Equation,
    GradientNorm,
    Growth,
    HyperDiffusion,
    Linear,
    Nonlinear,
    Polynomial,
)
from apexr.steppers.equations._tensors import is_matrix, per_axis

MOST_ORDERS = 4
"""The highest derivative that has a stencil."""
_HAVE = (
    "derivatives of order 0 to 4 along the axes, and convection; etdrk;ORDER solves every equation"
)


@dataclasses.dataclass(frozen=True)
class Wind:
    """``-b 𝓒(u)``, a convection; see :class:`apexr.steppers.Convection`."""

    scale: float
    single_channel: bool
    conservative: bool


@dataclasses.dataclass(frozen=True)
class FiniteTerms:
    """``uₜ = Σ_d Σ_j a_dj ∂_d^j u - Σ b 𝓒(u)``, in numbers.

    Attributes
    ----------
    linear
        ``a_dj``; the sum of its column 0 is the coefficient of ``u`` itself.
    winds
        The convections.
    """

    linear: Float[np.ndarray, "axis order"]
    winds: tuple[Wind, ...] = ()

    def __add__(self, other: "FiniteTerms") -> "FiniteTerms":
        return FiniteTerms(self.linear + other.linear, self.winds + other.winds)


def finite_terms(equation: Equation, grid: Grid) -> FiniteTerms:
    """Return the terms of an equation, all of which finite differences have.

    Raises
    ------
    SpecError
        Naming a term that they lack, and those that there are.
    """
    dims = grid.num_spatial_dims
    match equation:
        case Composed():
            parts = (finite_terms(part, grid) for part in equation.parts)
            held = functools.reduce(operator.add, parts)
        case Linear(linear):
            held = _isotropic(equation, linear, dims)
        case Convection(linear, scale, single_channel, conservative):
            wind = _convection(equation, scale, single_channel, conservative, dims)
            held = _isotropic(equation, linear, dims) + wind
        case Nonlinear(linear, (quadratic, convection, norm)):
            _refuse(equation, {"a quadratic term": quadratic, "a gradient norm": norm})
            wind = _convection(equation, -_number(equation, convection), True, True, dims)
            held = _isotropic(equation, linear, dims) + wind
        case Polynomial(linear, powers):
            _refuse(equation, {f"a term u^{k}": c for k, c in enumerate(powers)})
            held = _isotropic(equation, linear, dims)
        case GradientNorm(linear, scale):
            _refuse(equation, {"a gradient norm": scale})
            held = _isotropic(equation, linear, dims)
        case Growth(rate):
            held = _along(equation, [_number(equation, rate) / dims] * dims, 0)
        case Advection(velocity):
            held = _along(equation, [-c for c in per_axis("velocity", velocity, grid)], 1)
        case Diffusion(diffusivity):
            held = _along(equation, _diagonal(equation, diffusivity, grid), 2)
        case Dispersion(dispersivity, mixed):
            _refuse(equation, {"mixed third derivatives": mixed and dims > 1})
            held = _along(equation, per_axis("dispersivity", dispersivity, grid), 3)
        case HyperDiffusion(hyper_diffusivity, mixed):
            _refuse(equation, {"mixed fourth derivatives": mixed and dims > 1})
            held = _along(equation, [-hyper_diffusivity] * dims, 4)
        case _:
            raise SpecError(
                f"finite differences have no terms for {type(equation).__name__}: they have {_HAVE}"
            )
    return held


def _isotropic(equation: Equation, coefficients: Iterable[Any], dims: int) -> FiniteTerms:
    """Return the terms ``Σ_j a_j Σ_d ∂_d^j u``."""
    numbers = [_number(equation, value) for value in coefficients]
    high = {f"a derivative of order {j}": a for j, a in enumerate(numbers) if j > MOST_ORDERS}
    _refuse(equation, high)
    row = np.zeros(MOST_ORDERS + 1)
    row[: len(numbers)] = numbers[: MOST_ORDERS + 1]
    return FiniteTerms(np.tile(row, (dims, 1)))


def _along(equation: Equation, values: Iterable[Any], order: int) -> FiniteTerms:
    """Return the terms of one derivative, with one coefficient an axis."""
    numbers = [_number(equation, value) for value in values]
    linear = np.zeros((len(numbers), MOST_ORDERS + 1))
    linear[:, order] = numbers
    return FiniteTerms(linear)


def _convection(
    equation: Equation, scale: Any, single_channel: bool, conservative: bool, dims: int
) -> FiniteTerms:
    number = _number(equation, scale)
    winds = (Wind(number, single_channel or dims == 1, conservative),) if number else ()
    return FiniteTerms(np.zeros((dims, MOST_ORDERS + 1)), winds)


def _diagonal(equation: Equation, diffusivity: Any, grid: Grid) -> Iterable[Any]:
    if not is_matrix(diffusivity):
        return per_axis("diffusivity", diffusivity, grid)
    matrix = np.array(diffusivity, float)
    mixed = bool(np.any(matrix != np.diag(np.diag(matrix))))
    _refuse(equation, {"mixed second derivatives": mixed})
    return per_axis("diffusivity", tuple(np.diag(matrix).tolist()), grid)


def _number(equation: Equation, value: Any) -> float:
    if is_traced(value):
        raise SpecError(
            f"coefficients of {type(equation).__name__} must be numbers for finite differences,"
            " whose stencils depend on their signs; got a traced one"
        )
    return float(value)


def _refuse(equation: Equation, terms: dict[str, Any]) -> None:
    for name, coefficient in terms.items():
        if is_traced(coefficient) or coefficient != 0:
            raise SpecError(
                f"finite differences have no {name.removeprefix('a ')}, which"
                f" {type(equation).__name__} holds: they have {_HAVE}"
            )
