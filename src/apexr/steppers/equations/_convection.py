"""Equations whose nonlinear term is convection: Burgers, Korteweg-de Vries and their like."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any, Self

import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from apexr._grammar import Dimensions, PositiveFloat, PositiveInt
from apexr.spectral import Grid, derivative_operator, summed_derivative
from apexr.steppers._arrays import default_float, is_zero, on_device
from apexr.steppers._terms import (
    NonlinearTerm,
    PseudoSpectral,
    QuadraticTerm,
    ZeroTerm,
)
from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._linear import isotropic_symbol
from apexr.steppers.equations._parametrisations import denormalize, from_difficulty
from apexr.steppers.equations._tensors import Coefficient, coefficients, freeze


@dataclasses.dataclass(frozen=True)
class Convection(Equation):
    """``uₜ + b 𝓒(u) = Σ_j a_j Σ_d ∂_d^j u``; the scale ``b`` stands on the left-hand side.

    ==============  ==========================  =========================
    ``𝓒(u)``        conservative                not conservative
    ==============  ==========================  =========================
    multi channel   ``½ ∇ · (u ⊗ u)``           ``u · ∇ u``
    single channel  ``½ Σ_d ∂_d u²``            ``u Σ_d ∂_d u``
    ==============  ==========================  =========================

    Parameters
    ----------
    linear_coefficients
        ``a_0, a_1, …``, as in :class:`~apexr.steppers.Linear`.
    convection_scale
        ``b``; 1 for Burgers, -6 for Korteweg-de Vries as it is commonly written.
    single_channel
        One channel in any dimension, rather than one a dimension.
    conservative
        The form that keeps the mean.
    """

    linear_coefficients: tuple[Coefficient, ...] = (0.0, 0.0, 0.01)
    convection_scale: Coefficient = 1.0
    single_channel: bool = False
    conservative: bool = False

    def __post_init__(self) -> None:
        checked = coefficients("linear_coefficients", self.linear_coefficients)
        object.__setattr__(self, "linear_coefficients", checked)
        freeze(self, convection_scale=0)

    @classmethod
    def normalized(
        cls,
        linear_coefficients: Sequence[Coefficient] = (0.0, 0.0, 0.001),
        convection_scale: Coefficient = 0.1,
        *,
        single_channel: bool = False,
        conservative: bool = False,
        domain_extent: PositiveFloat = 1.0,
        dt: PositiveFloat = 1.0,
    ) -> Self:
        """Return the equation of normalized coefficients, for a grid and a step of this size."""
        scale = {"domain_extent": domain_extent, "dt": dt}
        linear = denormalize("linear", linear_coefficients, **scale)
        convection = denormalize("convection", convection_scale, **scale)
        return cls(linear, convection, single_channel, conservative)

    @classmethod
    def difficulty(
        cls,
        linear_difficulties: Sequence[Coefficient] = (0.0, 0.0, 4.5),
        convection_difficulty: Coefficient = 5.0,
        *,
        num_spatial_dims: Dimensions,
        num_points: PositiveInt,
        maximum_absolute: PositiveFloat = 1.0,
        single_channel: bool = False,
        conservative: bool = False,
    ) -> Self:
        """Return the equation of difficulties, for a grid of extent 1 and a step of 1."""
        size: dict[str, Any] = {
            "num_spatial_dims": num_spatial_dims,
            "num_points": num_points,
            "maximum_absolute": maximum_absolute,
        }
        linear = from_difficulty("linear", linear_difficulties, **size)
        convection = from_difficulty("convection", convection_difficulty, **size)
        return cls(linear, convection, single_channel, conservative)

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(1, *spectrum)``."""
        return isotropic_symbol(grid, self.linear_coefficients)

    def nonlinear_term(self, transform: PseudoSpectral) -> NonlinearTerm:
        """Return the term that its two flags ask for."""
        scale, grid = self.convection_scale, transform.grid
        if is_zero(scale):
            return ZeroTerm()
        if not self.conservative:
            return AdvectiveTerm(transform, scale, single_channel=self.single_channel)
        if self.single_channel or grid.num_spatial_dims == 1:
            return QuadraticTerm(transform, square=-0.5 * scale * summed_derivative(grid, 1))
        return FluxTerm(transform, scale)

    def num_channels(self, grid: Grid) -> int:
        """Return one channel, or one a dimension."""
        return 1 if self.single_channel else grid.num_spatial_dims


class FluxTerm(NonlinearTerm):
    """``-b ½ Σ_j ∂_j (u_i u_j)``; the products are symmetric, and each is transformed once."""

    transform: PseudoSpectral
    flux: Complex[Array, "dim *spectrum"]

    def __init__(self, transform: PseudoSpectral, scale: Coefficient) -> None:
        self.transform = transform
        self.flux = on_device(-0.5 * scale * derivative_operator(transform.grid))

    def __call__(self, u_hat: Complex[Array, "dim *spectrum"]) -> Array:
        """Return the spectrum of the divergence of the momentum flux."""
        u = self.transform.field(u_hat)
        axes = range(len(u))
        pairs = list(itertools.combinations_with_replacement(axes, 2))
        products = self.transform.spectrum(jnp.stack([u[i] * u[j] for i, j in pairs]))
        row = [[products[pairs.index((min(i, j), max(i, j)))] for j in axes] for i in axes]
        return jnp.stack([sum(self.flux[j] * row[i][j] for j in axes) for i in axes])


class AdvectiveTerm(NonlinearTerm):
    """``-b Σ_j u_j ∂_j u_i``, or ``-b u Σ_d ∂_d u`` for a single channel."""

    transform: PseudoSpectral
    scale: Float[Array, ""]
    directions: Complex[Array, "channel *spectrum"]

    def __init__(
        self, transform: PseudoSpectral, scale: Coefficient, *, single_channel: bool
    ) -> None:
        grid = transform.grid
        self.transform = transform
        self.scale = on_device(scale, default_float())
        self.directions = on_device(
            summed_derivative(grid, 1) if single_channel else derivative_operator(grid)
        )

    def __call__(self, u_hat: Complex[Array, "channel *spectrum"]) -> Array:
        """Return the spectrum; the state and all its slopes share one batch of transforms."""
        channels = u_hat.shape[0]
        slopes_hat = [direction[None] * u_hat for direction in self.directions]
        fields = self.transform.field(jnp.concatenate([u_hat, *slopes_hat]))
        u, slopes = fields[:channels], fields[channels:]
        slopes = slopes.reshape(len(self.directions), *u.shape)
        return self.transform.spectrum(-self.scale * jnp.sum(u[:, None] * slopes, axis=0))
