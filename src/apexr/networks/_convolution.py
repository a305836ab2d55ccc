"""Convolutions as matrix products in the layout ``(channel, batch, *space)``.

On a CPU this is several times faster than XLA's own convolution (see ``docs/speed.md``). The
gradient in 1D is written out, so that reverse mode (also of itself) works but not forward mode
(:func:`jax.jvp`); 2D and 3D have both.
"""

import functools
import itertools
import operator

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr.networks._base import PADDING, multiply

Offsets = tuple[int, ...]


def tap_offsets(kernel_size: int, dilation: int) -> Offsets:
    """Return where the taps of a kernel lie, in grid points from its output."""
    return tuple((tap - (kernel_size - 1) // 2) * dilation for tap in range(kernel_size))


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
    offsets = tap_offsets(weight.shape[-1], dilation)
    if boundary == "periodic":
        return _correlate(x, weight, offsets, stride)
    first, last = offsets[0], offsets[-1]
    padded = pad(x, (-first, last), boundary)
    out = _correlate(padded, weight, tuple(offset - first for offset in offsets), stride)
    inside = (slice(-(-points // stride)) for points in x.shape[2:])
    return out[(slice(None), slice(None), *inside)]


def pad(x: Float[Array, "in batch *space"], widths: tuple[int, int], boundary: str) -> Array:
    """Return ``x`` with so many points more (before, after) along each axis."""
    return jnp.pad(x, ((0, 0), (0, 0), *(widths,) * (x.ndim - 2)), mode=PADDING[boundary])


def _correlate(x: Array, weight: Array, offsets: Offsets, stride: int) -> Array:
    """Return the periodic cross-correlation.

    In 1D, and wherever points are left out, all taps are gathered before the product. In 2D and
    3D the taps of all axes but the last are; those of the last are shifted and added after it,
    which keeps the gathered matrix three times smaller.
    """
    if stride > 1:
        dims = x.ndim - 2
        return multiply(_flat(weight), _gather(x, (offsets,) * dims, stride))
    if x.ndim == 3:
        return _correlate_1d(x, weight, offsets)
    lead = _gather(x, (offsets,) * (x.ndim - 3))
    kernel = jnp.moveaxis(weight, -1, 0)  # last tap, out, in, lead taps
    kernel = jnp.moveaxis(kernel, 2, -1).reshape(len(offsets) * weight.shape[0], -1)
    parts = multiply(kernel, lead).reshape(len(offsets), weight.shape[0], *x.shape[1:])
    shifted = (jnp.roll(parts[tap], -shift, axis=-1) for tap, shift in enumerate(offsets))
    return functools.reduce(operator.add, shifted)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _correlate_1d(
    x: Float[Array, "in batch x"], weight: Float[Array, "out in tap"], offsets: Offsets
) -> Float[Array, "out batch x"]:
    """Return the cross-correlation with all taps gathered first.

    Its gradient keeps the input alone, not the three times larger gathered matrix, and uses one
    gathered matrix of the incoming gradient for both products: less memory traffic.
    """
    return multiply(_flat(weight), _gather(x, (offsets,)))


def _correlate_1d_forward(
    x: Array, weight: Array, offsets: Offsets
) -> tuple[Array, tuple[Array, Array]]:
    return _correlate_1d(x, weight, offsets), (x, weight)


def _correlate_1d_backward(
    offsets: Offsets, kept: tuple[Array, Array], gradient: Float[Array, "out batch x"]
) -> tuple[Array, Array]:
    x, weight = kept
    gathered = _gather(gradient, (tuple(-offset for offset in offsets),))
    flat = gathered.reshape(gathered.shape[0], -1)
    products = jnp.dot(flat, x.reshape(x.shape[0], -1).T)
    products = products.reshape(len(offsets), weight.shape[0], weight.shape[1])
    return multiply(_flat(jnp.swapaxes(weight, 0, 1)), gathered), jnp.moveaxis(products, 0, 2)


_correlate_1d.defvjp(_correlate_1d_forward, _correlate_1d_backward)


def _flat(weight: Float[Array, "out in *kernel"]) -> Float[Array, "out tapped"]:
    """Return the weight as a matrix for what :func:`_gather` gives."""
    return jnp.moveaxis(weight, 1, -1).reshape(weight.shape[0], -1)


def _gather(x: Array, offsets: tuple[Offsets, ...], stride: int = 1) -> Array:
    """Stack shifted copies of ``x`` along the channels; axes are shifted from the first on.

    The grid is continued beyond its ends once, for all copies: on a CPU, three rolled arrays cost
    twice as much. What the copies are cut from is computed once, not for each of them.
    """
    points, wide, starts = x.shape[2:], x, []
    for axis, taps in enumerate(offsets):
        shifts = _shortest(taps, points[axis])
        before, after = max(0, -min(shifts)), max(0, *shifts)
        wide = _continued(wide, 2 + axis, before, after)
        starts.append([before + shift for shift in shifts])
    wide = jax.lax.optimization_barrier(wide)
    windows = (
        [slice(s, s + size, stride) for s, size in zip(combination, points, strict=False)]
        for combination in itertools.product(*starts)
    )
    return jnp.concatenate([wide[:, :, *window] for window in windows], axis=0)


def _shortest(offsets: Offsets, points: int) -> Offsets:
    """Return the offsets on a circle of so many points, the short way around."""
    return tuple((offset + points // 2) % points - points // 2 for offset in offsets)


def _continued(x: Array, axis: int, before: int, after: int) -> Array:
    """Return ``x`` with so many points of the other end before and after it."""
    points = x.shape[axis]
    last = jax.lax.slice_in_dim(x, points - before, points, axis=axis)
    first = jax.lax.slice_in_dim(x, 0, after, axis=axis)
    return jnp.concatenate([last, x, first], axis=axis)


def upsample(
    x: Float[Array, "in batch *space"],
    weight: Float[Array, "out in *kernel"],
    boundary: str = "periodic",
) -> Float[Array, "out batch *space_out"]:
    """Return twice as many points along each axis: a transposed convolution of three taps.

    ``y(2j) = w₁ xⱼ`` and ``y(2j+1) = w₀ xⱼ + w₂ xⱼ₊₁`` along each axis, as one matrix product
    whose phases are laced together.
    """
    dims = x.ndim - 2
    kernel = jnp.moveaxis(weight, (0, 1), (-2, -1)).reshape(-1, weight.shape[1])
    parts = multiply(kernel, x).reshape(*weight.shape[2:], weight.shape[0], *x.shape[1:])
    for axis in range(dims):
        space_axis = parts.ndim - dims + axis
        parts = _lace(parts[0], parts[1], parts[2], space_axis - 1, boundary)
    return parts


def _lace(first: Array, middle: Array, last: Array, axis: int, boundary: str) -> Array:
    """Return the even points ``middle`` and the odd points between them, in turn."""
    ahead = jnp.pad(
        last,
        [(0, int(number == axis)) for number in range(last.ndim)],
        mode=PADDING[boundary],
    )
    odd = first + jax.lax.slice_in_dim(ahead, 1, None, axis=axis)
    laced = jnp.stack([middle, odd], axis=axis + 1)
    return laced.reshape(*middle.shape[:axis], -1, *middle.shape[axis + 1 :])
