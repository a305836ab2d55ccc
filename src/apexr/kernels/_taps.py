"""Where the taps of a kernel lie on a grid, and the points that they read, gathered."""

import functools
import itertools
import operator
from collections.abc import Iterable, Iterator

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr.kernels._barriers import computed_once

Offsets = tuple[int, ...]

PADDING = {"periodic": "wrap", "dirichlet": "constant", "neumann": "reflect"}
"""How states go on beyond a boundary, as :func:`jax.numpy.pad` calls it."""


def tap_offsets(kernel_size: int, dilation: int) -> Offsets:
    """Return where the taps of a kernel lie, in grid points from its output."""
    return tuple((tap - (kernel_size - 1) // 2) * dilation for tap in range(kernel_size))


def pad(x: Float[Array, "in batch *space"], widths: tuple[int, int], boundary: str) -> Array:
    """Return ``x`` with so many points more (before, after) along each axis."""
    return jnp.pad(x, ((0, 0), (0, 0), *(widths,) * (x.ndim - 2)), mode=PADDING[boundary])


def gather(x: Array, offsets: tuple[Offsets, ...], stride: int = 1) -> Array:
    """Stack shifted copies of ``x`` along the channels; axes are shifted from the first on.

    The grid is continued beyond its ends once, for all copies: on a CPU, three rolled arrays cost
    twice as much. Their common source is computed once, not for each of them.
    """
    points, wide, starts = x.shape[2:], x, []
    for axis, taps in enumerate(offsets):
        shifts = _shortest(taps, points[axis])
        before, after = max(0, -min(shifts)), max(0, *shifts)
        wide = _continued(wide, 2 + axis, before, after)
        starts.append([before + shift for shift in shifts])
    wide, combinations = computed_once(wide), itertools.product(*starts)
    if stride > 1:
        windows = _every(wide, stride, combinations, points)
    else:
        windows = (
            wide[:, :, *(slice(s, s + size) for s, size in zip(combination, points, strict=False))]
            for combination in combinations
        )
    return jnp.concatenate(list(windows), axis=0)


def _every(
    x: Float[Array, "channel batch *space"],
    stride: int,
    starts: Iterable[tuple[int, ...]],
    points: tuple[int, ...],
) -> Iterator[Array]:
    """Yield the windows that take one point for each stride, from each start on.

    The grid is taken apart once into the phases of the stride, so that every window is contiguous:
    strided windows and their transposes, sums of arrays with gaps, are many times slower.
    """
    dims = len(points)
    widths = [(0, 0), (0, 0), *((0, -size % stride) for size in x.shape[2:])]
    pairs = [part for size in x.shape[2:] for part in (-(-size // stride), stride)]
    cut = jnp.pad(x, widths).reshape(*x.shape[:2], *pairs)
    phases = jnp.moveaxis(cut, [3 + 2 * axis for axis in range(dims)], range(dims))
    apart = unstack(computed_once(phases.reshape(-1, *phases.shape[dims:])), 0)
    for combination in starts:
        phase, window = 0, []
        for start, size in zip(combination, points, strict=True):
            phase = phase * stride + start % stride
            window.append(slice(start // stride, start // stride - (-size // stride)))
        yield apart[phase][:, :, *window]


def shift_and_add(
    x: Float[Array, "tapped batch x"], offsets: Offsets
) -> Float[Array, "channel batch x"]:
    """Return ``yᵢ = Σₖ xₖ(i + oₖ)`` on a circle; the taps stand one after another.

    Its transpose is, operation by operation, :func:`gather` with the opposite offsets: sums of
    padded arrays become slices of one that was continued beyond its ends.
    """
    points = x.shape[-1]
    shifts = _shortest(tuple(-offset for offset in offsets), points)
    before, after = max(0, -min(shifts)), max(0, *shifts)
    parts = unstack(x.reshape(len(offsets), -1, *x.shape[1:]), 0)
    wide = functools.reduce(
        operator.add,
        (
            _pad_last(part, before + shift, after - shift)
            for part, shift in zip(parts, shifts, strict=True)
        ),
    )
    wide = computed_once(wide)
    last, inside, first = jax.lax.split(wide, (before, points, after), axis=wide.ndim - 1)
    return inside + _pad_last(last, points - before, 0) + _pad_last(first, 0, points - after)


def _pad_last(x: Array, before: int, after: int) -> Array:
    """Return ``x`` with zeros before and after it along the last axis."""
    widths = [(0, 0, 0)] * (x.ndim - 1) + [(before, after, 0)]
    return jax.lax.pad(x, jnp.zeros((), x.dtype), widths)


def _shortest(offsets: Offsets, points: int) -> Offsets:
    """Return the offsets on a circle of so many points, the short way around."""
    return tuple((offset + points // 2) % points - points // 2 for offset in offsets)


def _continued(x: Array, axis: int, before: int, after: int) -> Array:
    """Return ``x`` with so many points of the other end before and after it."""
    points = x.shape[axis]
    last = jax.lax.slice_in_dim(x, points - before, points, axis=axis)
    first = jax.lax.slice_in_dim(x, 0, after, axis=axis)
    return jnp.concatenate([last, x, first], axis=axis)


def unstack(x: Array, axis: int) -> list[Array]:
    """Return what lies at each index along an axis.

    Other than indexing, this has a gradient that is put together at once.
    """
    pieces = jax.lax.split(x, (1,) * x.shape[axis], axis=axis)
    return [jnp.squeeze(piece, axis) for piece in pieces]
