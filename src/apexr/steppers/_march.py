"""Marches: they advance states of any kind, and show them as frames.

States stay in the form that suits what makes the steps; only what is shown is transformed back.
"""

import abc
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from apexr.spectral import Grid, fft, ifft_of_real
from apexr.steppers._exponential import ClosedForm
from apexr.steppers._stepper import Kernel, Stepper, advance

Kept = Array
State = Float[Array, "channel *space"]
Frames = Float[Array, "sample frame channel *space"]


class March(eqx.Module):
    """Makes frames, ``every`` steps apart, from states in the form that is kept between steps."""

    every: eqx.AbstractVar[int]

    @abc.abstractmethod
    def keep(self, u: State) -> Kept:
        """Return a state in the form that is kept."""

    @abc.abstractmethod
    def show(self, kept: Kept) -> State:
        """Return the state of its kept form."""

    @abc.abstractmethod
    def advance(self, kept: Kept, num_steps: int) -> Kept:
        """Return what is kept ``num_steps`` steps later."""

    def frames(
        self, kept: Float[Array, "sample *kept"], first: int | Int[Array, ""], num_frames: int
    ) -> tuple[Float[Array, "sample *kept"], Frames]:
        """Return frames ``first`` and following, and what to keep for those after them.

        Each frame is written once, where it belongs, so that no gradient can go back.

        Parameters
        ----------
        kept
            Of frame 0, or what was returned with the frame before ``first``.
        first, num_frames
            Which frames.
        """
        return self._shown(self.show, kept, first, num_frames)

    def _shown(
        self,
        show: Callable[[Kept], Array],
        kept: Float[Array, "sample *kept"],
        first: int | Int[Array, ""],
        num_frames: int,
    ) -> tuple[Float[Array, "sample *kept"], Float[Array, "sample frame *shown"]]:
        """Return the frames as ``show`` makes them from what is kept."""
        size = len(kept) if self.together else 1
        state = jax.eval_shape(show, kept[0])

        def fill(group: Array, carry: tuple[Kept, Frames]) -> tuple[Kept, Frames]:
            now = jax.lax.dynamic_slice_in_dim(carry[0], group * size, size)

            def put(made: Frames, frame: Array, time: Any) -> Frames:
                place = (group * size, time, *(0,) * len(state.shape))
                return jax.lax.dynamic_update_slice(made, frame[:, None], place)

            def step(time: Array, carry: tuple[Kept, Frames]) -> tuple[Kept, Frames]:
                later = jax.vmap(lambda one: self.advance(one, self.every))(carry[0])
                return later, put(carry[1], jax.vmap(show)(later), time)

            made = put(carry[1], jax.vmap(show)(now), 0)  # written over if there is a step
            now, made = jax.lax.fori_loop(
                jnp.where(first == 0, 1, 0), num_frames, step, (now, made)
            )
            return jax.lax.dynamic_update_slice_in_dim(carry[0], now, group * size, 0), made

        made = jnp.zeros((len(kept), num_frames, *state.shape), state.dtype)
        if num_frames == 0:
            return kept, made
        end: tuple[Kept, Frames] = jax.lax.fori_loop(0, len(kept) // size, fill, (kept, made))
        return end

    def over(self, one: Callable[[Array], Any], samples: Array) -> Any:
        """Return the results of a function of one sample for all."""
        return jax.vmap(one)(samples) if self.together else jax.lax.map(one, samples)

    @property
    def together(self) -> bool:
        """Whether it is faster to make a step for all states at once: it has little to do."""
        return False


class SpectralMarch(March):
    """Keeps spectra. Linear equations keep the first one, from which every frame follows.

    Parameters
    ----------
    stepper
        The stepper.
    every
        Steps from frame to frame.
    """

    kernel: Kernel
    grid: Grid = eqx.field(static=True)
    every: int = eqx.field(static=True)

    def __init__(self, stepper: Stepper, every: int = 1) -> None:
        self.kernel, self.grid, self.every = stepper.kernel, stepper.grid, every

    def keep(self, u: State) -> Kept:
        """Return the spectrum."""
        return fft(u, self.grid.num_spatial_dims)

    def show(self, kept: Kept) -> State:
        """Return the field of the spectrum."""
        return ifft_of_real(kept, self.grid)

    def advance(self, kept: Kept, num_steps: int) -> Kept:
        """Return the spectrum ``num_steps`` steps later."""
        return self.kernel(kept) if num_steps == 1 else advance(self.kernel, kept, num_steps)

    def frames(
        self, kept: Float[Array, "sample *kept"], first: int | Int[Array, ""], num_frames: int
    ) -> tuple[Float[Array, "sample *kept"], Frames]:
        """Return what the interface asks for; linear equations need no step before."""
        if isinstance(self.kernel, ClosedForm):
            steps = (first + jnp.arange(num_frames)) * self.every
            return kept, self.over(self.kernel.fields(steps, self.grid), kept)
        if not self.together:
            return super().frames(kept, first, num_frames)
        kept, spectra = self._shown(lambda spectrum: spectrum, kept, first, num_frames)
        return kept, jax.lax.map(self.show, spectra)  # many short transforms at once

    @property
    def together(self) -> bool:
        """Whether all states fit the cache; one state of a linear equation gives many frames."""
        return self.grid.num_spatial_dims == 1 and not isinstance(self.kernel, ClosedForm)


class FieldMarch(March):
    """Keeps fields: the march of any function from a state to the next one.

    Parameters
    ----------
    function
        Takes and returns ``(channel, *space)``; JAX must be able to trace it.
    every
        Steps from frame to frame.
    """

    function: Callable[[State], State]
    every: int = eqx.field(static=True)

    def keep(self, u: State) -> Kept:
        """Return the state itself."""
        return u

    def show(self, kept: Kept) -> State:
        """Return the state itself."""
        return kept

    def advance(self, kept: Kept, num_steps: int) -> Kept:
        """Return the state ``num_steps`` steps later, in the precision of the first."""

        def step(u: State, _: None) -> tuple[State, None]:
            return jnp.asarray(self.function(u), u.dtype), None

        return jax.lax.scan(step, kept, length=num_steps)[0]
