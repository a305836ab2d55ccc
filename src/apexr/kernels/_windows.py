"""Batches of windows: gathered from the frames of all trajectories, whole or a part at a time."""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from apexr.kernels._platform import form

LIGHT = 100
"""Up to so many weights for each number of a state, a batch is taken in parts."""

LARGE = 2**11
"""Numbers of a state above which a part of a batch is one window, not two."""


def frames_first(
    trajectories: Float[np.ndarray, "sample frame channel *space"],
) -> Float[np.ndarray, "channel all_frames *space"]:
    """Return the frames of all trajectories, one trajectory after another."""
    return np.moveaxis(trajectories.reshape(-1, *trajectories.shape[2:]), 1, 0)


def gather_windows(
    frames: Float[Array, "channel frame *space"],
    indices: Int[Array, " batch"],
    num_frames: int,
    length: int,
    stored: int | None = None,
) -> Float[Array, "channel batch stored *space"]:
    """Return windows of consecutive frames.

    Parameters
    ----------
    frames
        The frames of all trajectories, one trajectory after another.
    indices
        Windows, numbered over trajectories with the start within a trajectory fastest.
    num_frames
        Frames of one trajectory.
    length
        Frames of a window.
    stored
        How many of them are wanted, from the first; by default all.
    """
    per_trajectory = num_frames - length + 1
    start = indices // per_trajectory * num_frames + indices % per_trajectory
    return jnp.take(frames, start[:, None] + jnp.arange(stored or length), axis=1)


def windows_at_once(batch_size: int, frames: tuple[int, ...], num_weights: int) -> int:
    """Return how many windows of a batch go through an emulator at a time.

    On a CPU, one or two states in 2D and 3D fill the cache. In 1D whole batches fit, and where
    the weights are many for the size of a state, reading them for each part would cost more.

    Parameters
    ----------
    batch_size
        Windows of a batch, those of one device.
    frames
        The shape ``(channel, frame, *space)`` of what they are gathered from.
    num_weights
        How many weights the emulator has.
    """
    channels, _, *space = frames
    state = channels * math.prod(space)
    if form().parts and len(space) > 1 and num_weights < LIGHT * state:
        return 1 if batch_size % 2 or state > LARGE else 2
    return batch_size
