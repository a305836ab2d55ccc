"""Convolutions of three taps an axis with half of the multiplications, by minimal filtering.

Along the first axis of space, four outputs in a row come of six products instead of twelve: the
algorithm ``F(4, 3)`` of Winograd. Sources: Winograd (1980), "Arithmetic Complexity of
Computations"; Lavin and Gray (2016), "Fast Algorithms for Convolutional Neural Networks",
section 4.3 with its matrices ``Bᵀ``, ``G`` and ``Aᵀ``. The taps of the other axes are gathered
before the products, those of the last one shifted and added after them. Dilated by ``d``, a
convolution is one without dilation on each of the ``d`` grids that have every ``d``-th row.

On a CPU an operation that only moves numbers runs as fast as the memory, and one that computes
from slices alone runs in vectors; what does both at once is several times slower than the two one
after the other. Barriers keep them apart, and axes are cut by :func:`jax.lax.split`, whose
transpose only moves numbers too.
"""

import functools
import math
import operator
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from apexr.kernels._products import multiply_each
from apexr.kernels._taps import gather, unstack

OFFSETS = (-1, 0, 1)
"""Where the taps lie along each axis; a dilation multiplies them."""
TILE = 4
"""How many rows of output a tile has; it reads one row more on either side."""
INPUT = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
"""From the rows that a tile reads to the right factors of its six products (``Bᵀ``)."""
KERNEL = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 48
"""From the taps of the first axis to the left factors: half of ``G``, for twice ``Aᵀ``."""
OUTPUT = np.array(
    [[2, 2, 2, 2, 2, 0], [0, 2, -2, 4, -4, 0], [0, 2, 2, 8, 8, 0], [0, 2, -2, 16, -16, 2]]
)
"""From the products to the rows of a tile: twice ``Aᵀ``.

Where a factor is one and the others are nought, a sum is a copy, and what stacks both is compiled
to slower loops.
"""


def work(shape: Sequence[int]) -> tuple[float, float]:
    """Return how many numbers a point :func:`correlate` writes, and how many products it takes.

    Parameters
    ----------
    shape
        That of the weight, ``(out, in, *kernel)``.
    """
    out_channels, in_channels, *kernel = shape
    per_point, taps = len(INPUT) / TILE, len(OFFSETS)
    between = taps ** (len(kernel) - 2)
    factors = 2 / TILE + per_point * (1 + between if between > 1 else 1)
    products = per_point * (taps + 1) + 1
    return factors * in_channels + products * out_channels, per_point * math.prod(shape) / taps


def dilation_of(offsets: Sequence[int], points: Sequence[int]) -> int | None:
    """Return the dilation of taps that :func:`correlate` takes on a grid, or None.

    The dilation must divide the rows and leave each phase a whole tile of them: padded tiles would
    cost what is saved.

    Parameters
    ----------
    offsets
        Where the taps lie along each axis.
    points
        Of the grid, along each axis.
    """
    dilation = offsets[-1]
    if tuple(offsets) != tuple(dilation * offset for offset in OFFSETS):
        return None
    if dilation == 1:
        return 1
    fits = points[0] % dilation == 0 and points[0] >= TILE * dilation and points[-1] > dilation
    return dilation if fits else None


@functools.partial(jax.jit, static_argnames="dilation")
def correlate(
    x: Float[Array, "in batch rows *others"],
    weight: Float[Array, "out in *kernel"],
    dilation: int = 1,
) -> Float[Array, "out batch rows *others"]:
    """Return the periodic cross-correlation in 2D or 3D.

    Rounding errors are a few times larger than those of the plain sum of products: some 1e-6 of
    the largest number in single precision. It is a program of its own so that the layers of a
    network that have equal shapes are traced once.
    """
    shape = x.shape
    x = _computed_flat(x)
    if dilation > 1:
        x = x.reshape(*shape[:2], -1, dilation, *shape[3:])
    factors = _input_factors(x)
    if len(shape) > 4:  # one axis lies between the first and the last
        taps = tuple(dilation * offset for offset in OFFSETS)
        shifts = ((0,),) * (x.ndim - 4) + (taps,)
        factors = jax.vmap(lambda factor: gather(factor, shifts))(factors)
    flat = factors.reshape(*factors.shape[:2], -1)
    products = multiply_each(_kernel_factors(weight), flat)
    products = products.reshape(len(INPUT), weight.shape[0], len(OFFSETS), *factors.shape[2:])
    summed = _apart(_sum_shifted(dilation, *unstack(_apart(products), 2)))
    out = _apart(_combine(OUTPUT, unstack(summed, 0), axis=3))
    out = out.reshape(*out.shape[:2], -1, *x.shape[3:])[:, :, : x.shape[2]]
    return out.reshape(-1, *shape[1:])


def _input_factors(
    x: Float[Array, "in batch rows *others"],
) -> Float[Array, "product in batch tile *others"]:
    """Return the right factors of the products of each tile.

    The last tile may end beyond the grid, where the next period begins.
    """
    rows = x.shape[2]
    count = -(-rows // TILE)
    widths = [(0, count * TILE - rows if axis == 2 else 0) for axis in range(x.ndim)]
    whole = jnp.pad(x, widths, mode="wrap")
    tiles = unstack(whole.reshape(*x.shape[:2], count, TILE, *x.shape[3:]), 3)
    first, last = tiles[0], tiles[-1]
    before = _apart(jnp.concatenate([x[:, :, rows - 1 :], last[:, :, :-1]], axis=2))
    after = _apart(jnp.concatenate([first[:, :, 1:], first[:, :, :1]], axis=2))
    return _apart(_combine(INPUT, [before, *tiles, after], axis=0))


def _kernel_factors(
    weight: Float[Array, "out in *kernel"],
) -> Float[Array, "product shifted gathered"]:
    """Return the left factors: all that is to be shifted, of all that is gathered."""
    between = range(3, weight.ndim - 1)
    taps = weight.transpose(2, 0, weight.ndim - 1, *between, 1)
    taps = _apart(taps.reshape(len(OFFSETS), weight.shape[0] * len(OFFSETS), -1))
    return _apart(_combine(KERNEL, unstack(taps, 0), axis=0))


def _sum_shifted(by: int, left: Array, middle: Array, right: Array) -> Array:
    """Return ``left(j - by) + middle(j) + right(j + by)`` along the last, periodic axis.

    All is one sum of padded arrays: newer compilers copy what a concatenation joins, and compute
    nothing in its loop.
    """
    back = by - middle.shape[-1]
    return (
        _moved(left, by) + _moved(left, back) + middle + _moved(right, -by) + _moved(right, -back)
    )


def _moved(x: Array, by: int) -> Array:
    """Return ``x`` moved along its last axis, with zeros where nothing moves in."""
    widths = [(0, 0, 0)] * (x.ndim - 1) + [(by, -by, 0)]
    return lax.pad(x, jnp.zeros((), x.dtype), widths)


def _combine(matrix: np.ndarray, parts: list[Array], axis: int) -> Array:
    """Return the sums of the parts with the factors in each row of a matrix, stacked."""
    return jnp.stack([_weighted_sum(row, parts) for row in matrix.tolist()], axis=axis)


def _weighted_sum(factors: list[float], parts: list[Array]) -> Array:
    terms = (
        part if factor == 1 else factor * part
        for factor, part in zip(factors, parts, strict=True)
        if factor
    )
    return functools.reduce(operator.add, terms)


def _apart(x: Array) -> Array:
    """Return ``x``, computed once and apart from what reads it."""
    return lax.optimization_barrier(x)


@jax.custom_jvp
def _computed_flat(x: Float[Array, "in batch *space"]) -> Array:
    """Return ``x``, computed once, in loops as long as a channel; a gradient passes as it is.

    Loops over the short rows of a grid take four times as long.
    """
    return _apart(x.reshape(x.shape[0], -1)).reshape(x.shape)


_computed_flat.defjvps(lambda tangent, out, x: tangent)
