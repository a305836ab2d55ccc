"""The wave equation, solved exactly by the matrix exponential of every wave."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, Int

from apexr._typing import Numbers
from apexr.errors import SpecError
from apexr.spectral import Grid, wavenumber_norm
from apexr.steppers._arrays import default_float, is_traced, on_device
from apexr.steppers._exponential import ClosedForm, Exponential
from apexr.steppers._stepper import Stepper


class Wave(Stepper):
    """``hₜₜ = c² Δh`` for a state of two channels, the height ``h`` and its velocity ``v = hₜ``.

    Solved exactly at any step: each wave turns by its own angle ``c ‖k‖ Δt``, and the mean height
    drifts with the mean velocity.

    Parameters
    ----------
    grid
        Where it is solved.
    dt
        The time step ``Δt``.
    speed_of_sound
        ``c``, above 0.

    Raises
    ------
    SpecError
        If the time step or the speed is not a finite number above 0.

    Examples
    --------
    >>> grid = Grid(1, 64, 2 * np.pi)
    >>> at_rest = np.concatenate([np.sin(grid.coordinates), 0 * grid.coordinates])
    >>> height, velocity = Wave(grid, dt=0.5)(at_rest)  # cos(0.5) sin(x), -sin(0.5) sin(x)
    """

    grid: Grid = eqx.field(static=True)
    dt: Any
    speed_of_sound: Any
    num_channels: int = eqx.field(static=True)
    kernel: "Rotation"

    def __init__(self, grid: Grid, dt: Numbers, speed_of_sound: Numbers = 1.0) -> None:
        _check_positive("dt", dt)
        _check_positive("speed_of_sound", speed_of_sound)
        self.grid, self.dt, self.speed_of_sound, self.num_channels = grid, dt, speed_of_sound, 2
        self.kernel = Rotation(grid, dt, speed_of_sound)


def _check_positive(name: str, value: Any) -> None:
    if is_traced(value):
        return
    number = isinstance(value, int | float | np.number | jax.Array) and not isinstance(value, bool)
    if not number or not 0 < value < math.inf:
        raise SpecError(f"{name} must be a finite number above 0, got {value!r}")


class Rotation(ClosedForm):
    """``(ĥ, v̂) ↦ (cos a ĥ + sin a v̂/ω, cos a v̂ - ω sin a ĥ)`` with ``a = n ω Δt``.

    Where ``ω = 0``, ``sin a / ω`` is ``n Δt``. The angles are held as the exponents of
    :class:`~apexr.steppers._exponential.Exponential` are, so that the error does not grow with
    ``n``.
    """

    phase: Exponential
    frequency: Float[Array, "1 *spectrum"]
    dt: Float[Array, ""]

    def __init__(self, grid: Grid, dt: Numbers, speed_of_sound: Numbers) -> None:
        frequency = speed_of_sound * (2 * np.pi / max(grid.extents)) * wavenumber_norm(grid)
        angle = 1j * dt * frequency
        traced = is_traced(angle)
        self.phase = Exponential.unprojected(angle if traced else np.asarray(angle, complex))
        self.frequency = on_device(frequency, default_float())
        self.dt = on_device(dt, default_float())

    def __call__(self, u_hat: Complex[Array, "channel *spectrum"]) -> Array:
        """Return the spectrum one step later."""
        return self.propagate(self.propagator(1), u_hat)

    def propagator(
        self, num_steps: int | float | Int[Array, ""]
    ) -> Float[Array, "entry *spectrum"]:
        """Return ``cos a``, ``sin a / ω`` and ``-ω sin a``."""
        turn = self.phase.propagator(num_steps)
        time = num_steps * self.phase.repeats * self.dt
        still = self.frequency == 0
        integral = jnp.where(still, time, turn.imag / jnp.where(still, 1, self.frequency))
        return jnp.concatenate([turn.real, integral, -self.frequency * turn.imag])

    def propagate(self, propagator: Array, u_hat: Complex[Array, "channel *spectrum"]) -> Array:
        """Return the spectrum that many steps later."""
        cosine, integral, slope = propagator
        height, velocity = u_hat
        later = cosine * height + integral * velocity, cosine * velocity + slope * height
        return jnp.stack(later)

    def repeated(self, times: int) -> "Rotation":
        """Return the kernel whose one step is ``times`` steps of this one."""
        return eqx.tree_at(lambda kernel: kernel.phase, self, self.phase.repeated(times))
