"""Steppers: an equation on a grid, ready to be advanced in time."""

import math
from functools import partial
from typing import Any, get_args

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Float

from apexr._parts import Constant
from apexr._typing import Numbers
from apexr.errors import ShapeError, SpecError
from apexr.spectral import Grid, dealiasing_mask, fft, ifft
from apexr.steppers._arrays import (
    array_module,
    check_count,
    default_float,
    is_traced,
    on_device,
)
from apexr.steppers._contour import Circle
from apexr.steppers._etdrk import SCHEMES, CoefficientMode
from apexr.steppers._exponential import ClosedForm, Exponential, real_symbol
from apexr.steppers._growth import warn_of_growth
from apexr.steppers._terms import PseudoSpectral, ZeroTerm
from apexr.steppers.equations._base import Equation

Kernel = Any
"""A pytree of arrays that maps a spectrum to the next one."""


class Stepper(Constant):
    """Advances a state by one time step.

    A stepper is metadata around its :attr:`kernel`, the map from a spectrum ``(channel,
    *spectrum)`` to the next one. Compiled code takes the kernel alone: steppers whose kernels
    have equal shapes share executables.
    """

    grid: eqx.AbstractVar[Grid]
    num_channels: eqx.AbstractVar[int]
    dt: eqx.AbstractVar[Any]
    kernel: eqx.AbstractVar[Kernel]

    def step_fourier(self, u_hat: Complex[Array, "channel *spectrum"]) -> Array:
        """Return the spectrum one step later."""
        stepped: Array = self.kernel(u_hat)
        return stepped

    @property
    def waves(self) -> Bool[np.ndarray, "1 *spectrum"] | None:
        """Return which waves a state has after a step; None where it may have all."""
        return None

    def project(self, u: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
        """Return states, ``(…, channel, *space)``, without the waves that no step keeps."""
        return u if self.waves is None else _filter(u, self.grid, on_device(self.waves))

    def __call__(self, u: Float[Array, "channel *space"]) -> Float[Array, "channel *space"]:
        """Return the state one step later.

        Raises
        ------
        ShapeError
            If the state is not ``(channel, *space)`` of this stepper.
        """
        return _step(self.kernel, self.grid, as_states(self, u))


@eqx.filter_jit
def _filter(u: Array, grid: Grid, waves: Array) -> Array:
    return ifft(jnp.where(waves, fft(u, grid.num_spatial_dims), 0), grid)


@eqx.filter_jit
def _step(kernel: Kernel, grid: Grid, u: Array) -> Array:
    return ifft(kernel(fft(u, grid.num_spatial_dims)), grid)


def as_states(stepper: Stepper, u: Any, *, batched: bool = False) -> Array:
    """Return ``u`` as an array in JAX's default precision.

    Raises
    ------
    ShapeError
        If it is not one state of the stepper, or a batch ``(sample, …)`` of them.
    """
    expected = (stepper.num_channels, *stepper.grid.shape)
    given = np.shape(u)
    if (given[1:] if batched else given) != expected:
        names = "(sample, channel, *space)" if batched else "(channel, *space)"
        sizes = ", ".join(["any"] * batched + [str(size) for size in expected])
        raise ShapeError(f"expected a shape {names} = ({sizes}), got {given}")
    return on_device(u, default_float())


class ETDRKStepper(Stepper):
    """An equation advanced by exponential time differencing (ETDRK).

    Linear equations are solved exactly, whatever the order. Others are solved by a Galerkin method:
    products are formed from the waves of the dealiasing mask, and the state has no other waves.
    Those of an initial state are dropped by the first step. If waves outside the mask would grow,
    the grid is too coarse for the equation, and an :class:`~apexr.errors.ApexrWarning` says so.

    Parameters
    ----------
    equation
        The equation to solve.
    grid
        Where it is solved.
    dt
        The time step ``Δt``.
    order
        Order of accuracy in time, 1 to 4. Order 0 ignores the nonlinear term.
    coefficients
        ``"exact"``: of the promised order for every equation. ``"real"``: the real part of
        means over a circle, as the data of the APEBench benchmark were made with; of first
        order as soon as the linear part holds an odd derivative.
    dealiasing_fraction
        See :func:`apexr.spectral.dealiasing_mask`; None takes the equation's own.
    mask_products
        Whether products, and with them the state, are dealiased like the factors, so that
        quadratic invariants (the energy and enstrophy of an ideal flow) are kept. None: with exact
        coefficients. The published data were made without: there, waves outside the mask follow
        the linear part alone, without bound where it grows.
    num_circle_points, circle_radius
        The circle around each ``Δt 𝓛`` for ``"real"`` coefficients.

    Raises
    ------
    SpecError
        If a parameter is out of its range, or the grid is so coarse that no wave is dealiased.
    ShapeError
        If the equation's linear symbol does not fit the grid.

    Examples
    --------
    >>> grid = Grid(1, 160, 2 * np.pi)
    >>> burgers = Convection((0.0, 0.0, 0.1), convection_scale=1.0, conservative=True)
    >>> stepper = ETDRKStepper(burgers, grid, dt=0.01, order=4)
    >>> stepper(np.sin(grid.coordinates)).shape
    (1, 160)
    """

    equation: Equation | None = eqx.field(static=True)  # None where a coefficient is traced
    grid: Grid = eqx.field(static=True)
    dt: Any
    order: int = eqx.field(static=True)
    coefficients: CoefficientMode = eqx.field(static=True)
    dealiasing_fraction: float = eqx.field(static=True)
    mask_products: bool = eqx.field(static=True)
    num_channels: int = eqx.field(static=True)
    kernel: Kernel

    def __init__(
        self,
        equation: Equation,
        grid: Grid,
        dt: Numbers,
        order: int = 2,
        *,
        coefficients: CoefficientMode = "exact",
        dealiasing_fraction: float | None = None,
        mask_products: bool | None = None,
        num_circle_points: int = 16,
        circle_radius: float = 1.0,
    ) -> None:
        _check_scheme(order, coefficients, dt)
        circle = Circle(num_circle_points, circle_radius)
        self.grid, self.dt, self.num_channels = grid, dt, equation.num_channels(grid)
        self.order, self.coefficients = order, coefficients
        self.dealiasing_fraction = (
            equation.default_dealiasing_fraction
            if dealiasing_fraction is None
            else dealiasing_fraction
        )
        self.mask_products = coefficients == "exact" if mask_products is None else mask_products
        z = dt * equation.linear_symbol(grid)
        _check_shape(z, equation, grid)
        self.equation = None if is_traced(z) else equation
        transform = PseudoSpectral(grid, self.dealiasing_fraction, mask_products=self.mask_products)
        term = ZeroTerm() if order == 0 else equation.nonlinear_term(transform)
        if isinstance(term, ZeroTerm):
            self.kernel = Exponential.of(_checked(z, equation, dt), grid)
            return
        mask = _dealiasing_mask(grid, self.dealiasing_fraction)
        warn_of_growth(z, equation, grid, mask, galerkin=self.mask_products)
        waves = mask if self.mask_products else None
        z = _checked(z if waves is None else array_module(z).where(waves, z, 0), equation, dt)
        z = real_symbol(z, grid) if coefficients == "exact" else z
        self.kernel = SCHEMES[order](
            term, grid, z, dt, mode=coefficients, circle=circle, waves=waves
        )

    @property
    def waves(self) -> Bool[np.ndarray, "1 *spectrum"] | None:
        """Return those of the dealiasing mask, and None for linear equations."""
        linear = isinstance(self.kernel, Exponential)
        if linear or not self.mask_products:
            return None
        return dealiasing_mask(self.grid, self.dealiasing_fraction)


def _dealiasing_mask(grid: Grid, fraction: float) -> Bool[np.ndarray, "1 *spectrum"]:
    """Return the mask of a nonlinear equation, which holds the mean at least."""
    mask = dealiasing_mask(grid, fraction)
    if not mask.any():
        raise SpecError(
            f"dealiasing_fraction {fraction:.3g} keeps no wave of {grid}, not even the mean; take"
            " more points"
        )
    return mask


def _check_shape(z: Any, equation: Equation, grid: Grid) -> None:
    fits = ((1, *grid.spectral_shape), (equation.num_channels(grid), *grid.spectral_shape))
    if np.shape(z) not in fits:
        raise ShapeError(
            f"linear symbol of {type(equation).__name__} must have shape {fits[0]} or {fits[1]},"
            f" got {np.shape(z)}"
        )


def _checked(z: Any, equation: Equation, dt: Any) -> Any:
    """Return ``Δt 𝓛``: on the host in double precision unless a coefficient is traced."""
    if is_traced(z):
        return z
    z = np.asarray(z, complex)
    if not np.all(np.isfinite(z)):
        raise SpecError(f"linear symbol of {equation!r} is not finite")
    growth, limit = np.max(z.real), np.log(np.finfo(default_float()).max)
    if growth > limit:
        raise SpecError(
            f"linear part of {equation!r} grows by exp({growth:.3g}) in a step of {dt:g}, which"
            " no float holds; is a coefficient's sign right, or the time step too large?"
        )
    return z


def _check_scheme(order: Any, mode: Any, dt: Any) -> None:
    orders = (0, *SCHEMES)
    if isinstance(order, bool) or order not in orders:
        raise SpecError(f"order must be one of {', '.join(map(str, orders))}, got {order!r}")
    modes = get_args(CoefficientMode)
    if mode not in modes:
        raise SpecError(f"coefficients must be one of {', '.join(modes)}, got {mode!r}")
    if is_traced(dt):
        return
    if not isinstance(dt, int | float | np.number | jax.Array) or not 0 < dt < math.inf:
        raise SpecError(f"dt must be a finite number above 0, got {dt!r}")


class RepeatedStepper(Stepper):
    """Makes ``num_substeps`` steps of another stepper at once, all in Fourier space.

    Parameters
    ----------
    stepper
        The inner stepper.
    num_substeps
        At least 1. The outer ``dt`` is that many times the inner one.
    """

    stepper: Stepper
    num_substeps: int = eqx.field(static=True)
    grid: Grid = eqx.field(static=True)
    dt: Any
    num_channels: int = eqx.field(static=True)
    kernel: Kernel

    def __init__(self, stepper: Stepper, num_substeps: int) -> None:
        check_count("num_substeps", num_substeps, minimum=1)
        self.stepper, self.num_substeps = stepper, num_substeps
        self.grid, self.num_channels = stepper.grid, stepper.num_channels
        self.dt = num_substeps * stepper.dt
        linear = isinstance(stepper.kernel, ClosedForm)
        make = stepper.kernel.repeated if linear else partial(Substeps, stepper.kernel)
        self.kernel = make(num_substeps)

    @property
    def waves(self) -> Bool[np.ndarray, "1 *spectrum"] | None:
        """Return those of the inner stepper."""
        return self.stepper.waves


class Substeps(eqx.Module):
    """The kernel of a :class:`RepeatedStepper`."""

    kernel: Kernel
    times: int = eqx.field(static=True)

    def __call__(self, u_hat: Complex[Array, "channel *spectrum"]) -> Array:
        """Return the spectrum ``times`` steps later."""
        return advance(self.kernel, u_hat, self.times)


def advance(
    kernel: Kernel, u_hat: Complex[Array, "channel *spectrum"], num_steps: int
) -> Complex[Array, "channel *spectrum"]:
    """Return the spectrum ``num_steps`` steps later; linear equations take one."""
    if num_steps == 0:
        return u_hat
    if isinstance(kernel, Substeps):
        return advance(kernel.kernel, u_hat, kernel.times * num_steps)
    if isinstance(kernel, ClosedForm):
        return kernel.propagate(kernel.propagator(num_steps), u_hat)
    return jax.lax.scan(lambda u, _: (kernel(u), None), u_hat, length=num_steps)[0]
