"""Derivatives of third and fourth order, with the axes mixed or not."""

import dataclasses
from typing import Any

from apexr.spectral import Grid, gradient_inner_product, laplacian
from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._tensors import Coefficient, Tensor, freeze, per_axis


@dataclasses.dataclass(frozen=True)
class Dispersion(Equation):
    """``uₜ = Σ_d ξ_d ∂_d³ u`` or ``uₜ = (ξ · ∇) Δu``, solved exactly.

    Parameters
    ----------
    dispersivity
        ``ξ``: a number, the same along each axis, or one number an axis.
    advect_on_diffusion
        Whether the axes are mixed, as in the second form.

    Raises
    ------
    SpecError
        If the dispersivity is not made of numbers.
    """

    dispersivity: Tensor = 1.0
    advect_on_diffusion: bool = False

    def __post_init__(self) -> None:
        freeze(self, dispersivity=1)

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(1, *spectrum)``; a wrong length is a :class:`ShapeError`."""
        entries = per_axis("dispersivity", self.dispersivity, grid)
        if self.advect_on_diffusion:
            return gradient_inner_product(grid, entries) * laplacian(grid)
        return gradient_inner_product(grid, entries, 3)


@dataclasses.dataclass(frozen=True)
class HyperDiffusion(Equation):
    """``uₜ = -μ Σ_d ∂_d⁴ u`` or ``uₜ = -μ Δ²u``, solved exactly.

    Parameters
    ----------
    hyper_diffusivity
        ``μ``.
    diffuse_on_diffuse
        Whether the axes are mixed, as in the second form.

    Raises
    ------
    SpecError
        If the hyper-diffusivity is not a number.
    """

    hyper_diffusivity: Coefficient = 1e-4
    diffuse_on_diffuse: bool = False

    def __post_init__(self) -> None:
        freeze(self, hyper_diffusivity=0)

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(1, *spectrum)``."""
        fourth = laplacian(grid) ** 2 if self.diffuse_on_diffuse else laplacian(grid, 4)
        return -self.hyper_diffusivity * fourth
