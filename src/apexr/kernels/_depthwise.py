"""Convolutions of each channel with a kernel of its own."""

import functools
import operator

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from apexr.kernels import _plain as plain
from apexr.kernels._platform import form
from apexr.kernels._taps import Offsets, pad, tap_offsets, unstack


def convolve_each(
    x: Float[Array, "channel batch *space"],
    weight: Float[Array, "channel *kernel"],
    boundary: str = "periodic",
) -> Float[Array, "channel batch *space"]:
    """Return the cross-correlation of each channel with its own kernel.

    The taps are those of :func:`tap_offsets` along each axis. Another boundary than the periodic
    one is a larger periodic grid, of which the inside is kept.
    """
    if not form().products:
        return plain.convolve_each(x, weight, boundary)
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
