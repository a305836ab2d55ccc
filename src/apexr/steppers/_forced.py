"""Steps under a force, which acts inside the stages of the time integration."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from apexr._typing import Numbers
from apexr.spectral import Grid, fft, ifft
from apexr.steppers._arrays import array_module, is_traced
from apexr.steppers._contour import Circle
from apexr.steppers._etdrk import SCHEMES, Force, Scheme
from apexr.steppers._exponential import ClosedForm, real_exponent
from apexr.steppers._stepper import ETDRKStepper, RepeatedStepper, Stepper, as_states
from apexr.steppers._terms import ZeroTerm

TimeForce = Callable[[Any], Any]
"""A force as a function of time, ``t ↦ (channel, *space)``."""


class ForcedStepper(eqx.Module):
    """``(u, f) ↦`` one step of ``uₜ = 𝓛 u + 𝓝(u) + f``, of the order of the stepper.

    An array is a force that is held over the step: with a linear equation the step is exact. A
    function of time is evaluated at the times of the stages: the step of an
    :class:`~apexr.steppers.ETDRKStepper` keeps its order (order 0 makes steps of order 1), that of
    other exactly solved equations is of fourth, that of a stepper of one's own of second order.

    Parameters
    ----------
    stepper
        The stepper. One that repeats substeps has the force act in each of them.

    Examples
    --------
    >>> grid = Grid(1, 32)
    >>> forced = ForcedStepper(ETDRKStepper(Diffusion(0.01), grid, dt=0.1))
    >>> forced(np.zeros((1, 32)), np.ones((1, 32))).mean()  # 0.1

    Many steps, one force each, and under a force that is a function of time:

    >>> rollout(forced, 50, takes_aux=True, constant_aux=False)(u, forces)
    >>> def step(u, time):
    ...     return forced(u, lambda t: jnp.cos(t) * shape, time)
    >>> rollout(step, 50, takes_aux=True, constant_aux=False)(u, 0.1 * np.arange(50))
    """

    stepper: Stepper

    @property
    def grid(self) -> Grid:
        """Return the grid of the states."""
        return self.stepper.grid

    @property
    def num_channels(self) -> int:
        """Return the number of channels of a state."""
        return self.stepper.num_channels

    @property
    def dt(self) -> Any:
        """Return the time step."""
        return self.stepper.dt

    def step_fourier(
        self,
        u_hat: Complex[Array, "channel *spectrum"],
        f_hat: Complex[Array, "channel *spectrum"] | TimeForce,
        time: Numbers = 0.0,
    ) -> Complex[Array, "channel *spectrum"]:
        """Return the spectrum one step later.

        Parameters
        ----------
        u_hat
            The spectrum of the state.
        f_hat
            The spectrum of the force, or a function from a time to it.
        time
            When the step begins.
        """
        if callable(f_hat):
            return _advance(self.stepper, u_hat, f_hat, time)
        return _advance(self.stepper, u_hat, lambda _: f_hat, time)

    def __call__(
        self,
        u: Float[Any, "channel *space"],
        f: Float[Any, "channel *space"] | TimeForce,
        time: Numbers = 0.0,
    ) -> Float[Array, "channel *space"]:
        """Return the state one step later.

        Parameters
        ----------
        u
            The state.
        f
            The force, ``(channel, *space)``, or a function from a time to it.
        time
            When the step begins; of use where ``f`` is a function.

        Raises
        ------
        ShapeError
            If the state or the force is not ``(channel, *space)`` of the stepper.
        """
        state = as_states(self.stepper, u)
        if not callable(f):
            return _held(self, state, as_states(self.stepper, f))
        dims = self.grid.num_spatial_dims

        def spectrum(at: Any) -> Array:
            return fft(as_states(self.stepper, f(at)), dims)

        return ifft(self.step_fourier(fft(state, dims), spectrum, time), self.grid)


@eqx.filter_jit
def _held(forced: ForcedStepper, state: Array, force: Array) -> Array:
    dims = forced.grid.num_spatial_dims
    return ifft(forced.step_fourier(fft(state, dims), fft(force, dims)), forced.grid)


def _advance(stepper: Stepper, u_hat: Any, force: TimeForce, time: Any) -> Array:
    """Return the spectrum one step later, under a force that is a function of time."""
    if isinstance(stepper, RepeatedStepper):
        inner = stepper.stepper

        def substep(u: Array, index: Any) -> tuple[Array, None]:
            return _advance(inner, u, force, time + index * inner.dt), None

        counted = jnp.arange(stepper.num_substeps)
        return jax.lax.scan(substep, jnp.asarray(u_hat), counted)[0]

    def after(part: float) -> Any:
        return force(time + part * stepper.dt)

    if isinstance(stepper, ETDRKStepper):
        return _scheme(stepper).forced(u_hat, after)
    if isinstance(stepper.kernel, ClosedForm):
        return _by_quadrature(stepper.kernel, u_hat, after, stepper.dt)
    kicked = stepper.step_fourier(u_hat + 0.5 * stepper.dt * after(0.0))
    return kicked + 0.5 * stepper.dt * after(1.0)


def _scheme(stepper: ETDRKStepper) -> Scheme:
    """Return the scheme of an equation, of a linear one too: its force is not linear in it."""
    kernel = stepper.kernel
    if isinstance(kernel, Scheme):
        return kernel
    dt, grid = stepper.dt, stepper.grid
    if stepper.equation is None:  # where coefficients were traced, the exponent is whole
        z: Any = kernel.high + kernel.low
    else:
        z = dt * stepper.equation.linear_symbol(grid)
        z = z if is_traced(z) else np.asarray(z, complex)
        z = real_exponent(z, grid, array_module(z))
    scheme = SCHEMES[max(stepper.order, 1)]
    return scheme(ZeroTerm(), grid, z, dt, mode="exact", circle=Circle())


def _by_quadrature(kernel: ClosedForm, u_hat: Any, after: Force, dt: Any) -> Array:
    """Return ``P(1) û + ∫ P(1 - s) f(s) ds`` by Simpson's rule, with the exact propagator ``P``."""
    whole, half = kernel.propagator(1), kernel.propagator(0.5)
    start = kernel.propagate(whole, u_hat + dt / 6 * after(0.0))
    return start + kernel.propagate(half, 2 * dt / 3 * after(0.5)) + dt / 6 * after(1.0)
