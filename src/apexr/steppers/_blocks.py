"""Trajectories in blocks of frames, one after another: what need not fit in memory at once.

States are carried from block to block as they are kept between two steps (spectra, for a
:class:`Stepper`), so that a trajectory does not depend on how it is cut.
"""

import abc
from collections.abc import Callable, Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from apexr._compile import ONE_THREAD_EACH
from apexr.spectral import Grid, fft, ifft
from apexr.steppers._exponential import ClosedForm
from apexr.steppers._spread import Devices, spread
from apexr.steppers._stepper import Kernel, Stepper, advance

Kept = Array
State = Float[Array, "channel *space"]
Frames = Float[np.ndarray, "sample frame channel *space"]


class March(eqx.Module):
    """Makes frames, ``every`` steps apart, from a state in the form that is kept between steps."""

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
        self, first: Int[Array, ""], num_frames: int
    ) -> Callable[[Kept], tuple[Kept, Array]]:
        """Return the function from what is kept at frame ``first`` to frames and their end.

        The end is what to give to the function of the next block.
        """

        def step(kept: Kept, _: None) -> tuple[Kept, Array]:
            return self.advance(kept, self.every), self.show(kept)

        return lambda kept: jax.lax.scan(step, kept, length=num_frames)

    @property
    def together(self) -> bool:
        """Whether it is faster to make a step for all states at once."""
        return False


class SpectralMarch(March):
    """Keeps spectra. Linear equations keep the first one, from which every frame follows.

    Parameters
    ----------
    stepper
        What makes a step.
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
        return ifft(kept, self.grid)

    def advance(self, kept: Kept, num_steps: int) -> Kept:
        """Return the spectrum ``num_steps`` steps later."""
        return self.kernel(kept) if num_steps == 1 else advance(self.kernel, kept, num_steps)

    def frames(
        self, first: Int[Array, ""], num_frames: int
    ) -> Callable[[Kept], tuple[Kept, Array]]:
        """Return the function of the interface; linear equations need no step before."""
        if not isinstance(self.kernel, ClosedForm):
            return super().frames(first, num_frames)
        steps = (first + jnp.arange(num_frames)) * self.every
        propagators = jax.vmap(self.kernel.propagator)(steps)

        def frame(propagator: Any, kept: Kept) -> State:
            return self.show(self.kernel.propagate(propagator, kept))

        if self.grid.num_spatial_dims == 1:
            return lambda kept: (kept, jax.vmap(frame, (0, None))(propagators, kept))
        return lambda kept: (kept, jax.lax.map(lambda p: frame(p, kept), propagators))

    @property
    def together(self) -> bool:
        """Whether a step has little to do."""
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


def blocks(
    march: March,
    states: Float[np.ndarray, "sample channel *space"],
    num_frames: int,
    size: int,
    *,
    num_warmup_steps: int = 0,
    include_init: bool = True,
    devices: Devices = (),
) -> Iterator[tuple[Frames, Bool[np.ndarray, "sample frame"]]]:
    """Yield blocks of frames on the host, and which frames are finite; the last may be shorter.

    Ends early once no sample holds a finite number: all that would follow is NaN.

    Parameters
    ----------
    march
        What makes the frames.
    states
        The initial states.
    num_frames, size
        Frames of the trajectories and of a block.
    num_warmup_steps
        Steps to make before the trajectories begin.
    include_init
        Whether frame 0 is the (warmed-up) initial state, untouched where nothing was warmed up.
    devices
        What to share the samples out over.
    """
    count, used = len(states), devices[: len(states)]
    spare = -count % max(1, len(used))
    padded = np.concatenate([states, states[:1].repeat(spare, axis=0)]) if spare else states
    skipped = num_warmup_steps + (0 if include_init else march.every)
    kept = _start(march, jnp.asarray(padded), skipped, used)
    untouched = include_init and not num_warmup_steps
    for first in range(0, num_frames, size):
        kept, made, finite, alive = _block(march, kept, jnp.asarray(first), size, used)
        whole, left = np.asarray(made), num_frames - first
        if first == 0 and untouched:
            whole = np.array(whole)
            whole[:count, 0] = states
        yield whole[:count, :left], np.asarray(finite)[:count, :left]
        if not np.any(alive):
            return


@eqx.filter_jit(compiler_options=ONE_THREAD_EACH)
def _start(march: March, states: Array, num_steps: int, devices: Devices) -> Kept:
    def start(march: March, states: Array) -> Kept:
        def one(u: State) -> Kept:
            kept = march.keep(u)
            return march.advance(kept, num_steps) if num_steps else kept

        return _over(march, one, states)

    return spread(start, march, states, devices)


@eqx.filter_jit(compiler_options=ONE_THREAD_EACH)
def _block(
    march: March, kept: Kept, first: Int[Array, ""], num_frames: int, devices: Devices
) -> tuple[Kept, Array, Array, Array]:
    def block(given: tuple[March, Array], kept: Kept) -> tuple[Kept, Array, Array, Array]:
        march, first = given
        end, frames = _over(march, march.frames(first, num_frames), kept)
        finite = jnp.isfinite(frames).all(axis=tuple(range(2, frames.ndim)))
        alive = jnp.isfinite(frames[:, -1]).any(axis=tuple(range(1, kept.ndim)))
        return end, frames, finite, alive

    made: tuple[Kept, Array, Array, Array] = spread(block, (march, first), kept, devices)
    return made


def _over(march: March, one: Callable[[Array], Any], samples: Array) -> Any:
    return jax.vmap(one)(samples) if march.together else jax.lax.map(one, samples)
