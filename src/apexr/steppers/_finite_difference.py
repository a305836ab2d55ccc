"""Finite differences, implicit in time: a solver that is not spectral.

With the operator ``L(v; U)``, linear in ``v``, whose winds come from ``U``, a step from ``u`` to
``v`` solves ``v - u - Δt [θ L(v; v) + (1 - θ) L(u; u)] = 0``.
"""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from apexr.errors import SpecError
from apexr.spectral import Grid, fft, ifft, wavenumbers
from apexr.steppers._arrays import check_count, default_float, on_device
from apexr.steppers._exponential import Exponential
from apexr.steppers._finite_solve import MOST_FOR_DENSE, solve_bands, solve_operator
from apexr.steppers._finite_terms import FiniteTerms, Wind, finite_terms
from apexr.steppers._stepper import Kernel, Stepper
from apexr.steppers.equations import Equation

TOLERANCE = 1e-5
"""Relative change of the state from one Picard iteration to the next at which they end."""
_TINY = 1e-30
_OFFSETS = (-2, -1, 0, 1, 2)
_BACKWARD = {1: (0, -1, 1, 0, 0), 3: (-1, 3, -3, 1, 0)}
_FORWARD = {1: (0, 0, -1, 1, 0), 3: (0, -1, 3, -3, 1)}
_CENTERED = {0: (0, 0, 1, 0, 0), 2: (0, 1, -2, 1, 0), 4: (1, -4, 6, -4, 1)}


class FiniteDifferenceStepper(Stepper):
    """An equation advanced by finite differences and the theta method.

    First derivatives are upwind and of first order, second ones centered; third ones are the
    upwind difference of the second; fourth ones have the weights 1, -4, 6, -4, 1. Winds of a
    convection ``-b 𝓒(u)`` are ``w = b u``, taken at the faces of cells: ``max((w_i + w_{i-1})/2,
    0)`` multiplies the backward difference, ``min((w_i + w_{i+1})/2, 0)`` the forward one. On one
    axis the two forms of the convection are the same; on several, the conservative form of several
    channels is the mean of ``w · ∇u`` and ``w · ∇u + u ∇ · w``.

    Nonlinear systems are solved by Picard's iteration: the winds are those of the iterate before,
    at first of the old state. Linear equations are solved exactly by Fourier transforms, since
    their matrix is circulant; others on one axis by an LU decomposition, of three bands where the
    stencils allow. On several axes, and on one with wide stencils and more than 1024 points, a
    dense LU decomposition would not fit: BiCGSTAB solves the system, without a matrix, to
    rounding.

    Parameters
    ----------
    equation
        The equation to solve. It has derivatives of order 0 to 4 along the axes, and convection.
    grid
        Where it is solved.
    dt
        The time step ``Δt``.
    theta
        ``θ``, from 0 (explicit Euler) to 1 (implicit Euler); 0.5 is the trapezoidal rule.
    picard
        Iterations at most; fewer where the state changes by less than a part of 1e-5.

    Raises
    ------
    SpecError
        If a parameter is out of its range, or the equation has another term.

    References
    ----------
    Koehler and Thuerey (2025), "Neural Emulator Superiority: When Machine Learning for PDEs
    Surpasses its Training Data", arXiv:2510.23111.

    Examples
    --------
    >>> grid = Grid(1, 60)
    >>> stepper = FiniteDifferenceStepper(Burgers(1e-4, 0.1), grid, dt=1.0, theta=1.0, picard=100)
    >>> stepper(np.sin(2 * np.pi * grid.coordinates)).shape
    (1, 60)
    """

    equation: Equation = eqx.field(static=True)
    grid: Grid = eqx.field(static=True)
    dt: Any
    theta: float = eqx.field(static=True)
    picard: int = eqx.field(static=True)
    num_channels: int = eqx.field(static=True)
    kernel: Kernel

    def __init__(
        self, equation: Equation, grid: Grid, dt: float, theta: float = 1.0, picard: int = 100
    ) -> None:
        if isinstance(dt, bool) or not isinstance(dt, int | float) or not 0 < dt < math.inf:
            raise SpecError(f"dt must be a finite number above 0, got {dt!r}")
        if not isinstance(theta, int | float) or not 0 <= theta <= 1:
            raise SpecError(f"theta must be a number from 0 to 1, got {theta!r}")
        check_count("picard", picard, minimum=1)
        self.equation, self.grid, self.dt = equation, grid, dt
        self.theta, self.picard = float(theta), int(picard)
        self.num_channels = equation.num_channels(grid)
        terms = finite_terms(equation, grid)
        if terms.winds:
            self.kernel = _PicardKernel(terms, grid, dt, self.theta, self.picard)
        else:
            self.kernel = _circulant(terms, grid, dt, self.theta)


def _weights(terms: FiniteTerms, grid: Grid) -> Float[np.ndarray, "axis offset"]:
    """Return the stencils of all linear terms, one an axis, for the points of ``_OFFSETS``."""
    made = np.zeros((grid.num_spatial_dims, len(_OFFSETS)))
    for axis, spacing in enumerate(grid.spacings):
        for order, value in enumerate(terms.linear[axis]):
            # a wave of an odd derivative moves along -a₁, or along a₃
            from_left = value < 0 if order == 1 else value > 0
            sided = _BACKWARD if from_left else _FORWARD
            stencil = np.array(sided[order] if order % 2 else _CENTERED[order], float)
            made[axis] += value * stencil / spacing**order
    return made


def _symbol(
    weights: Float[np.ndarray, "axis offset"], grid: Grid
) -> Complex[np.ndarray, "1 *spectrum"]:
    """Return what the stencils multiply each wave by."""
    total = np.zeros(grid.spectral_shape, complex)
    for axis, (waves, row) in enumerate(zip(wavenumbers(grid), weights, strict=True)):
        angle = 2 * np.pi * waves / grid.shape[axis]
        total = total + sum(
            weight * np.exp(1j * offset * angle)
            for offset, weight in zip(_OFFSETS, row, strict=True)
        )
    return total[None]


def _circulant(terms: FiniteTerms, grid: Grid, dt: float, theta: float) -> Exponential:
    """Return the kernel of a linear equation: its factor of each wave, to any power."""
    z = dt * _symbol(_weights(terms, grid), grid)
    implicit = 1 - theta * z
    if np.min(np.abs(implicit)) < np.sqrt(np.finfo(float).eps):
        raise SpecError(
            f"the implicit step of {terms.linear.tolist()} has no solution: a wave grows by"
            " 1 / (theta dt) and faster; take a smaller step or the other sign of a coefficient"
        )
    return Exponential.unprojected(np.log((1 + (1 - theta) * z) / implicit + _TINY))


class _PicardKernel(eqx.Module):
    """The kernel of a nonlinear equation: from the spectrum to the grid, a step, and back."""

    weights: Float[Array, "axis offset"]
    scales: Float[Array, " wind"]
    symbol: Complex[Array, "1 *spectrum"]
    dt: Float[Array, ""]
    forms: tuple[tuple[bool, bool], ...] = eqx.field(static=True)
    offsets: tuple[int, ...] = eqx.field(static=True)
    grid: Grid = eqx.field(static=True)
    theta: float = eqx.field(static=True)
    picard: int = eqx.field(static=True)

    def __init__(
        self, terms: FiniteTerms, grid: Grid, dt: float, theta: float, picard: int
    ) -> None:
        weights, kind = _weights(terms, grid), default_float()
        self.weights = on_device(weights, kind)
        self.scales = on_device([wind.scale for wind in terms.winds], kind)
        self.symbol = on_device(_symbol(weights, grid), jnp.result_type(kind, jnp.complex64))
        self.dt = on_device(dt, kind)
        self.forms = tuple((wind.single_channel, _is_halved(wind)) for wind in terms.winds)
        reach = 2 if np.any(weights[:, [0, -1]]) else 1
        self.offsets = tuple(offset for offset in _OFFSETS if abs(offset) <= reach)
        self.grid, self.theta, self.picard = grid, theta, picard

    def __call__(self, u_hat: Complex[Array, "channel *spectrum"]) -> Array:
        """Return the spectrum one step later."""
        u = ifft(u_hat, self.grid)
        return fft(self._step(u), self.grid.num_spatial_dims)

    def _step(self, u: Float[Array, "channel *space"]) -> Float[Array, "channel *space"]:
        right = u + (1 - self.theta) * self.dt * _apply(self._stencils(u), u)
        if self.theta == 0:
            return right
        if self.picard == 1:
            return self._solve(u, right, u)
        return jax.lax.custom_root(
            lambda v: v - self.theta * self.dt * _apply(self._stencils(v), v) - right,
            u,
            lambda _, guess: self._iterate(guess, right),
            self._tangent_solve,
        )

    def _iterate(self, u: Array, right: Array) -> Array:
        """Return the last of Picard's iterates."""

        def unfinished(held: tuple[Array, Array, Array]) -> Array:
            before, now, count = held
            change = jnp.linalg.norm((now - before).ravel())
            enough = change <= TOLERANCE * jnp.linalg.norm(now.ravel())
            return (count < self.picard) & ~enough & jnp.isfinite(change)

        def better(held: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
            _, now, count = held
            return now, self._solve(now, right, now), count + 1

        first = self._solve(u, right, u)
        return jax.lax.while_loop(unfinished, better, (u, first, jnp.asarray(1)))[1]

    def _tangent_solve(self, linear: Any, right: Array) -> Array:
        """Return the solution of the system that derivatives of a step need."""

        def solve(operator: Any, right: Array, inverse: Array) -> Array:
            return solve_operator(operator, right, right, inverse, self.grid)

        return jax.lax.custom_linear_solve(
            linear,
            right,
            lambda operator, b: solve(operator, b, self._inverse()),
            lambda operator, b: solve(operator, b, jnp.conj(self._inverse())),
        )

    def _solve(self, winds_of: Array, right: Array, guess: Array) -> Array:
        """Return the solution ``v`` of ``v - θ Δt L(v; U) = right``."""
        stencils, factor = self._stencils(winds_of), -self.theta * self.dt
        wide = len(self.offsets) > 3 and self.grid.size > MOST_FOR_DENSE
        if self.grid.num_spatial_dims == 1 and not wide:
            bands = {offset: factor * weight for offset, weight in stencils[0].items()}
            bands[0] = 1 + bands[0]
            return solve_bands(bands, right)
        return solve_operator(
            lambda v: v + factor * _apply(stencils, v), right, guess, self._inverse(), self.grid
        )

    def _inverse(self) -> Array:
        return 1 / (1 - self.theta * self.dt * self.symbol)

    def _stencils(self, u: Float[Array, "channel *space"]) -> list[dict[int, Array]]:
        """Return, for each axis, the weight of every point by its offset."""
        made = []
        for axis, spacing in enumerate(self.grid.spacings):
            constant = dict(zip(_OFFSETS, self.weights[axis], strict=True))
            rows = {offset: jnp.full(u.shape[1:], constant[offset]) for offset in self.offsets}
            for scale, (single_channel, halved) in zip(self.scales, self.forms, strict=True):
                wind = scale * u[0 if single_channel else axis] / spacing
                ahead, behind = jnp.roll(wind, -1, axis), jnp.roll(wind, 1, axis)
                from_left = jnp.maximum((wind + behind) / 2, 0)
                from_right = jnp.minimum((wind + ahead) / 2, 0)
                part = 0.5 if halved else 1.0
                rows[-1] += part * from_left
                rows[0] -= part * (from_left - from_right)
                rows[1] -= part * from_right
                if halved:
                    rows[0] -= (ahead - behind) / 4
            made.append(rows)
        return made


def _is_halved(wind: Wind) -> bool:
    """Tell whether ``½ ∇ · (u ⊗ u)`` differs from ``u · ∇u``: channels are several there."""
    return wind.conservative and not wind.single_channel


def _apply(
    stencils: list[dict[int, Float[Array, "*space"]]], u: Float[Array, "channel *space"]
) -> Float[Array, "channel *space"]:
    """Return the weighted sums of neighbors."""
    total = jnp.zeros_like(u)
    for axis, rows in enumerate(stencils):
        for offset, weight in rows.items():
            total = total + weight * jnp.roll(u, -offset, axis + 1)
    return total
