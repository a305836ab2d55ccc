"""Convolutions in the layout ``(channel, batch, *space)``.

On a CPU they are matrix products, several times faster there than XLA's own convolution (see
``docs/speed.md``), which accelerators run.
"""

import functools
import itertools
import math
import operator
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr.kernels import _plain as plain
from apexr.kernels import _winograd as winograd
from apexr.kernels._platform import form
from apexr.kernels._products import fill_lanes, multiply, multiply_as_given
from apexr.kernels._rounded import factors, is_rounding, summed
from apexr.kernels._taps import (
    PADDING,
    Offsets,
    gather,
    pad,
    shift_and_add,
    tap_offsets,
    unstack,
)

Correlation = Callable[[Array, Array], Array]
"""Takes a batch and a weight to their periodic cross-correlation."""


def convolve(
    x: Float[Array, "in batch *space"],
    weight: Float[Array, "out in *kernel"],
    *,
    dilation: int = 1,
    stride: int = 1,
    boundary: str = "periodic",
) -> Float[Array, "out batch *space_out"]:
    """Return the cross-correlation of a batch.

    ``yⱼ = Σₖ wₖ x(s j + oₖ)`` with the offsets of :func:`tap_offsets` along each axis. Another
    boundary than the periodic one is a larger periodic grid, of which the inside is kept.
    """
    x, weight = factors(x, weight)
    if not form().products:
        sizes = {"dilation": dilation, "stride": stride}
        return summed(plain.convolve(x, weight, **sizes, boundary=boundary))
    offsets, points, first = tap_offsets(weight.shape[-1], dilation), x.shape[2:], 0
    if boundary != "periodic":
        first = -offsets[0]
        x = pad(x, (first, offsets[-1]), boundary)
    if stride == 1:
        out = correlation(weight.shape, offsets, x.shape[2:], filtered=_filters())(x, weight)
    else:
        ahead = tuple(first + offset for offset in offsets)
        out, first = multiply_as_given(_flat(weight), gather(x, (ahead,) * len(points), stride)), 0
    inside = (slice(first, first - (-size // stride)) for size in points)
    return summed(out[(slice(None), slice(None), *inside)])


def _filters() -> bool:
    """Tell whether minimal filtering may be used: its errors would add to those of rounding."""
    return form().filtering and not is_rounding()


@functools.cache
def correlation(
    shape: tuple[int, ...], offsets: Offsets, points: tuple[int, ...], *, filtered: bool
) -> Correlation:
    """Return the cheapest periodic cross-correlation on a CPU for weights of a shape.

    All give the same numbers to rounding.

    Parameters
    ----------
    shape
        That of the weight, ``(out, in, *kernel)``.
    offsets
        Where its taps lie along each axis.
    points
        Of the grid, along each axis.
    filtered
        Whether minimal filtering may be used.
    """
    dims = len(shape) - 2
    if dims == 1:
        return lambda x, weight: _correlate_1d(x, weight, offsets)
    costs = {axes: _cost(*_work(shape, axes)) for axes in range(dims, -1, -1)}
    axes = min(costs, key=costs.__getitem__)
    dilation = winograd.dilation_of(offsets, points) if filtered else None
    if dilation is not None and _cost(*winograd.work(shape)) < costs[axes]:
        return functools.partial(winograd.correlate, dilation=dilation)
    return functools.partial(_correlate_split, offsets=offsets, axes=axes)


def convolution_kernels() -> str:
    """Return in words what :func:`convolve` uses on the devices of this process."""
    if not form().products:
        return "XLA's convolutions"
    return "matrix products, minimal filtering" if form().filtering else "matrix products"


def _cost(written: float, multiplied: float) -> float:
    """Return what a point costs: a core multiplies about ten times as fast as it writes."""
    return written + multiplied / 10


def _work(shape: Sequence[int], axes: int) -> tuple[float, float]:
    """Return the same of :func:`_correlate_split` as :func:`winograd.work` does."""
    out_channels, in_channels, *kernel = shape
    gathered = 1 + math.prod(kernel[:axes]) if axes > 0 else 0
    shifted = 1 + math.prod(kernel[axes:]) if axes < len(kernel) else 1
    written = gathered * in_channels + shifted * out_channels
    return written, math.prod(shape)


def _correlate_split(x: Array, weight: Array, offsets: Offsets, axes: int) -> Array:
    """Return the periodic cross-correlation in 2D or 3D.

    The taps of so many axes are gathered before the product; those of the others are shifted and
    added after it.
    """
    gathered = gather(x, (offsets,) * axes)
    order = (*range(2 + axes, weight.ndim), 0, *range(2, 2 + axes), 1)
    kernel = weight.transpose(order).reshape(-1, gathered.shape[0])
    parts = multiply_as_given(kernel, gathered).reshape(-1, weight.shape[0], *x.shape[1:])
    others = tuple(range(2 + axes, x.ndim))
    shifts = itertools.product([-offset for offset in offsets], repeat=len(others))
    pairs = zip(unstack(parts, 0), shifts, strict=True)
    return functools.reduce(operator.add, (jnp.roll(part, by, others) for part, by in pairs))


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def _correlate_1d(
    x: Float[Array, "in batch x"], weight: Float[Array, "out in tap"], offsets: Offsets
) -> Float[Array, "out batch x"]:
    """Return the cross-correlation with all taps gathered first.

    Its derivative is shifted and added after the products instead. The part that this keeps for
    the way back is the input alone, not the three times larger gathered matrix; and its transpose
    gathers the incoming gradient once for both products: less memory traffic.
    """
    return multiply_as_given(_flat(weight), gather(x, (offsets,)))


@_correlate_1d.defjvp
def _correlate_1d_jvp(
    offsets: Offsets, primals: tuple[Array, Array], tangents: tuple[Array, Array]
) -> tuple[Array, Array]:
    (x, weight), (x_change, weight_change) = primals, tangents
    turned = _flat(jnp.swapaxes(weight, 0, 1))  # so that the transpose is a product from the left
    by_x = jnp.tensordot(turned, x_change.reshape(x.shape[0], -1), ((0,), (0,)))
    by_x = by_x.reshape(-1, *x.shape[1:])
    by_weight = multiply_as_given(fill_lanes(_by_tap(weight_change), 1), fill_lanes(x, 0))
    return _correlate_1d(x, weight, offsets), shift_and_add(by_x + by_weight, offsets)


def _by_tap(weight: Float[Array, "out in tap"]) -> Float[Array, "tapped in"]:
    """Return the weight as a matrix that makes what :func:`shift_and_add` takes."""
    return jnp.moveaxis(weight, 2, 0).reshape(-1, weight.shape[1])


def _flat(weight: Float[Array, "out in *kernel"]) -> Float[Array, "out tapped"]:
    """Return the weight as a matrix for what :func:`gather` gives."""
    return jnp.moveaxis(weight, 1, -1).reshape(weight.shape[0], -1)


def upsample(
    x: Float[Array, "in batch *space"],
    weight: Float[Array, "out in *kernel"],
    boundary: str = "periodic",
) -> Float[Array, "out batch *space_out"]:
    """Return twice as many points along each axis: a transposed convolution of stride two.

    Of three taps, ``y(2j) = w₁ xⱼ`` and ``y(2j+1) = w₀ xⱼ + w₂ xⱼ₊₁`` along each axis; of four,
    ``y(2j) = w₁ xⱼ + w₃ xⱼ₋₁`` and ``y(2j+1) = w₂ xⱼ + w₀ xⱼ₊₁``. One matrix product gives all
    phases, which are laced together.
    """
    if not form().products:
        x, weight = factors(x, weight)
        return summed(plain.upsample(x, weight, boundary))
    dims = x.ndim - 2
    kernel = jnp.moveaxis(weight, (0, 1), (-2, -1)).reshape(-1, weight.shape[1])
    parts = multiply(kernel, x).reshape(*weight.shape[2:], weight.shape[0], *x.shape[1:])
    for axis in range(dims):
        space_axis = parts.ndim - dims + axis - 1
        if len(parts) == 3:
            even, odd = parts[1], parts[0] + _moved(parts[2], 1, space_axis, boundary)
        else:
            even = parts[1] + _moved(parts[3], -1, space_axis, boundary)
            odd = parts[2] + _moved(parts[0], 1, space_axis, boundary)
        parts = _lace(even, odd, space_axis)
    return parts


def _moved(x: Array, by: int, axis: int, boundary: str) -> Array:
    """Return what stands one point further ahead (``by = 1``) or behind (``-1``)."""
    widths = [(0, 0)] * x.ndim
    widths[axis] = (0, 1) if by > 0 else (1, 0)
    start, stop = (1, None) if by > 0 else (0, -1)
    wide = jnp.pad(x, widths, mode=PADDING[boundary])
    return jax.lax.slice_in_dim(wide, start, stop, axis=axis)


def _lace(even: Array, odd: Array, axis: int) -> Array:
    """Return the even points and the odd points between them, in turn."""
    laced = jnp.stack([even, odd], axis=axis + 1)
    return laced.reshape(*even.shape[:axis], -1, *even.shape[axis + 1 :])
