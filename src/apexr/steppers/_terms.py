"""Nonlinear terms: maps from a spectrum to the spectrum of the nonlinear right-hand side.

Products are formed on the grid from dealiased factors. Whether the product is dealiased as well is
for the transform to say: only then are the invariants of an equation kept, but the published
benchmark data were made without.
"""

import abc
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float

from apexr._typing import Numbers
from apexr.spectral import Grid, dealiasing_mask, derivative_operator, fft, ifft_of_real
from apexr.steppers._arrays import default_float, on_device


class PseudoSpectral(eqx.Module):
    """Takes spectra to fields and back.

    Parameters
    ----------
    grid
        The grid of the states.
    dealiasing_fraction
        See :func:`apexr.spectral.dealiasing_mask`.
    mask_products
        Whether the spectra of products are dealiased too.
    """

    grid: Grid = eqx.field(static=True)
    mask: Bool[Array, "1 *spectrum"]
    mask_products: bool = eqx.field(static=True)
    kept: int | None = eqx.field(static=True)

    def __init__(
        self, grid: Grid, dealiasing_fraction: float, *, mask_products: bool = False
    ) -> None:
        self.grid, self.mask_products = grid, mask_products
        mask = dealiasing_mask(grid, dealiasing_fraction)
        self.mask, self.kept = on_device(mask), _kept(mask, grid)

    def field(self, u_hat: Complex[Array, "any *spectrum"]) -> Float[Array, "any *space"]:
        """Return the dealiased fields of spectra."""
        return self.inverse(jnp.where(self.mask, u_hat, 0))

    def inverse(self, dealiased: Complex[Array, "any *spectrum"]) -> Float[Array, "any *space"]:
        """Return the fields of spectra that are dealiased."""
        return ifft_of_real(dealiased, self.grid, self.kept)

    def spectrum(self, u: Float[Array, "any *space"]) -> Complex[Array, "any *spectrum"]:
        """Return the spectra of fields, of products formed on the grid."""
        u_hat = fft(u, self.grid.num_spatial_dims)
        return jnp.where(self.mask, u_hat, 0) if self.mask_products else u_hat


def _kept(mask: np.ndarray, grid: Grid) -> int | None:
    """Return up to where the last axis is kept, if that is less than all but Nyquist's entry."""
    kept = int(np.count_nonzero(mask.any(axis=tuple(range(mask.ndim - 1)))))
    return kept if 0 < 2 * kept < grid.shape[-1] else None


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
        Further arguments of the function: numbers or arrays, differentiable.
    """

    transform: PseudoSpectral
    function: Callable[..., Array] = eqx.field(static=True)
    parameters: tuple[Array, ...]

    def __init__(
        self, transform: PseudoSpectral, function: Callable[..., Array], *parameters: Any
    ) -> None:
        self.transform = transform
        self.function = function
        self.parameters = tuple(on_device(value, default_float()) for value in parameters)

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
    square: Any  # complex (1, *spectrum), or None
    gradient: Any  # the same
    derivative: Any  # complex (dim, *spectrum), or None

    def __init__(
        self,
        transform: PseudoSpectral,
        *,
        square: Numbers | None = None,
        gradient: Numbers | None = None,
    ) -> None:
        self.transform = transform
        self.square = None if square is None else on_device(square)
        self.gradient = None if gradient is None else on_device(gradient)
        nabla = derivative_operator(transform.grid)
        self.derivative = None if gradient is None else on_device(nabla)

    def __call__(self, u_hat: Complex[Array, "1 *spectrum"]) -> Array:
        """Return the spectrum; both parts share one batch of transforms each way."""
        transform, term = self.transform, u_hat
        if self.gradient is None:
            term = self.square * transform.spectrum(transform.field(u_hat) ** 2)
        elif self.square is None:
            slopes = transform.field(self.derivative * u_hat)
            term = self.gradient * transform.spectrum(_sum(slopes**2))
        else:
            fields = transform.field(jnp.concatenate([u_hat, self.derivative * u_hat]))
            squares = jnp.concatenate([fields[:1] ** 2, _sum(fields[1:] ** 2)])
            symbols = jnp.concatenate([self.square, self.gradient])
            term = _sum(symbols * transform.spectrum(squares))
        return term


def _sum(array: Array) -> Array:
    return jnp.sum(array, axis=0, keepdims=True)


def mean_free(symbol: Any, grid: Grid) -> Any:
    """Return the symbol with its entry of the mean removed."""
    keep = np.ones((1, *grid.spectral_shape), complex)
    keep.flat[0] = 0
    return symbol * keep
