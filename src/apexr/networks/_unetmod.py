"""The modern U-Net of PDEArena."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import PositiveInt, SomeLayers
from apexr.errors import SpecError
from apexr.kernels import upsample
from apexr.networks._activations import activate
from apexr.networks._attention import attend
from apexr.networks._base import (
    UNBOUNDED,
    Layer,
    Reach,
    Space,
    add_bias,
    check_fits,
    draw_weights,
    total_reach,
)
from apexr.networks._blocks import bypass
from apexr.networks._generic import check_grid_halves, require_halves
from apexr.networks._kind import Activation, ChannelsSpec, Network, network
from apexr.networks._layers import Convolution, GroupNorm, Pointwise
from apexr.spectral import Grid

GROUPS = 8
"""Groups of the last norm; all others have one."""


@network("UNetMod")
class UNetMod(ChannelsSpec):
    """UNetMod[;WIDTH][;MULTIPLIERS][;BLOCKS][;ACTIVATION] - U-Net of PDEArena with attention.

    Residual blocks with group norm on ever coarser grids and back, and attention over all points
    of the coarsest one. ``MULTIPLIERS``, as ``1,2,2,4``, say by how much the channels grow on each
    grid; between two of them the grid is halved. ``BLOCKS`` blocks on each grid on the way down,
    one more on the way up: each of these gets what one part of the way down gave.

    References
    ----------
    Gupta and Brandstetter (2023), "Toward Multi-spatiotemporal-scale Generalized PDE Modeling",
    TMLR; ``Unetmodattn-64`` of PDEArena (``modules/twod_unet.py``), with 64, the other numbers
    being the defaults.
    """

    width: PositiveInt = 16
    multipliers: tuple[int, ...] = (1, 2, 2, 4)
    blocks: SomeLayers = 2
    activation: Activation = "exact_gelu"

    def __post_init__(self) -> None:
        if self.width % GROUPS:
            below = self.width // GROUPS * GROUPS
            near = " and ".join(str(size) for size in (below, below + GROUPS) if size)
            raise SpecError(
                f"network {str(self)!r}: WIDTH must be a multiple of {GROUPS}, for as many groups,"
                f" got {self.width}; the nearest that fit are {near}"
            )
        if not self.multipliers or min(self.multipliers) < 1:
            raise SpecError(
                f"network {str(self)!r}: MULTIPLIERS must be at least 1 each, as 1,2,2,4"
            )

    def check(self, grid: Grid, num_channels: PositiveInt) -> None:
        """Refuse grids that cannot be halved between all ``MULTIPLIERS``.

        Raises
        ------
        SpecError
            Naming the nearest numbers of points that can.
        """
        check_grid_halves(self, grid, len(self.multipliers) - 1, "MULTIPLIERS")

    def build_between(
        self, grid: Grid, in_channels: PositiveInt, out_channels: PositiveInt, key: PRNGKeyArray
    ) -> "ModernUNet":
        """Return the network; how the key is split says :class:`ModernUNet`."""
        return ModernUNet(
            Space(grid.num_spatial_dims),
            in_channels,
            out_channels,
            width=self.width,
            multipliers=self.multipliers,
            num_blocks=self.blocks,
            activation=self.activation,
            key=key,
        )


class NormedBlock(Layer):
    """``conv₂(act(norm₂(conv₁(act(norm₁(x)))))) + shortcut(x)``.

    Where the channels differ, the shortcut is a pointwise layer; otherwise it is the input.

    Parameters
    ----------
    space, in_channels, out_channels, activation
        As for :class:`DoubleConvBlock`.
    key
        Split in three: first and second convolution, shortcut.
    """

    norms: tuple[GroupNorm, GroupNorm]
    convolutions: tuple[Convolution, Convolution]
    shortcut: Pointwise | None
    activation: str = eqx.field(static=True)

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        activation: str = "exact_gelu",
        key: PRNGKeyArray,
    ) -> None:
        first, second, last = jax.random.split(key, 3)
        self.norms = (GroupNorm(in_channels), GroupNorm(out_channels))
        self.convolutions = (
            Convolution(space, in_channels, out_channels, key=first),
            Convolution(space, out_channels, out_channels, key=second),
        )
        self.shortcut = bypass(space, in_channels, out_channels, use_bias=True, key=last)
        self.activation = activation

    @property
    def reach(self) -> Reach:
        """That of both convolutions."""
        return total_reach(self.convolutions)

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the block's output for a batch."""
        change = x
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            change = convolution(activate(self.activation, norm(change)))
        return change + (x if self.shortcut is None else self.shortcut(x))


class SpaceAttention(Layer):
    """``x + output(attention(x))`` over all points, with one head and no positions.

    As in the published layer, the weights of each key add up to one over the queries, and the norm
    that it holds is not applied; it is here so that sizes agree.

    Parameters
    ----------
    space, channels
        Where it works and how many channels it keeps.
    key
        Split in two: queries, keys and values; output.
    """

    norm: GroupNorm
    projection: Pointwise
    output: Pointwise

    def __init__(self, space: Space, channels: int, *, key: PRNGKeyArray) -> None:
        projection_key, output_key = jax.random.split(key)
        self.norm = GroupNorm(channels)
        self.projection = Pointwise(space, channels, 3 * channels, key=projection_key)
        self.output = Pointwise(space, channels, channels, key=output_key)

    @property
    def reach(self) -> Reach:
        """Everything."""
        return UNBOUNDED

    def __call__(
        self, x: Float[Array, "channel batch *space"]
    ) -> Float[Array, "channel batch *space"]:
        """Return the layer's output for a batch."""
        flat = self.projection(x).reshape(3, 1, x.shape[0], x.shape[1], -1)
        seen = attend(flat[0], flat[1], flat[2], over="queries")
        return x + self.output(seen.reshape(x.shape))


class Doubling(Layer):
    """A transposed convolution of four taps that doubles the points along each axis.

    ``y(2j) = w₁ xⱼ + w₃ xⱼ₋₁`` and ``y(2j+1) = w₂ xⱼ + w₀ xⱼ₊₁`` along each axis.

    Parameters
    ----------
    space, channels
        Where it works and how many channels it keeps.
    key
        As for :class:`Convolution`.
    """

    weight: Float[Array, "out in *kernel"]
    bias: Float[Array, "out *ones"] | None
    boundary: str = eqx.field(static=True)

    def __init__(self, space: Space, channels: int, *, key: PRNGKeyArray) -> None:
        kernel = (4,) * space.num_spatial_dims
        self.weight, self.bias = draw_weights(key, channels, channels, kernel)
        self.boundary = space.boundary

    @property
    def reach(self) -> Reach:
        """One point of the coarse grid."""
        return 1, 1

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space_out"]:
        """Return the batch on the finer grid."""
        check_fits(x, self.weight.shape[1], self.weight.ndim - 2)
        return add_bias(upsample(x, self.weight, self.boundary), self.bias)


class ModernUNet(Network):
    """The network that ``UNetMod;…`` builds.

    Parameters
    ----------
    space, in_channels, out_channels
        As for :class:`Sequential`.
    width
        Channels after the lifting.
    multipliers
        By how much the channels grow on each grid.
    num_blocks
        Blocks on each grid on the way down; on the way up there is one more.
    activation
        Name of a registered activation.
    key
        Split in six: lifting, way down, first block, attention and second block at the bottom,
        way up; the last is split in two: blocks, projection. The ways are split once, one part a
        block or resampling in order.
    """

    lifting: Convolution
    down: tuple[NormedBlock | Convolution, ...]
    bottom: tuple[NormedBlock, SpaceAttention, NormedBlock]
    up: tuple[NormedBlock | Doubling, ...]
    norm: GroupNorm
    projection: Convolution
    activation: str = eqx.field(static=True)

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        width: int,
        multipliers: tuple[int, ...],
        num_blocks: int,
        activation: str = "exact_gelu",
        key: PRNGKeyArray,
    ) -> None:
        lifting_key, down_key, *bottom_keys, up_key = jax.random.split(key, 6)
        up_key, projection_key = jax.random.split(up_key)
        grids, most = len(multipliers), (num_blocks + 2) * len(multipliers)
        keys = iter(jax.random.split(down_key, most))

        def block(first: int, last: int) -> NormedBlock:
            return NormedBlock(space, first, last, activation=activation, key=next(keys))

        down: list[NormedBlock | Convolution] = []
        channels = width
        for place, multiplier in enumerate(multipliers):
            grown = channels * multiplier
            for number in range(num_blocks):
                down.append(block(channels if number == 0 else grown, grown))
            channels = grown
            if place < grids - 1:
                down.append(Convolution(space, channels, channels, stride=2, key=next(keys)))
        self.down = tuple(down)
        keys = iter(bottom_keys)
        first = block(channels, channels)
        attention = SpaceAttention(space, channels, key=next(keys))
        self.bottom = (first, attention, block(channels, channels))
        keys = iter(jax.random.split(up_key, most))
        up: list[NormedBlock | Doubling] = []
        for place, multiplier in reversed(list(enumerate(multipliers))):
            up += [block(2 * channels, channels) for _ in range(num_blocks)]
            shrunk = channels // multiplier
            up.append(block(channels + shrunk, shrunk))
            channels = shrunk
            if place > 0:
                up.append(Doubling(space, channels, key=next(keys)))
        self.up = tuple(up)
        self.lifting = Convolution(space, in_channels, width, key=lifting_key)
        self.norm = GroupNorm(width, num_groups=GROUPS)
        self.projection = Convolution(space, width, out_channels, key=projection_key)
        self.activation = activation

    def batched(self, states: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the network's output for every state of a batch.

        Raises
        ------
        ShapeError
            If an axis cannot be halved so often.
        """
        halvings = sum(isinstance(part, Convolution) for part in self.down)
        require_halves(states.shape[2:], halvings, "this UNetMod")
        states = self.lifting(states)
        skips = [states]
        for part in self.down:
            states = part(states)
            skips.append(states)
        for middle in self.bottom:
            states = middle(states)
        for last in self.up:
            if isinstance(last, NormedBlock):
                states = jnp.concatenate([states, skips.pop()], axis=0)
            states = last(states)
        return self.projection(activate(self.activation, self.norm(states)))
