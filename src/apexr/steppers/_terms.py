"""Nonlinear terms: maps from a spectrum to the spectrum of the nonlinear right-hand side.

Products are formed on the grid. Only their factors are dealiased, not the product itself: the
published benchmark data were made so.
"""

import abc
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float

from apexr.spectral import Grid, dealiasing_mask, derivative_operator, fft, ifft


def is_zero(value: Any) -> bool:
    """Tell whether a coefficient is known to be zero, so that its part need not be evaluated."""
    return not isinstance(value, jax.core.Tracer) and bool(value == 0)


def on_device(array: Any) -> Array:
    """Return a host array in JAX's default precision; traced arrays are left as they are."""
    return jnp.asarray(array)


class PseudoSpectral(eqx.Module):
    """Takes spectra to fields and back.

    Parameters
    ----------
    grid
        The grid of the states.
    dealiasing_fraction
        See :func:`apexr.spectral.dealiasing_mask`.
    """

    grid: Grid = eqx.field(static=True)
    mask: Bool[Array, "1 *spectrum"]

    def __init__(self, grid: Grid, dealiasing_fraction: float) -> None:
        self.grid = grid
        self.mask = on_device(dealiasing_mask(grid, dealiasing_fraction))

    def field(self, u_hat: Complex[Array, "any *spectrum"]) -> Float[Array, "any *space"]:
        """Return the dealiased fields of spectra."""
        return ifft(jnp.where(self.mask, u_hat, 0), self.grid)

    def spectrum(self, u: Float[Array, "any *space"]) -> Complex[Array, "any *spectrum"]:
        """Return the spectra of fields."""
        return fft(u, self.grid.num_spatial_dims)


class NonlinearTerm(eqx.Module):
    """The nonlinear right-hand side of an equation, in Fourier space."""

    @abc.abstractmethod
    def __call__(self, u_hat: Complex[Array, "channel *spectrum"]) -> Array:
        """Return the spectrum of ``𝓝(u)``."""


class ZeroTerm(NonlinearTerm):
    """No nonlinear term: the equation is solved exactly, by one exponential."""

    def __call__(self, u_hat: Complex[Array, "channel *spectrum"]) -> Array:
        """Return zero."""
        return jnp.zeros_like(u_hat)


class PointwiseTerm(NonlinearTerm):
    """``f(u)``, a function of the state at each point: a reaction.

    Parameters
    ----------
    transform
        To fields and back.
    function
        Takes a state ``(channel, *space)`` and the parameters, returns ``(channel, *space)``.
        A function of a module lets solvers with other parameters share compiled code.
    parameters
        What else the function takes, differentiable.
    """

    transform: PseudoSpectral
    function: Callable[..., Array] = eqx.field(static=True)
    parameters: tuple[Array, ...]

    def __init__(
        self, transform: PseudoSpectral, function: Callable[..., Array], *parameters: Any
    ) -> None:
        self.transform = transform
        self.function = function
        self.parameters = tuple(map(on_device, parameters))

    def __call__(self, u_hat: Complex[Array, "channel *spectrum"]) -> Array:
        """Return the spectrum of ``f(u)``."""
        return self.transform.spectrum(self.function(self.transform.field(u_hat), *self.parameters))


class QuadraticTerm(NonlinearTerm):
    """``𝒬 u² + 𝒢 ‖∇u‖²`` for one channel, with diagonal operators ``𝒬`` and ``𝒢``.

    Parameters
    ----------
    transform
        To fields and back.
    square, gradient
        Symbols of ``𝒬`` and ``𝒢``, ``(1, *spectrum)``. A part that is None is not evaluated.
    """

    transform: PseudoSpectral
    square: Complex[Array, "1 *spectrum"] | None
    gradient: Complex[Array, "1 *spectrum"] | None
    derivative: Complex[Array, "dim *spectrum"] | None

    def __init__(
        self, transform: PseudoSpectral, *, square: Any = None, gradient: Any = None
    ) -> None:
        self.transform = transform
        self.square = None if square is None else on_device(square)
        self.gradient = None if gradient is None else on_device(gradient)
        nabla = derivative_operator(transform.grid)
        self.derivative = None if gradient is None else on_device(nabla)

    def __call__(self, u_hat: Complex[Array, "1 *spectrum"]) -> Array:
        """Return the spectrum; both parts share one batch of transforms each way."""
        inputs = [] if self.square is None else [u_hat]
        inputs += [] if self.derivative is None else [self.derivative * u_hat]
        fields = self.transform.field(_join(inputs)) ** 2
        symbols = [symbol for symbol in (self.square, self.gradient) if symbol is not None]
        split = 0 if self.square is None else 1
        products = [fields[:split]] if split else []
        products += [] if self.gradient is None else [_sum(fields[split:])]
        return _sum(_join(symbols) * self.transform.spectrum(_join(products)))


def _join(parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else jnp.concatenate(parts)


def _sum(array: Array) -> Array:
    return array if array.shape[0] == 1 else jnp.sum(array, axis=0, keepdims=True)


def mean_free(symbol: Any, grid: Grid) -> Any:
    """Return the symbol with its entry of the mean removed."""
    keep = np.ones((1, *grid.spectral_shape), complex)
    keep.flat[0] = 0
    return symbol * keep
