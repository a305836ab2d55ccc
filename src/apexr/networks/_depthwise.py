"""Convolutions of each channel with a kernel of its own."""

import functools
import operator

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from apexr.networks._base import Layer, Reach, Space, add_bias, check_fits, draw_weights
from apexr.networks._taps import Offsets, pad, tap_offsets, unstack


class DepthwiseConvolution(Layer):
    """A convolution that mixes no channels: one kernel a channel.

    Parameters
    ----------
    space
        Dimensions and boundary.
    channels, kernel_size
        Sizes.
    key
        Split in two: weight, bias. Both are uniform in ±1/√kᴰ.
    """

    weight: Float[Array, "channel one *kernel"]
    bias: Float[Array, "channel *ones"] | None
    boundary: str = eqx.field(static=True)

    def __init__(
        self, space: Space, channels: int, *, kernel_size: int = 7, key: PRNGKeyArray
    ) -> None:
        kernel = (kernel_size,) * space.num_spatial_dims
        self.weight, self.bias = draw_weights(key, 1, channels, kernel)
        self.boundary = space.boundary

    @property
    def reach(self) -> Reach:
        """As far as the outermost taps."""
        offsets = tap_offsets(self.weight.shape[-1], 1)
        return -offsets[0], offsets[-1]

    def __call__(
        self, x: Float[Array, "channel batch *space"]
    ) -> Float[Array, "channel batch *space"]:
        """Return the convolved batch."""
        check_fits(x, self.weight.shape[0], self.weight.ndim - 2)
        return add_bias(convolve_each(x, self.weight[:, 0], self.boundary), self.bias)


def convolve_each(
    x: Float[Array, "channel batch *space"],
    weight: Float[Array, "channel *kernel"],
    boundary: str = "periodic",
) -> Float[Array, "channel batch *space"]:
    """Return the cross-correlation of each channel with its own kernel.

    The taps are those of :func:`tap_offsets` along each axis. Another boundary than the periodic
    one is a larger periodic grid, of which the inside is kept.
    """
    offsets, points = tap_offsets(weight.shape[-1], 1), x.shape[2:]
    if len(points) == 1:
        return _by_shifts(x, weight, offsets, boundary)
    if boundary == "periodic":
        return _by_fft(x, weight, offsets)
    first = -offsets[0]
    out = _by_fft(pad(x, (first, offsets[-1]), boundary), weight, offsets)
    return out[(slice(None), slice(None), *(slice(first, first + size) for size in points))]


def _by_shifts(x: Array, weight: Array, offsets: Offsets, boundary: str) -> Array:
    """1D: add up the shifted lines, a few for each point."""
    wide = pad(x, (-offsets[0], offsets[-1]), boundary)
    taps = unstack(weight[:, None], 2)
    shifted = (
        tap[..., None] * jax.lax.slice_in_dim(wide, start, start + x.shape[2], axis=2)
        for start, tap in enumerate(taps)
    )
    return functools.reduce(operator.add, shifted)


def _by_fft(x: Array, weight: Array, offsets: Offsets) -> Array:
    """2D, 3D, where a kernel has dozens or hundreds of taps: multiply the spectra."""
    axes, points = tuple(range(2, x.ndim)), x.shape[2:]
    symbol = weight.astype(jnp.result_type(x.dtype, jnp.complex64))
    for size, halved in zip(points, (*(False,) * (len(points) - 1), True), strict=True):
        waves = np.arange(size // 2 + 1 if halved else size)
        phase = np.outer(offsets, waves) % size * (2 * np.pi / size)
        symbol = jnp.tensordot(symbol, np.exp(1j * phase).astype(symbol.dtype), ((1,), (0,)))
    product = jnp.fft.rfftn(x, axes=axes) * symbol[:, None]
    return jnp.fft.irfftn(product, s=points, axes=axes)
