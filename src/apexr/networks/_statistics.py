"""Statistics of the training data that wrappers of networks measure and keep with the weights."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from apexr._parts import Fixed
from apexr._registry import Registry

LEAST_DEVIATION = 1e-4
"""No channel is divided by less: one that hardly varies is not blown up."""


@dataclasses.dataclass(frozen=True)
class Moments:
    """Statistics of trajectories over samples, frames and points, in double precision.

    Those of ``step`` are of the difference of two frames that follow each other.

    Attributes
    ----------
    mean, deviation, root_mean_square
        Of each channel; the deviation is that of the whole population.
    step_deviation, step_root_mean_square
        Likewise.
    """

    mean: Float[np.ndarray, " channel"]
    deviation: Float[np.ndarray, " channel"]
    root_mean_square: Float[np.ndarray, " channel"]
    step_deviation: Float[np.ndarray, " channel"]
    step_root_mean_square: Float[np.ndarray, " channel"]


class Scales(NamedTuple):
    """How channels are normalized.

    Attributes
    ----------
    shift, scale
        The shift subtracted from each channel, and the divisor.
    step
        The size of a difference of two frames.
    """

    shift: Float[np.ndarray, " channel"]
    scale: Float[np.ndarray, " channel"]
    step: Float[np.ndarray, " channel"]


NORMS: Registry[Callable[[Moments], Scales]] = Registry("normalization", "apexr.norms")
"""Every way to normalize the channels by its name in ``norm;KIND;…``."""


@NORMS.register("zscore")
def zscore(moments: Moments) -> Scales:
    """Return means and standard deviations."""
    return Scales(moments.mean, moments.deviation, moments.step_deviation)


@NORMS.register("rms")
def rms(moments: Moments) -> Scales:
    """Return zeros and root mean squares."""
    size = moments.root_mean_square
    return Scales(np.zeros_like(size), size, moments.step_root_mean_square)


class Statistics(Fixed):
    """Statistics of the training data; before they are measured they change nothing.

    Attributes
    ----------
    shift, scale
        The shift subtracted from each channel, and the divisor; None without ``norm``.
    step
        The size of the difference of two frames: of each channel with ``norm``, else one of all
        channels; None where differences are not predicted or their size is given.
    norm
        The name in :data:`NORMS`, or None.
    num_channels
        Channels of a frame, without constants.
    """

    shift: Float[Array, "*seed channel"] | None
    scale: Float[Array, "*seed channel"] | None
    step: Float[Array, "*seed channel"] | None
    norm: str | None = eqx.field(static=True)
    num_channels: int = eqx.field(static=True)

    def measured(self, moments: Moments) -> "Statistics":
        """Return those of data; where they lead with seeds, all seeds share them.

        Channels behind those of the data stay as they are.
        """
        if self.norm is None:
            together = np.sqrt(np.mean(moments.step_root_mean_square[: self.num_channels] ** 2))
            return self._filled(step=together[None])
        scales = NORMS.get(self.norm)(moments)
        step = scales.step[: self.num_channels]
        kept = {"scale": scales.scale, "step": step}
        floored = {name: np.maximum(value, LEAST_DEVIATION) for name, value in kept.items()}
        return self._filled(shift=scales.shift, **floored)

    def _filled(self, **values: np.ndarray) -> "Statistics":
        held = {name: getattr(self, name) for name in values}
        return dataclasses.replace(
            self,
            **{
                name: array.at[..., : len(values[name])].set(values[name].astype(array.dtype))
                for name, array in held.items()
                if array is not None
            },
        )


def unmeasured(
    norm: str | None, num_inputs: int, num_channels: int, *, steps: bool
) -> Statistics | None:
    """Return statistics that change nothing yet; None where there is nothing to measure.

    Parameters
    ----------
    norm
        The name in :data:`NORMS`, or None.
    num_inputs, num_channels
        Channels of a frame, with and without constants.
    steps
        Whether the size of a difference is measured.
    """
    if norm is None and not steps:
        return None
    shift, scale = (None, None) if norm is None else (jnp.zeros(num_inputs), jnp.ones(num_inputs))
    step = jnp.ones(1 if norm is None else num_channels) if steps else None
    return Statistics(shift, scale, step, norm, num_channels)
