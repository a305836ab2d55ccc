"""Reactions of several substances that diffuse."""

import dataclasses
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, ClassVar, Self

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from apexr.errors import SpecError, UnknownNameError, suggest
from apexr.spectral import Grid, laplacian
from apexr.steppers._arrays import array_module, on_device
from apexr.steppers._terms import NonlinearTerm, PseudoSpectral
from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._tensors import Coefficient, coefficients

PATTERNS = MappingProxyType(
    {
        "alpha": (0.008, 0.046),
        "beta": (0.020, 0.046),
        "gamma": (0.024, 0.056),
        "delta": (0.028, 0.056),
        "epsilon": (0.02, 0.056),
        "zeta": (0.024, 0.06),
        "eta": (0.036, 0.063),
        "theta": (0.04, 0.06),
        "iota": (0.05, 0.0605),
        "kappa": (0.052, 0.063),
        "lambda": (0.036, 0.0655),
        "mu": (0.044, 0.066),
    }
)
"""Feed and kill rates of the Gray-Scott equations by the name of the pattern that appears.

Names follow Pearson's classes; ``zeta``, ``eta``, ``lambda`` and ``mu`` are reported not to show
their pattern at these rates.
"""


@dataclasses.dataclass(frozen=True)
class GrayScott(Equation):
    """``uₜ = d₁ Δu + F (1 - u) - u v²`` and ``vₜ = d₂ Δv - (F + K) v + u v²``.

    Channel 0 is the substrate ``u``, channel 1 the activator ``v``.

    Parameters
    ----------
    diffusivity_1, diffusivity_2
        ``d₁`` and ``d₂``.
    feed_rate, kill_rate
        ``F`` and ``K``; :meth:`pattern` knows pairs that make patterns.

    References
    ----------
    Pearson (1993), "Complex patterns in a simple system", Science 261, 189,
    doi:10.1126/science.261.5118.189.
    """

    default_dealiasing_fraction: ClassVar[float] = 1 / 2

    diffusivity_1: Coefficient = 2e-5
    diffusivity_2: Coefficient = 1e-5
    feed_rate: Coefficient = 0.04
    kill_rate: Coefficient = 0.06

    @classmethod
    def pattern(
        cls, name: str, diffusivity_1: Coefficient = 2e-5, diffusivity_2: Coefficient = 1e-5
    ) -> Self:
        """Return the equations with the rates of a pattern, such as ``"theta"``.

        Raises
        ------
        UnknownNameError
            With the nearest known name.
        """
        return cls(diffusivity_1, diffusivity_2, *pattern_rates(name))

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(2, *spectrum)``."""
        return _diffusions(grid, (self.diffusivity_1, self.diffusivity_2))

    def nonlinear_term(self, transform: PseudoSpectral) -> NonlinearTerm:
        """Return the whole reaction: two inverse transforms and one forward."""
        rates = self.feed_rate, self.feed_rate + self.kill_rate
        one = _spectrum_of_one(transform.grid)
        return ReactionTerm(transform, 2, _autocatalysis, _gray_scott, one, *rates)

    def num_channels(self, grid: Grid) -> int:
        """Return the two substances."""
        return 2


def pattern_rates(name: str) -> tuple[float, float]:
    """Return feed and kill rate of a Gray-Scott pattern.

    Raises
    ------
    UnknownNameError
        With the nearest known name.
    """
    if name not in PATTERNS:
        known = ", ".join(PATTERNS)
        hint = suggest(str(name), PATTERNS) or ";"
        raise UnknownNameError(f"unknown Gray-Scott pattern {name!r}{hint} known: {known}")
    return PATTERNS[name]


@dataclasses.dataclass(frozen=True)
class BelousovZhabotinsky(Equation):
    """Three substances of the Belousov-Zhabotinsky reaction, in its simplest form.

    ``uₜ = d₁ Δu + u + v - u v - u²``, ``vₜ = d₂ Δv + w - v - u v``, ``wₜ = d₃ Δw + u - w``.

    Parameters
    ----------
    diffusivities
        ``d₁, d₂, d₃``.
    """

    default_dealiasing_fraction: ClassVar[float] = 1 / 2

    diffusivities: tuple[Coefficient, ...] = (1e-5, 2e-5, 1e-5)

    def __post_init__(self) -> None:
        checked = coefficients("diffusivities", self.diffusivities)
        if len(checked) != 3:
            raise SpecError(f"diffusivities must be three numbers, got {len(checked)}: {checked!r}")
        object.__setattr__(self, "diffusivities", checked)

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(3, *spectrum)``."""
        return _diffusions(grid, self.diffusivities)

    def nonlinear_term(self, transform: PseudoSpectral) -> NonlinearTerm:
        """Return the whole reaction: two transforms each way, the third field enters linearly."""
        return ReactionTerm(transform, 2, _two_products, _belousov_zhabotinsky)

    def num_channels(self, grid: Grid) -> int:
        """Return the three substances."""
        return 3


def _diffusions(grid: Grid, diffusivities: tuple[Coefficient, ...]) -> Any:
    """Return the symbol of one diffusion a channel."""
    return array_module(*diffusivities).concatenate([d * laplacian(grid) for d in diffusivities])


def _spectrum_of_one(grid: Grid) -> Complex[np.ndarray, "*spectrum"]:
    one = np.zeros(grid.spectral_shape, complex)
    one.flat[0] = grid.size
    return one


class ReactionTerm(NonlinearTerm):
    """A reaction whose linear parts need no transform: only products are formed on the grid.

    Parameters
    ----------
    transform
        To fields and back.
    num_fields
        How many of the channels, from the first one, enter products.
    products
        Takes their fields, ``(num_fields, *space)``, returns the products ``(any, *space)``.
    rates
        ``rates(u_hat, products_hat, *parameters)`` returns the spectrum of the reaction from
        the dealiased spectra of state and products.
    parameters
        Further arguments of ``rates``: numbers or arrays of spectra.
    """

    transform: PseudoSpectral
    num_fields: int = eqx.field(static=True)
    products: Callable[..., Array] = eqx.field(static=True)
    rates: Callable[..., Array] = eqx.field(static=True)
    parameters: tuple[Array, ...]

    def __init__(
        self,
        transform: PseudoSpectral,
        num_fields: int,
        products: Callable[..., Array],
        rates: Callable[..., Array],
        *parameters: Any,
    ) -> None:
        self.transform, self.num_fields = transform, num_fields
        self.products, self.rates = products, rates
        self.parameters = tuple(on_device(value) for value in parameters)

    def __call__(self, u_hat: Complex[Array, "channel *spectrum"]) -> Array:
        """Return the spectrum of the reaction."""
        transform = self.transform
        u_hat = jnp.where(transform.mask, u_hat, 0)
        fields = transform.inverse(u_hat[: self.num_fields])
        return self.rates(u_hat, transform.spectrum(self.products(fields)), *self.parameters)


def _autocatalysis(fields: Float[Array, "2 *space"]) -> Array:
    u, v = fields
    return (u * v * v)[None]


def _gray_scott(u_hat: Array, products: Array, one: Array, feed: Array, removal: Array) -> Array:
    u, v = u_hat
    return jnp.stack([feed * (one - u) - products[0], products[0] - removal * v])


def _two_products(fields: Float[Array, "2 *space"]) -> Array:
    u, v = fields
    return jnp.stack([u * (u + v), u * v])


def _belousov_zhabotinsky(u_hat: Array, products: Array) -> Array:
    u, v, w = u_hat
    return jnp.stack([u + v - products[0], w - v - products[1], u - w])
