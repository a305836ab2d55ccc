"""Incompressible flow in three dimensions, by its velocity."""

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from apexr.errors import SpecError
from apexr.spectral import (
    Grid,
    derivative_operator,
    scaling,
    wave_vectors,
    wavenumber_norm,
    wavenumbers,
)
from apexr.steppers._arrays import check_count, default_float, is_zero, on_device
from apexr.steppers._terms import NonlinearTerm, PseudoSpectral, ZeroTerm
from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._dimensions import require_dimensions
from apexr.steppers.equations._tensors import Coefficient
from apexr.steppers.equations._vorticity import damped_diffusion

_ELSEWHERE = "in 2 take NavierStokesVorticity or KolmogorovFlowVorticity"


@dataclasses.dataclass(frozen=True)
class NavierStokesVelocity(Equation):
    """``uₜ = b ℙ(u × (∇ × u)) + ν Δu + λ u`` with ``∇·u = 0``, in three dimensions.

    ``ℙ`` projects on fields without divergence; that takes the place of the pressure. A state
    without divergence stays so; one with divergence keeps it but for diffusion.

    Parameters
    ----------
    diffusivity
        ``ν``.
    drag
        ``λ``, negative to damp.
    convection_scale
        ``b``.

    References
    ----------
    Canuto, Hussaini, Quarteroni & Zang (2007), "Spectral Methods: Evolution to Complex
    Geometries", section 3.3 (rotational form), doi:10.1007/978-3-540-30728-0.
    """

    diffusivity: Coefficient = 0.01
    drag: Coefficient = 0.0
    convection_scale: Coefficient = 1.0

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(1, *spectrum)``."""
        require_dimensions(self, grid, 3, _ELSEWHERE)
        return damped_diffusion(grid, self.diffusivity, self.drag)

    def nonlinear_term(self, transform: PseudoSpectral) -> NonlinearTerm:
        """Return the projected convection."""
        if is_zero(self.convection_scale):
            return ZeroTerm()
        return RotationalTerm(transform, self.convection_scale)

    def num_channels(self, grid: Grid) -> int:
        """Return the three components of the velocity."""
        return 3


@dataclasses.dataclass(frozen=True)
class KolmogorovFlowVelocity(Equation):
    """``uₜ = b ℙ(u × (∇ × u)) + ν Δu + λ u + γ cos(2π m x₁ / L₁) e₀``, in three dimensions.

    Parameters
    ----------
    diffusivity
        ``ν``.
    drag
        ``λ``, negative to damp.
    injection_mode, injection_scale
        ``m``, an integer above 0, and ``γ``: a force on the first component that varies along
        the second axis.
    convection_scale
        ``b``.
    """

    diffusivity: Coefficient = 0.01
    drag: Coefficient = -0.1
    injection_mode: int = 4
    injection_scale: Coefficient = 1.0
    convection_scale: Coefficient = 1.0

    def __post_init__(self) -> None:
        check_count("injection_mode", self.injection_mode, minimum=1)

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(1, *spectrum)``."""
        require_dimensions(self, grid, 3, _ELSEWHERE)
        return damped_diffusion(grid, self.diffusivity, self.drag)

    def nonlinear_term(self, transform: PseudoSpectral) -> NonlinearTerm:
        """Return the projected convection and the force."""
        source = _force(transform.grid, self.injection_mode, self.injection_scale)
        return RotationalTerm(transform, self.convection_scale, source)

    def num_channels(self, grid: Grid) -> int:
        """Return the three components of the velocity."""
        return 3


def _force(grid: Grid, mode: int, scale: Coefficient) -> Any:
    """Return the spectrum of ``γ cos(2π m x₁ / L₁) e₀``, ``(3, *spectrum)``.

    Raises
    ------
    SpecError
        If the grid does not resolve the wave.
    """
    points = grid.shape[1]
    if 2 * mode >= points:
        raise SpecError(
            f"injection_mode must be at most {(points - 1) // 2} on {points} points along the"
            f" second axis, got {mode}"
        )
    waves = wavenumbers(grid)
    there = np.all([waves[0] == 0, np.abs(waves[1]) == mode, waves[2] == 0], axis=0)
    wave = np.where(there, scaling(grid, "coef_extraction"), 0.0)
    return scale * np.concatenate([wave, np.zeros((2, *grid.spectral_shape))])


class RotationalTerm(NonlinearTerm):
    """``b ℙ(u × (∇ × u))`` plus a constant source: six inverse transforms and three forward.

    Unlike elsewhere the product is dealiased too, as no projection is defined for waves at half
    the number of points.
    """

    transform: PseudoSpectral
    scale: Float[Array, ""]
    nabla: Complex[Array, "3 *spectrum"]
    direction: Float[Array, "3 *spectrum"]
    source: Any  # complex (3, *spectrum), or None

    def __init__(self, transform: PseudoSpectral, scale: Coefficient, source: Any = None) -> None:
        grid = transform.grid
        self.transform = transform
        self.scale = on_device(scale, default_float())
        self.nabla = on_device(derivative_operator(grid))
        self.direction = on_device(wave_vectors(grid) / np.maximum(wavenumber_norm(grid), 1))
        self.source = None if source is None else on_device(source + 0j)

    def __call__(self, u_hat: Complex[Array, "3 *spectrum"]) -> Array:
        """Return the spectrum; velocity and vorticity share one batch of transforms."""
        curl_hat = jnp.cross(self.nabla, u_hat, axis=0)
        fields = self.transform.field(jnp.concatenate([u_hat, curl_hat]))
        product = self.scale * jnp.cross(fields[:3], fields[3:], axis=0)
        force = jnp.where(self.transform.mask, self.transform.spectrum(product), 0)
        along = jnp.sum(self.direction * force, axis=0)
        term = force - self.direction * along
        return term if self.source is None else term + self.source
