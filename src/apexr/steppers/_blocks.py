"""Trajectories in blocks of frames, one after another: what need not fit in memory at once.

States are carried from block to block as they are kept between two steps (spectra, for a
:class:`Stepper`), so that a trajectory does not depend on how it is cut.
"""

from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from apexr.kernels import JitForDevices
from apexr.steppers._march import Kept, March, State
from apexr.steppers._spread import Devices, spread

Frames = Float[np.ndarray, "sample frame channel *space"]


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
        The march that makes the frames.
    states
        The initial states.
    num_frames, size
        Frames of the trajectories and of a block.
    num_warmup_steps
        Steps to make before the trajectories begin.
    include_init
        Whether frame 0 is the (warmed-up) initial state, untouched where nothing was warmed up.
    devices
        The devices that share the samples.
    """
    count, used = len(states), devices[: len(states)]
    spare = -count % max(1, len(used))
    padded = np.concatenate([states, states[:1].repeat(spare, axis=0)]) if spare else states
    skipped = num_warmup_steps + (0 if include_init else march.every)
    kept = _start(march, jnp.asarray(padded), skipped, used)
    untouched = include_init and not num_warmup_steps
    for first in range(0, num_frames, size):
        kept, made = _block(march, kept, jnp.asarray(first), size, used)
        whole = np.asarray(made)[:count, : num_frames - first]
        if first == 0 and untouched:
            whole = np.array(whole)
            whole[:, 0] = states
        finite = np.isfinite(whole)  # several times faster here than as a compiled reduction
        yield whole, finite.all(axis=tuple(range(2, whole.ndim)))
        if not finite[:, -1].any():
            return


@JitForDevices
def _start(march: March, states: Array, num_steps: int, devices: Devices) -> Kept:
    def start(march: March, states: Array) -> Kept:
        def one(u: State) -> Kept:
            kept = march.keep(u)
            return march.advance(kept, num_steps) if num_steps else kept

        return march.over(one, states)

    return spread(start, march, states, devices)


@JitForDevices
def _block(
    march: March, kept: Kept, first: Int[Array, ""], num_frames: int, devices: Devices
) -> tuple[Kept, Array]:
    def block(given: tuple[March, Array], kept: Kept) -> tuple[Kept, Array]:
        march, first = given
        return march.frames(kept, first, num_frames)

    made: tuple[Kept, Array] = spread(block, (march, first), kept, devices)
    return made
