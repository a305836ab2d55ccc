"""The transformer of patches that attends along one axis at a time."""

import functools
import operator
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Layers, PositiveInt
from apexr.errors import ShapeError, SpecError
from apexr.kernels import computed_once
from apexr.networks._activations import activate
from apexr.networks._attention import attend, misfit_of_heads, split_heads
from apexr.networks._base import UNBOUNDED, Layer, Reach, Space
from apexr.networks._kind import ChannelsSpec, Network, network
from apexr.networks._layers import ChannelNorm, GroupNorm, Pointwise
from apexr.networks._patches import Patch, Unpatch, misfit_of_patches
from apexr.spectral import Grid

GROUPS = 12
"""Groups of all group norms."""
FIRST_SCALE = 1e-6
"""Initial factor of the change that a block makes."""
PLACE_SCALE = 0.02
"""Deviation of the learned positions before any training."""


@network("AViT")
class AViT(ChannelsSpec):
    """AViT[;WIDTH][;HEADS][;BLOCKS][;PATCH] - transformer of patches, attention an axis each.

    Three strided convolutions make a token of each patch of ``PATCH`` points an axis; a learned
    position is added; blocks attend along each axis and add up; three transposed convolutions
    make patches again. It works on the grid that it was built for alone, and assumes nothing
    about its ends.

    References
    ----------
    Ohana et al. (2024), "The Well: a Large-Scale Collection of Diverse Physics Simulations for
    Machine Learning", NeurIPS; ``AViT`` of the package ``the_well`` 1.2.0, with 768, 12, 8 and
    16; in 2D that one attends to its heads in place of the first axis. McCabe et al. (2024),
    "Multiple Physics Pretraining for Spatiotemporal Surrogate Models", NeurIPS.
    """

    boundaries: ClassVar[tuple[str, ...]] = ("any",)

    width: PositiveInt = 192
    heads: PositiveInt = 6
    blocks: Layers = 4
    patch: PositiveInt = 8

    def __post_init__(self) -> None:
        misfit = misfit_of_heads(self.width, self.heads)
        step = 4 * GROUPS
        if self.width % step:
            below = self.width // step * step
            near = " and ".join(str(size) for size in (below, below + step) if size)
            misfit = (
                f"WIDTH must be a multiple of {step}, for {GROUPS} groups of a quarter of it, got"
                f" {self.width}; the nearest that fit are {near}"
            )
        if self.patch % 4:
            misfit = f"PATCH must be a multiple of 4, got {self.patch}"
        if misfit:
            raise SpecError(f"network {str(self)!r}: {misfit}")

    def check(self, grid: Grid, num_channels: PositiveInt) -> None:
        """Refuse one dimension, and grids that cannot be cut into patches.

        Raises
        ------
        SpecError
            In 1D, and if ``PATCH`` does not divide the number of points along each axis.
        """
        if grid.num_spatial_dims == 1:
            raise SpecError(
                f"network {str(self)!r}: attends along each of several axes, and the grid has one;"
                " Trans is the transformer in 1D"
            )
        for points in grid.shape:
            misfit = misfit_of_patches(points, self.patch)
            if misfit:
                raise SpecError(f"network {str(self)!r}: {misfit} (PATCH)")

    def build_between(
        self, grid: Grid, in_channels: PositiveInt, out_channels: PositiveInt, key: PRNGKeyArray
    ) -> "AxialTransformer":
        """Return the network; how the key is split says :class:`AxialTransformer`."""
        return AxialTransformer(
            grid,
            in_channels,
            out_channels,
            width=self.width,
            num_heads=self.heads,
            num_blocks=self.blocks,
            patch=self.patch,
            key=key,
        )


class AxialBlock(Layer):
    """``x + γ · (output(Σ attention along an axis) + mlp)``, all of one normalized projection.

    One matrix gives queries, keys, values and the hidden layer of the perceptron, which is four
    times as wide; queries and keys are normalized within each head.

    Parameters
    ----------
    space, channels, num_heads
        Sizes; the heads share the channels evenly.
    key
        Split in three: projection, output, perceptron.

    References
    ----------
    Ho et al. (2019), "Axial Attention in Multidimensional Transformers", arXiv 1912.12180.
    """

    norm: ChannelNorm
    projection: Pointwise
    query_norm: ChannelNorm
    key_norm: ChannelNorm
    output: Pointwise
    contract: Pointwise
    scale: Float[Array, " channel"]
    num_heads: int = eqx.field(static=True)

    def __init__(self, space: Space, channels: int, *, num_heads: int, key: PRNGKeyArray) -> None:
        projection_key, output_key, contract_key = jax.random.split(key, 3)
        self.norm = ChannelNorm(channels, use_bias=False)
        self.projection = Pointwise(space, channels, 7 * channels, key=projection_key)
        self.query_norm = ChannelNorm(channels // num_heads, use_bias=False)
        self.key_norm = ChannelNorm(channels // num_heads, use_bias=False)
        self.output = Pointwise(space, channels, channels, key=output_key)
        self.contract = Pointwise(space, 4 * channels, channels, key=contract_key)
        self.scale = jnp.full(channels, FIRST_SCALE)
        self.num_heads = num_heads

    @property
    def reach(self) -> Reach:
        """Everything."""
        return UNBOUNDED

    def __call__(
        self, x: Float[Array, "channel batch *space"]
    ) -> Float[Array, "channel batch *space"]:
        """Return the block's output for a batch."""
        size = x.shape[0]
        parts = self.projection(self.norm(x))
        queries, keys, values = (
            split_heads(parts[start : start + size], self.num_heads)
            for start in (0, size, 2 * size)
        )
        queries = _each_head(self.query_norm, queries)
        keys = _each_head(self.key_norm, keys)
        lines = (attend(queries, keys, values, axis=axis) for axis in range(x.ndim - 2))
        seen = functools.reduce(operator.add, lines)
        hidden = activate("exact_gelu", parts[3 * size :])
        change = self.output(seen.reshape(x.shape)) + self.contract(hidden)
        return x + self.scale.reshape(-1, *(1,) * (x.ndim - 1)) * change


def _each_head(norm: ChannelNorm, x: Float[Array, "head size batch *space"]) -> Array:
    """Return each head's channels normalized."""
    return jnp.moveaxis(norm(jnp.moveaxis(x, 1, 0)), 0, 1)


class AxialTransformer(Network):
    """The network that ``AViT;…`` builds.

    Parameters
    ----------
    grid
        The grid of the states.
    in_channels, out_channels
        Channels of input and output.
    width
        Channels of a token.
    num_heads, num_blocks
        Sizes.
    patch
        Points of a patch along each axis, a multiple of four.
    key
        Split in four: three convolutions in, positions, blocks, three convolutions out. Parts of
        several are split once, one part each.
    """

    down: tuple[Patch, Patch, Patch]
    down_norms: tuple[GroupNorm, GroupNorm, GroupNorm]
    places: Float[Array, "channel *tokens"]
    blocks: tuple[AxialBlock, ...]
    up: tuple[Unpatch, Unpatch, Unpatch]
    up_norms: tuple[GroupNorm, GroupNorm]
    shape: tuple[int, ...] = eqx.field(static=True)

    def __init__(
        self,
        grid: Grid,
        in_channels: int,
        out_channels: int,
        *,
        width: int,
        num_heads: int,
        num_blocks: int,
        patch: int,
        key: PRNGKeyArray,
    ) -> None:
        down_key, place_key, key, up_key = jax.random.split(key, 4)
        space, narrow = Space(grid.num_spatial_dims), width // 4
        sizes = (patch // 4, 2, 2)
        widths = (in_channels, narrow, narrow, width)
        self.down = tuple(  # type: ignore[assignment]
            Patch(space, *widths[place : place + 2], size=size, use_bias=False, key=own)
            for place, (size, own) in enumerate(
                zip(sizes, jax.random.split(down_key, 3), strict=True)
            )
        )
        self.down_norms = tuple(GroupNorm(size, num_groups=GROUPS) for size in widths[1:])  # type: ignore[assignment]
        tokens = tuple(points // patch for points in grid.shape)
        self.places = PLACE_SCALE * jax.random.normal(place_key, (width, *tokens))
        self.blocks = tuple(
            AxialBlock(space, width, num_heads=num_heads, key=own)
            for own in jax.random.split(key, num_blocks)
        )
        widths = (width, narrow, narrow, out_channels)
        self.up = tuple(  # type: ignore[assignment]
            Unpatch(space, *widths[place : place + 2], size=size, use_bias=False, key=own)
            for place, (size, own) in enumerate(
                zip(reversed(sizes), jax.random.split(up_key, 3), strict=True)
            )
        )
        self.up_norms = tuple(GroupNorm(narrow, num_groups=GROUPS) for _ in range(2))  # type: ignore[assignment]
        self.shape = grid.shape

    def batched(self, states: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the network's output for every state of a batch.

        Raises
        ------
        ShapeError
            If the states are not of the grid that the network was built for.
        """
        if states.shape[2:] != self.shape:
            raise ShapeError(
                f"this AViT works on a grid of {self.shape} points, got {states.shape[2:]};"
                " build one for the other grid"
            )
        for place, (patch, norm) in enumerate(zip(self.down, self.down_norms, strict=True)):
            states = activate("exact_gelu", states) if place else states
            states = norm(patch(states))
        states = states + self.places[:, None]
        for block in self.blocks:
            states = computed_once(block(states))
        for unpatch, norm in zip(self.up, self.up_norms, strict=False):
            states = activate("exact_gelu", norm(unpatch(states)))
        return self.up[-1](states)
