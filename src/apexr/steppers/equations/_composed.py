"""Equations put together from simpler ones."""

import abc
import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Array, Complex

from apexr.spectral import Grid
from apexr.steppers._terms import NonlinearTerm, PseudoSpectral, ZeroTerm
from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._tensors import Coefficient, freeze


class Composed(Equation):
    """An equation whose right-hand side is the sum of those of its parts.

    Subclass it as a frozen dataclass and state the parts. With cubic terms among them, set
    ``default_dealiasing_fraction`` to 1/2.

    Examples
    --------
    Burgers with drag:

    >>> @dataclasses.dataclass(frozen=True)
    ... class DampedBurgers(Composed):
    ...     diffusivity: float = 0.1
    ...     drag: float = 0.5
    ...
    ...     @property
    ...     def parts(self):
    ...         return Burgers(self.diffusivity), Growth(-self.drag)
    """

    def __post_init__(self) -> None:
        _ = self.parts  # which refuse what can not be meant

    @property
    @abc.abstractmethod
    def parts(self) -> tuple[Equation, ...]:
        """Return the equations whose right-hand sides are summed."""

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the sum of the parts' symbols."""
        return sum(part.linear_symbol(grid) for part in self.parts)

    def nonlinear_term(self, transform: PseudoSpectral) -> NonlinearTerm:
        """Return the sum of the parts' terms."""
        terms = [part.nonlinear_term(transform) for part in self.parts]
        terms = [term for term in terms if not isinstance(term, ZeroTerm)]
        if len(terms) > 1:
            return SumTerm(tuple(terms))
        return terms[0] if terms else ZeroTerm()

    def num_channels(self, grid: Grid) -> int:
        """Return the number of channels of the part that has most."""
        return max(part.num_channels(grid) for part in self.parts)


class SumTerm(NonlinearTerm):
    """The sum of several terms."""

    terms: tuple[NonlinearTerm, ...]

    def __call__(self, u_hat: Complex[Array, "channel *spectrum"]) -> Array:
        """Return the spectrum of the sum."""
        total: Array = sum(term(u_hat) for term in self.terms)  # type: ignore[assignment]
        return total


@dataclasses.dataclass(frozen=True)
class Growth(Equation):
    """``uₜ = r u``, the same in any dimension; a drag if ``r`` is negative.

    Parameters
    ----------
    rate
        ``r``. Unlike ``a_0`` of the generic equations it is not multiplied by ``D``.
    """

    rate: Coefficient = 1.0

    def __post_init__(self) -> None:
        freeze(self, rate=0)

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the constant ``r``, ``(1, *spectrum)``."""
        return self.rate * np.ones((1, *grid.spectral_shape), complex)
