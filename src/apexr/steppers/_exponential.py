"""The exact solution of linear equations: one exponential for any number of steps."""

import abc
from collections.abc import Callable
from types import ModuleType
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Int

from apexr.spectral import Grid, ifft, mirrored, nyquist_mask
from apexr.steppers._arrays import array_module, on_device

# bits that are cut from the high part, so that 12 of a double's 53 are left
_CUT_BITS = 41
_TINY = 1e-30


class ClosedForm(eqx.Module):
    """A kernel that makes any number of steps at once: no step needs the one before."""

    @abc.abstractmethod
    def propagator(self, num_steps: int | float | Int[Array, ""]) -> Any:
        """Return the array that :meth:`propagate` makes ``num_steps`` steps with."""

    @abc.abstractmethod
    def propagate(self, propagator: Any, u_hat: Complex[Array, "channel *spectrum"]) -> Array:
        """Return the spectrum that many steps later."""

    @abc.abstractmethod
    def repeated(self, times: int) -> "ClosedForm":
        """Return the kernel whose one step is ``times`` steps of this one."""

    def fields(
        self, steps: Int[Array, " time"], grid: Grid
    ) -> Callable[[Complex[Array, "channel *spectrum"]], Float[Array, "time channel *space"]]:
        """Return the function from a spectrum to the fields after so many steps."""
        propagators = jax.vmap(self.propagator)(steps)

        def field(propagator: Any, u_hat: Array) -> Array:
            return ifft(self.propagate(propagator, u_hat), grid)

        if grid.num_spatial_dims == 1:
            return lambda u_hat: jax.vmap(field, (0, None))(propagators, u_hat)
        return lambda u_hat: jax.lax.map(lambda propagator: field(propagator, u_hat), propagators)


class Exponential(ClosedForm):
    """``û ↦ exp(n z) û``, with the exponent of one step held in two parts.

    In single precision a phase ``n z`` would lose what the first digits of ``n`` take. The
    exponent is therefore ``high + low``, where ``high`` has so few bits that ``n high`` is exact
    up to thousands of steps; the error then does not grow with ``n``.
    """

    one_step: Complex[Array, "channel *spectrum"]
    high: Complex[Array, "channel *spectrum"]
    low: Complex[Array, "channel *spectrum"]
    repeats: int = eqx.field(static=True, default=1)

    @classmethod
    def of(cls, z: Any, grid: Grid) -> Self:
        """Return the map of real fields with the exponent ``z = Δt 𝓛``, NumPy or traced."""
        return cls.unprojected(real_exponent(z, grid, array_module(z)))

    @classmethod
    def unprojected(cls, z: Any) -> Self:
        """Return the map with exactly this exponent, NumPy or traced."""
        xp = array_module(z)
        high, low = _split(z) if xp is np else (z, jnp.zeros_like(z))
        return cls(on_device(xp.exp(z)), on_device(high), on_device(low))

    def __call__(self, u_hat: Complex[Array, "channel *spectrum"]) -> Array:
        """Return the spectrum one step later."""
        return self.one_step * u_hat

    def propagator(
        self, num_steps: int | float | Int[Array, ""]
    ) -> Complex[Array, "channel *spectrum"]:
        """Return what ``num_steps`` steps multiply a spectrum by."""
        count = jnp.asarray(num_steps * self.repeats, self.high.real.dtype)
        count = jax.lax.complex(count, jnp.zeros_like(count))
        return jnp.exp(count * self.high) * jnp.exp(count * self.low)

    def propagate(self, propagator: Array, u_hat: Complex[Array, "channel *spectrum"]) -> Array:
        """Return the spectrum that many steps later."""
        return propagator * u_hat

    def repeated(self, times: int) -> "Exponential":
        """Return the map that makes ``times`` steps at once."""
        return Exponential(self.propagator(times), self.high, self.low, self.repeats * times)


def real_exponent(z: Any, grid: Grid, xp: ModuleType) -> Any:
    """Return the exponent whose exponential takes spectra of real fields to such.

    At the Nyquist wavenumber, where ``k`` and ``-k`` are one entry, an odd derivative turns a
    real coefficient into a complex one, of which the grid sees the real part. That part, taken
    after each step, is one number to the power of the number of steps: its logarithm is the
    exponent.
    """
    if not np.any(shared := _shared(grid)):
        return z
    factor = xp.exp(z)
    seen = (factor + mirrored(factor, grid.num_spatial_dims, xp)) / 2
    return xp.where(shared, xp.log(seen + _TINY), z)


def real_symbol(z: Any, grid: Grid) -> Any:
    """Return the symbol without the odd derivatives of the Nyquist wavenumber.

    Where ``k`` and ``-k`` are one entry, a real field follows the mean of both symbols. Were they
    kept, what is seen would depend on the time step, and converge to first order only.
    """
    if not np.any(shared := _shared(grid)):
        return z
    xp = array_module(z)
    return xp.where(shared, (z + mirrored(z, grid.num_spatial_dims, xp)) / 2, z)


def _shared(grid: Grid) -> np.ndarray:
    """Return which entries hold a Nyquist wavenumber and stand for both ``k`` and ``-k``."""
    ends = np.zeros(grid.spectral_shape[-1], bool)
    ends[[0, -1]] = True, grid.shape[-1] % 2 == 0
    return nyquist_mask(grid) & ends


def _split(z: Complex[np.ndarray, "..."]) -> tuple[np.ndarray, np.ndarray]:
    """Return parts of few and of the remaining bits, the phase reduced to one turn.

    References
    ----------
    Dekker (1971), "A floating-point technique for extending the available precision",
    Numer. Math. 18, 224.
    """
    turns = np.round(z.imag / (2 * np.pi))
    z = z.real + 1j * (z.imag - 2 * np.pi * turns)
    parts = z.view(float)
    scaled = parts * (2.0**_CUT_BITS + 1)
    high = scaled - (scaled - parts)
    return high.view(complex), (parts - high).view(complex)
