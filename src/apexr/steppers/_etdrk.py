"""Exponential time differencing Runge-Kutta schemes, each written once for all equations.

With ``z = Δt 𝓛`` the linear part is solved exactly; the coefficients of the nonlinear part are
``Δt f(z)`` with the functions ``f`` below.

References
----------
Cox & Matthews (2002), "Exponential time differencing for stiff systems", J. Comput. Phys. 176,
430, eqs. 4, 22, 23-25, 26-29, doi:10.1006/jcph.2002.6995.
"""

import abc
from types import ModuleType
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Complex

from apexr.spectral import Grid, project_real
from apexr.steppers._contour import Circle, CoefficientMode, contour_means
from apexr.steppers._exponential import array_module
from apexr.steppers._terms import NonlinearTerm

Spectrum = Complex[Array, "channel *spectrum"]


class Scheme(eqx.Module):
    """One step of a semi-linear equation, from spectrum to spectrum.

    Holds arrays and shapes only, so that equations which differ in their coefficients share
    compiled code.
    """

    grid: Grid = eqx.field(static=True)
    term: NonlinearTerm
    full: Spectrum
    half: Spectrum
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
    ) -> None:
        xp = array_module(z, dt)
        means = contour_means(self.weights, z, circle)
        if mode == "real":
            means = tuple(mean.real + 0j for mean in means)
        self.grid, self.term = grid, term
        self.full, self.half = jnp.asarray(xp.exp(z)), jnp.asarray(xp.exp(z / 2))
        self.coefficients = tuple(jnp.asarray(dt * mean) for mean in means)

    @staticmethod
    @abc.abstractmethod
    def weights(r: Any, xp: ModuleType) -> tuple[Any, ...]:
        """Return the values of the functions ``f`` at ``r``."""

    @abc.abstractmethod
    def advance(self, u: Spectrum) -> Spectrum:
        """Return the spectrum one step later, up to parts that no real field has."""

    def __call__(self, u_hat: Spectrum) -> Spectrum:
        """Return the spectrum one step later."""
        return project_real(self.advance(u_hat), self.grid)


class ETDRK1(Scheme):
    """First order: the exponential Euler scheme."""

    @staticmethod
    def weights(r: Any, xp: ModuleType) -> tuple[Any, ...]:
        """Return ``φ₁``."""
        return ((xp.exp(r) - 1) / r,)

    def advance(self, u: Spectrum) -> Spectrum:
        """Return the step."""
        (c1,) = self.coefficients
        return self.full * u + c1 * self.term(u)


class ETDRK2(Scheme):
    """Second order, two evaluations of the nonlinear term."""

    @staticmethod
    def weights(r: Any, xp: ModuleType) -> tuple[Any, ...]:
        """Return ``φ₁`` and ``φ₂``."""
        e = xp.exp(r)
        return (e - 1) / r, (e - 1 - r) / r**2

    def advance(self, u: Spectrum) -> Spectrum:
        """Return the step."""
        c1, c2 = self.coefficients
        at_u = self.term(u)
        a = self.full * u + c1 * at_u
        return a + c2 * (self.term(a) - at_u)


class ETDRK3(Scheme):
    """Third order, three evaluations of the nonlinear term."""

    @staticmethod
    def weights(r: Any, xp: ModuleType) -> tuple[Any, ...]:
        """Return the weights of the stages and of the step."""
        e = xp.exp(r)
        start = (-4 - r + e * (4 - 3 * r + r**2)) / r**3
        middle = 4 * (2 + r + e * (r - 2)) / r**3
        end = (-4 - 3 * r - r**2 + e * (4 - r)) / r**3
        return (xp.exp(r / 2) - 1) / r, (e - 1) / r, start, middle, end

    def advance(self, u: Spectrum) -> Spectrum:
        """Return the step."""
        c1, c2, start, middle, end = self.coefficients
        at_u, through = self.term(u), self.full * u
        at_a = self.term(self.half * u + c1 * at_u)
        at_b = self.term(through + c2 * (2 * at_a - at_u))
        return through + start * at_u + middle * at_a + end * at_b


class ETDRK4(Scheme):
    """Fourth order, four evaluations of the nonlinear term."""

    @staticmethod
    def weights(r: Any, xp: ModuleType) -> tuple[Any, ...]:
        """Return the weight of the stages and those of the step."""
        e = xp.exp(r)
        start = (-4 - r + e * (4 - 3 * r + r**2)) / r**3
        middle = 2 * (2 + r + e * (r - 2)) / r**3
        end = (-4 - 3 * r - r**2 + e * (4 - r)) / r**3
        return (xp.exp(r / 2) - 1) / r, start, middle, end

    def advance(self, u: Spectrum) -> Spectrum:
        """Return the step."""
        c1, start, middle, end = self.coefficients
        at_u, halfway = self.term(u), self.half * u
        a = halfway + c1 * at_u
        at_a = self.term(a)
        at_b = self.term(halfway + c1 * at_a)
        at_c = self.term(self.half * a + c1 * (2 * at_b - at_u))
        return self.full * u + start * at_u + middle * (at_a + at_b) + end * at_c


SCHEMES: dict[int, type[Scheme]] = {1: ETDRK1, 2: ETDRK2, 3: ETDRK3, 4: ETDRK4}
