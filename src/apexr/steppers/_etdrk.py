"""Exponential time differencing Runge-Kutta schemes, each written once for all equations.

With ``z = Δt 𝓛`` the linear part is solved exactly; the coefficients of the nonlinear part are
``Δt f(z)`` with the functions ``f`` below.

References
----------
Cox & Matthews (2002), "Exponential time differencing for stiff systems", J. Comput. Phys. 176,
430, eqs. 4, 22, 23-25, 26-29, doi:10.1006/jcph.2002.6995.
"""

import abc
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar, Literal

import equinox as eqx
from jaxtyping import Array, Complex

from apexr.spectral import Grid, project_real
from apexr.steppers._arrays import array_module, on_device
from apexr.steppers._contour import Circle, contour_means
from apexr.steppers._phi import phi_functions
from apexr.steppers._terms import NonlinearTerm

CoefficientMode = Literal["exact", "real"]
Spectrum = Complex[Array, "channel *spectrum"]
Force = Callable[[float], Spectrum]
"""The spectrum of a force after a part of the step, 0 to 1."""
StageTerm = Callable[[Spectrum, float], Spectrum]
"""The nonlinear right-hand side of a state after a part of the step."""


class Scheme(eqx.Module):
    """One step of a semi-linear equation, from spectrum to spectrum.

    Holds arrays and shapes only, so that equations which differ in their coefficients share
    compiled code. Where ``waves``, ``(1, *spectrum)``, are given, its factors are zero for all
    others: no state has them after a step, at no cost.
    """

    parts: ClassVar[tuple[float, ...]] = (1.0,)  # of a step, whose exponentials it needs

    grid: Grid = eqx.field(static=True)
    term: NonlinearTerm
    exponentials: tuple[Spectrum, ...]
    coefficients: tuple[Spectrum, ...]

    def __init__(
        self,
        term: NonlinearTerm,
        grid: Grid,
        z: Any,
        dt: Any,
        *,
        mode: CoefficientMode,
        circle: Circle,
        waves: Any = None,
    ) -> None:
        xp = array_module(z, dt)
        if mode == "exact":
            values = self.weights(z, xp)
        else:
            values = tuple(mean.real + 0j for mean in contour_means(self.weights, z, circle))
        self.grid, self.term = grid, term

        def placed(factor: Any) -> Array:
            return on_device(factor if waves is None else xp.where(waves, factor, 0))

        self.exponentials = tuple(placed(xp.exp(part * z)) for part in self.parts)
        self.coefficients = tuple(placed(dt * value) for value in values)

    @staticmethod
    @abc.abstractmethod
    def weights(z: Any, xp: ModuleType) -> tuple[Any, ...]:
        """Return the values of the functions ``f`` at ``z``."""

    @abc.abstractmethod
    def advance(self, u: Spectrum, term: StageTerm) -> Spectrum:
        """Return the spectrum one step later, up to parts that no real field has."""

    def __call__(self, u_hat: Spectrum) -> Spectrum:
        """Return the spectrum one step later."""
        return project_real(self.advance(u_hat, lambda u, _: self.term(u)), self.grid)

    def forced(self, u_hat: Spectrum, force: Force) -> Spectrum:
        """Return the spectrum one step later, of the equation with a force on its right."""
        later = self.advance(u_hat, lambda u, part: self.term(u) + force(part))
        return project_real(later, self.grid)


class ETDRK1(Scheme):
    """First order: the exponential Euler scheme."""

    @staticmethod
    def weights(z: Any, xp: ModuleType) -> tuple[Any, ...]:
        """Return ``φ₁``."""
        return phi_functions(z, xp)[:1]

    def advance(self, u: Spectrum, term: StageTerm) -> Spectrum:
        """Return the step."""
        (full,), (c1,) = self.exponentials, self.coefficients
        return full * u + c1 * term(u, 0.0)


class ETDRK2(Scheme):
    """Second order, two evaluations of the nonlinear term."""

    @staticmethod
    def weights(z: Any, xp: ModuleType) -> tuple[Any, ...]:
        """Return ``φ₁`` and ``φ₂``."""
        return phi_functions(z, xp)[:2]

    def advance(self, u: Spectrum, term: StageTerm) -> Spectrum:
        """Return the step."""
        (full,), (c1, c2) = self.exponentials, self.coefficients
        at_u = term(u, 0.0)
        a = full * u + c1 * at_u
        return a + c2 * (term(a, 1.0) - at_u)


class ETDRK3(Scheme):
    """Third order, three evaluations of the nonlinear term."""

    parts: ClassVar[tuple[float, ...]] = (1.0, 0.5)

    @staticmethod
    def weights(z: Any, xp: ModuleType) -> tuple[Any, ...]:
        """Return the weights of the stages and of the step."""
        first, second, third = phi_functions(z, xp)
        start, end = first - 3 * second + 4 * third, 4 * third - second
        return phi_functions(z / 2, xp)[0] / 2, first, start, 4 * second - 8 * third, end

    def advance(self, u: Spectrum, term: StageTerm) -> Spectrum:
        """Return the step."""
        (full, half), (c1, c2, start, middle, end) = self.exponentials, self.coefficients
        at_u, through = term(u, 0.0), full * u
        at_a = term(half * u + c1 * at_u, 0.5)
        at_b = term(through + c2 * (2 * at_a - at_u), 1.0)
        return through + start * at_u + middle * at_a + end * at_b


class ETDRK4(Scheme):
    """Fourth order, four evaluations of the nonlinear term."""

    parts: ClassVar[tuple[float, ...]] = (1.0, 0.5)

    @staticmethod
    def weights(z: Any, xp: ModuleType) -> tuple[Any, ...]:
        """Return the weight of the stages and those of the step."""
        first, second, third = phi_functions(z, xp)
        start, end = first - 3 * second + 4 * third, 4 * third - second
        return phi_functions(z / 2, xp)[0] / 2, start, 2 * second - 4 * third, end

    def advance(self, u: Spectrum, term: StageTerm) -> Spectrum:
        """Return the step."""
        (full, half), (c1, start, middle, end) = self.exponentials, self.coefficients
        at_u, halfway = term(u, 0.0), half * u
        a = halfway + c1 * at_u
        at_a = term(a, 0.5)
        at_b = term(halfway + c1 * at_a, 0.5)
        at_c = term(half * a + c1 * (2 * at_b - at_u), 1.0)
        return full * u + start * at_u + middle * (at_a + at_b) + end * at_c


SCHEMES: dict[int, type[Scheme]] = {1: ETDRK1, 2: ETDRK2, 3: ETDRK3, 4: ETDRK4}
