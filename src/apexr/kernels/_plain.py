"""The same kernels by XLA's own operations.

Accelerators run these; tests compare the forms for CPUs with them.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr.kernels._taps import pad, tap_offsets

SPACE = "DHW"


def convolve(
    x: Float[Array, "in batch *space"],
    weight: Float[Array, "out in *kernel"],
    *,
    dilation: int = 1,
    stride: int = 1,
    boundary: str = "periodic",
) -> Float[Array, "out batch *space_out"]:
    """Return what :func:`apexr.kernels.convolve` does."""
    offsets = tap_offsets(weight.shape[-1], dilation)
    wide = pad(x, (-offsets[0], offsets[-1]), boundary)
    return _convolution(wide, weight, window_strides=stride, rhs_dilation=dilation)


def convolve_each(
    x: Float[Array, "channel batch *space"],
    weight: Float[Array, "channel *kernel"],
    boundary: str = "periodic",
) -> Float[Array, "channel batch *space"]:
    """Return what :func:`apexr.kernels.convolve_each` does."""
    offsets = tap_offsets(weight.shape[-1], 1)
    wide = pad(x, (-offsets[0], offsets[-1]), boundary)
    return _convolution(wide, weight[:, None], feature_group_count=len(weight))


def upsample(
    x: Float[Array, "in batch *space"],
    weight: Float[Array, "out in *kernel"],
    boundary: str = "periodic",
) -> Float[Array, "out batch *space_out"]:
    """Return what :func:`apexr.kernels.upsample` does: a convolution between inserted zeros.

    Four taps are those of a transposed convolution, which meet the points in reverse order.
    """
    axes = tuple(range(2, x.ndim))
    if weight.shape[-1] == 3:
        return _convolution(
            pad(x, (0, 1), boundary), weight, lhs_dilation=2, padding=((1, 0),) * len(axes)
        )
    return _convolution(pad(x, (1, 1), boundary), jnp.flip(weight, axes), lhs_dilation=2)


def _convolution(
    x: Array,
    weight: Array,
    *,
    padding: tuple[tuple[int, int], ...] | None = None,
    window_strides: int = 1,
    lhs_dilation: int = 1,
    rhs_dilation: int = 1,
    feature_group_count: int = 1,
) -> Array:
    """Return a cross-correlation in the layout ``(channel, batch, *space)``."""
    dims = x.ndim - 2
    spatial = SPACE[:dims]
    return jax.lax.conv_general_dilated(
        x,
        weight,
        window_strides=(window_strides,) * dims,
        padding=padding or ((0, 0),) * dims,
        lhs_dilation=(lhs_dilation,) * dims,
        rhs_dilation=(rhs_dilation,) * dims,
        dimension_numbers=(f"CN{spatial}", f"OI{spatial}", f"CN{spatial}"),
        feature_group_count=feature_group_count,
    )
