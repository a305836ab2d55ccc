"""Incompressible flow in two dimensions, by its vorticity."""

import dataclasses
from typing import Any, Literal, get_args

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex

from apexr.errors import SpecError, suggest
from apexr.spectral import Grid, derivative_operator, laplacian, scaling, wavenumbers
from apexr.steppers._arrays import check_count, is_zero, on_device
from apexr.steppers._terms import NonlinearTerm, PseudoSpectral, ZeroTerm
from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._dimensions import require_dimensions
from apexr.steppers.equations._linear import isotropic_symbol
from apexr.steppers.equations._tensors import Coefficient, coefficients

VorticityForm = Literal["flux", "advective"]
"""How the convection of vorticity is written; both agree on resolved flows."""

_ELSEWHERE = "take NavierStokesVelocity or KolmogorovFlowVelocity in 3, Convection in others"


@dataclasses.dataclass(frozen=True)
class VorticityConvection(Equation):
    """``ωₜ + b (U ∂₀ω + V ∂₁ω) = Σ_j a_j Σ_d ∂_d^j ω + f``, in two dimensions.

    The velocity follows from the stream function ``ψ = Δ⁻¹ ω``: ``U = ∂₁ψ``, ``V = -∂₀ψ``. It is
    the negative of the velocity whose curl is ``ω``, so ``b = 1`` is flow with ``x₀`` mirrored.

    Parameters
    ----------
    linear_coefficients
        ``a_0, a_1, …``, as in :class:`~apexr.steppers.Linear`: ``a_0`` acts as ``2 a_0``.
    vorticity_convection_scale
        ``b``.
    injection_mode, injection_scale
        ``m`` and ``γ`` of the Kolmogorov forcing ``f = -m γ cos(2π m x₁ / L₁)``; none for
        ``γ = 0``.
    form
        ``"flux"``: four Fourier transforms an evaluation. ``"advective"``: five, as the data of
        the APEBench benchmark were made with. They differ in unresolved waves alone, those
        that dealiasing keeps out of products.

    Raises
    ------
    SpecError
        If a coefficient is no number, the mode no integer above 0 or the form unknown.

    References
    ----------
    Basdevant (1983), "Technical improvements for direct numerical simulation of homogeneous
    three-dimensional turbulence", J. Comput. Phys. 50, 209, doi:10.1016/0021-9991(83)90064-5.
    """

    linear_coefficients: tuple[Coefficient, ...] = (0.0, 0.0, 0.001)
    vorticity_convection_scale: Coefficient = 1.0
    injection_mode: int = 4
    injection_scale: Coefficient = 0.0
    form: VorticityForm = "flux"

    def __post_init__(self) -> None:
        checked = coefficients("linear_coefficients", self.linear_coefficients)
        object.__setattr__(self, "linear_coefficients", checked)
        _check_form(self.form)
        check_count("injection_mode", self.injection_mode, minimum=1)

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(1, *spectrum)``."""
        require_dimensions(self, grid, 2, _ELSEWHERE)
        return isotropic_symbol(grid, self.linear_coefficients)

    def nonlinear_term(self, transform: PseudoSpectral) -> NonlinearTerm:
        """Return convection of the vorticity and the forcing."""
        source = injection(transform.grid, self.injection_mode, self.injection_scale)
        return vorticity_term(transform, self.vorticity_convection_scale, self.form, source)


@dataclasses.dataclass(frozen=True)
class NavierStokesVorticity(Equation):
    """``ωₜ + b (U ∂₀ω + V ∂₁ω) = ν Δω + λ ω``: a flow that decays, in two dimensions.

    Parameters
    ----------
    diffusivity
        ``ν``.
    vorticity_convection_scale
        ``b``; see :class:`VorticityConvection` for the sign of the velocity.
    drag
        ``λ``, negative to damp. (The published benchmark data act with ``2 λ``.)
    form
        As in :class:`VorticityConvection`.
    """

    diffusivity: Coefficient = 0.01
    vorticity_convection_scale: Coefficient = 1.0
    drag: Coefficient = 0.0
    form: VorticityForm = "flux"

    def __post_init__(self) -> None:
        _check_form(self.form)

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(1, *spectrum)``."""
        require_dimensions(self, grid, 2, _ELSEWHERE)
        return damped_diffusion(grid, self.diffusivity, self.drag)

    def nonlinear_term(self, transform: PseudoSpectral) -> NonlinearTerm:
        """Return convection of the vorticity."""
        return vorticity_term(transform, self.vorticity_convection_scale, self.form)


@dataclasses.dataclass(frozen=True)
class KolmogorovFlowVorticity(Equation):
    """``ωₜ + b (U ∂₀ω + V ∂₁ω) = ν Δω + λ ω - m γ cos(2π m x₁ / L₁)``, in two dimensions.

    Turbulence that a wave keeps alive and drag keeps bounded.

    Parameters
    ----------
    diffusivity
        ``ν``.
    convection_scale
        ``b``; see :class:`VorticityConvection` for the sign of the velocity.
    drag
        ``λ``, negative to damp. (The published benchmark data act with ``2 λ``.)
    injection_mode, injection_scale
        ``m``, an integer above 0, and ``γ``.
    form
        As in :class:`VorticityConvection`.

    References
    ----------
    Chandler & Kerswell (2013), "Invariant recurrent solutions embedded in a turbulent
    two-dimensional Kolmogorov flow", J. Fluid Mech. 722, 554, doi:10.1017/jfm.2013.122.
    """

    diffusivity: Coefficient = 0.001
    convection_scale: Coefficient = 1.0
    drag: Coefficient = -0.1
    injection_mode: int = 4
    injection_scale: Coefficient = 1.0
    form: VorticityForm = "flux"

    def __post_init__(self) -> None:
        _check_form(self.form)
        check_count("injection_mode", self.injection_mode, minimum=1)

    def linear_symbol(self, grid: Grid) -> Any:
        """Return the symbol, ``(1, *spectrum)``."""
        require_dimensions(self, grid, 2, _ELSEWHERE)
        return damped_diffusion(grid, self.diffusivity, self.drag)

    def nonlinear_term(self, transform: PseudoSpectral) -> NonlinearTerm:
        """Return convection of the vorticity and the forcing."""
        source = injection(transform.grid, self.injection_mode, self.injection_scale)
        return vorticity_term(transform, self.convection_scale, self.form, source)


def _check_form(form: Any) -> None:
    known = get_args(VorticityForm)
    if form not in known:
        hint = suggest(str(form), known)
        raise SpecError(f"form must be one of {', '.join(known)}, got {form!r}{hint}")


def damped_diffusion(grid: Grid, diffusivity: Coefficient, drag: Coefficient) -> Any:
    """Return the symbol of ``ν Δ + λ``, ``(1, *spectrum)``."""
    return diffusivity * laplacian(grid) + drag


def injection(grid: Grid, mode: int, scale: Coefficient) -> Any:
    """Return the spectrum of ``-m γ cos(2π m x₁ / L₁)``, ``(1, *spectrum)``, or None for ``γ = 0``.

    Raises
    ------
    SpecError
        If the grid does not resolve the wave.
    """
    if is_zero(scale):
        return None
    points = grid.shape[1]
    if 2 * mode > points:
        raise SpecError(
            f"injection_mode must be at most {points // 2} on {points} points along the second"
            f" axis, got {mode}"
        )
    waves = wavenumbers(grid)
    there = np.all([waves[0] == 0, waves[1] == mode], axis=0)
    return -mode * scale * np.where(there, scaling(grid, "coef_extraction"), 0.0)


def vorticity_term(
    transform: PseudoSpectral, scale: Coefficient, form: VorticityForm, source: Any = None
) -> NonlinearTerm:
    """Return ``-b (U ∂₀ω + V ∂₁ω)`` in the given form, plus a constant source."""
    if is_zero(scale) and source is None:
        return ZeroTerm()
    term = VorticityFluxTerm if form == "flux" else VorticityAdvectionTerm
    return term(transform, scale, source)


def _velocity_symbols(grid: Grid) -> Complex[np.ndarray, "2 *spectrum"]:
    """Return what takes a vorticity to its velocity ``(U, V)``; the mean has none."""
    along_0, along_1 = derivative_operator(grid)
    delta = laplacian(grid)[0]
    inverse = np.divide(1, delta, out=np.zeros_like(delta), where=delta != 0)
    return np.stack([along_1 * inverse, -along_0 * inverse])


class VorticityFluxTerm(NonlinearTerm):
    """``-b (∂₀∂₁ (U² - V²) + (∂₁² - ∂₀²) (U V))``: two transforms each way.

    It equals the advective form as the velocity has no divergence and ``ω = ∂₁U - ∂₀V``.
    """

    transform: PseudoSpectral
    velocity: Complex[Array, "2 *spectrum"]
    flux: Complex[Array, "2 *spectrum"]
    source: Any  # complex (1, *spectrum), or None

    def __init__(self, transform: PseudoSpectral, scale: Coefficient, source: Any = None) -> None:
        along_0, along_1 = derivative_operator(transform.grid)
        self.transform = transform
        self.velocity = on_device(_velocity_symbols(transform.grid))
        self.flux = on_device(-scale * np.stack([along_0 * along_1, along_1**2 - along_0**2]))
        self.source = None if source is None else on_device(source + 0j)

    def __call__(self, u_hat: Complex[Array, "1 *spectrum"]) -> Array:
        """Return the spectrum of the curl of the momentum flux."""
        u, v = self.transform.field(self.velocity * u_hat)
        products = self.transform.spectrum(jnp.stack([(u - v) * (u + v), u * v]))
        term = self.flux[:1] * products[:1] + self.flux[1:] * products[1:]
        return term if self.source is None else term + self.source


class VorticityAdvectionTerm(NonlinearTerm):
    """``-b (U ∂₀ω + V ∂₁ω)``: four inverse transforms and one forward."""

    transform: PseudoSpectral
    factors: Complex[Array, "4 *spectrum"]
    scale: Array
    source: Any  # complex (1, *spectrum), or None

    def __init__(self, transform: PseudoSpectral, scale: Coefficient, source: Any = None) -> None:
        velocity, slopes = _velocity_symbols(transform.grid), derivative_operator(transform.grid)
        self.transform = transform
        self.factors = on_device(np.concatenate([velocity, slopes]))
        self.scale = on_device(scale)
        self.source = None if source is None else on_device(source + 0j)

    def __call__(self, u_hat: Complex[Array, "1 *spectrum"]) -> Array:
        """Return the spectrum of the advection of vorticity."""
        u, v, along_0, along_1 = self.transform.field(self.factors * u_hat)
        term = self.transform.spectrum(-self.scale * (u * along_0 + v * along_1)[None])
        return term if self.source is None else term + self.source
