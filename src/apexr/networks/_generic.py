"""The generic networks: blocks one after another, and blocks on ever coarser grids."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from apexr.errors import ShapeError, SpecError
from apexr.kernels import computed_once
from apexr.networks._base import MakeLayer, Reach, Space, total_reach
from apexr.networks._kind import Network
from apexr.networks._layers import Convolution, Pointwise, UpConvolution
from apexr.spectral import Grid

Part = Callable[[Array], Array]

HALVING: MakeLayer = partial(Convolution, stride=2)
"""Every other point of a convolution."""


class Sequential(Network):
    """A network of blocks one after another: lifting, blocks, projection.

    Parameters
    ----------
    space
        Dimensions and boundary, for all parts.
    in_channels, out_channels
        Channels of the network's input and output.
    widths
        Channels after the lifting and after each block: one more than there are blocks.
    block, lifting, projection
        The factory of the parts: a layer's class, or a partial of it.
    key
        Split in two before each part: the part's own key, then the key that goes on; the
        projection gets the last.

    Examples
    --------
    >>> block = partial(ResidualBlock, activation="tanh")
    >>> Sequential(Space(1, "dirichlet"), 1, 1, widths=(8, 8, 16), block=block, key=key)
    """

    lifting: Part
    blocks: tuple[Part, ...]
    projection: Part

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        widths: Sequence[int],
        block: MakeLayer,
        lifting: MakeLayer = Pointwise,
        projection: MakeLayer = Pointwise,
        key: PRNGKeyArray,
    ) -> None:
        check_widths(widths)
        own, key = jax.random.split(key)
        self.lifting = lifting(space, in_channels, widths[0], key=own)
        blocks = []
        for sizes in pairwise(widths):
            own, key = jax.random.split(key)
            blocks.append(block(space, *sizes, key=own))
        self.blocks = tuple(blocks)
        self.projection = projection(space, widths[-1], out_channels, key=key)

    @property
    def reach(self) -> Reach:
        """That of all parts."""
        return total_reach((self.lifting, *self.blocks, self.projection))

    def batched(self, states: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the network's output for every state of a batch.

        The compiler is to compute what a block returns once. Left alone it does so again wherever
        the next ones read it, and with it what is added to it in each residual block before.
        """
        for part in (self.lifting, *self.blocks, self.projection):
            states = computed_once(part(states))
        return states


class Hierarchical(Network):
    """A network on ever coarser grids and back, in the shape of a U.

    Each level down halves the grid and runs blocks; each level up doubles it, appends the result
    to what the way down had there, and runs blocks.

    Parameters
    ----------
    space, in_channels, out_channels
        As for :class:`Sequential`.
    widths
        Channels on each grid, the finest first: one more than there are levels.
    num_blocks
        Blocks of each level on either way.
    block, lifting, down, up, projection
        The factory of the parts: a layer's class, or a partial of it. ``down`` must halve the grid,
        ``up`` double it. The lifting is a block unless it is given.
    key
        Split in three: rest, lifting, projection. The rest is split in five for each level:
        rest, down, blocks down, up, blocks up; all blocks of a level on one way get the same
        key.

    References
    ----------
    Ronneberger et al. (2015), "U-Net: Convolutional Networks for Biomedical Image
    Segmentation", MICCAI.
    """

    lifting: Part
    down: tuple[Part, ...]
    left: tuple[tuple[Part, ...], ...]
    up: tuple[Part, ...]
    right: tuple[tuple[Part, ...], ...]
    projection: Part

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        widths: Sequence[int],
        num_blocks: int = 1,
        block: MakeLayer,
        lifting: MakeLayer | None = None,
        down: MakeLayer = HALVING,
        up: MakeLayer = UpConvolution,
        projection: MakeLayer = Pointwise,
        key: PRNGKeyArray,
    ) -> None:
        check_widths(widths)
        key, lifting_key, projection_key = jax.random.split(key, 3)

        def arc(first: int, width: int, own: PRNGKeyArray) -> tuple[Part, ...]:
            sizes = (first, *(width,) * num_blocks)
            return tuple(block(space, *pair, key=own) for pair in pairwise(sizes))

        levels = []
        for fine, coarse in pairwise(widths):
            key, *keys = jax.random.split(key, 5)
            half = coarse // 2
            levels.append(
                (
                    down(space, fine, fine, key=keys[0]),
                    arc(fine, coarse, keys[1]),
                    up(space, coarse, half, key=keys[2]),
                    arc(half + fine, fine, keys[3]),
                )
            )
        self.lifting = (lifting or block)(space, in_channels, widths[0], key=lifting_key)
        self.down, self.left, self.up, self.right = (
            zip(*levels, strict=True) if levels else [()] * 4
        )
        self.projection = projection(space, widths[0], out_channels, key=projection_key)

    @property
    def reach(self) -> Reach:
        """That of all parts, each on the grid that it works on."""
        reaches = [total_reach((self.lifting, self.projection))]
        for level in range(len(self.down)):
            fine = (self.down[level], *self.right[level])
            coarse = (*self.left[level], self.up[level])
            reaches += [total_reach(fine, 2**level), total_reach(coarse, 2 ** (level + 1))]
        back, forward = (sum(reach[side] for reach in reaches) for side in (0, 1))
        return back, forward

    def batched(self, states: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the network's output for every state of a batch.

        Raises
        ------
        ShapeError
            If an axis cannot be halved so often.
        """
        require_halves(
            states.shape[2:], len(self.down), f"a hierarchical network of {len(self.down)} levels"
        )
        skips = []
        states = self.lifting(states)
        for down, left in zip(self.down, self.left, strict=True):
            skips.append(states)
            states = _run((down, *left), states)
        for up, right in reversed(list(zip(self.up, self.right, strict=True))):
            both = jnp.concatenate([skips.pop(), up(states)], axis=0)
            states = _run(right, both)
        return self.projection(states)


def _run(parts: Sequence[Part], x: Array) -> Array:
    for part in parts:
        x = part(x)
    return x


def check_widths(widths: Sequence[int]) -> None:
    """Refuse widths that are not positive integers, or none at all.

    Raises
    ------
    SpecError
        Naming them.
    """
    given: Any = tuple(widths)
    if not given or not all(isinstance(width, int) and width > 0 for width in given):
        raise SpecError(f"widths must be positive integers, at least one, got {given!r}")


def check_grid_halves(spec: Any, grid: Grid, times: int, field: str) -> None:
    """Refuse grids that cannot be halved so often, as the field of a spec asks for.

    Raises
    ------
    SpecError
        Naming the field and the nearest numbers of points that can.
    """
    for points in grid.shape:
        misfit = halving_misfit(points, times)
        if misfit:
            raise SpecError(f"network {str(spec)!r}: {misfit} ({field})")


def require_halves(space: Sequence[int], times: int, what: str) -> None:
    """Refuse states that cannot be halved so often.

    Raises
    ------
    ShapeError
        Naming what was to halve them.
    """
    for points in space:
        misfit = halving_misfit(points, times)
        if misfit:
            raise ShapeError(f"{what}: {misfit}")


def halving_misfit(num_points: int, times: int) -> str:
    """Return why so many points cannot be halved so often, or ``""``.

    The text names the nearest numbers of points that can.
    """
    most = (num_points & -num_points).bit_length() - 1  # how often 2 divides the points
    if times <= most:
        return ""
    text = f"{num_points} points can be halved {most} times, not {times}"
    if times > num_points.bit_length():
        return f"{text}; the least number of points that can is 2**{times}"
    step = 2**times
    below = num_points // step * step
    near = [str(points) for points in (below, below + step) if points]
    return f"{text}; the nearest numbers of points that can are {' and '.join(near)}"
