"""The U-Net of ConvNeXt blocks."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Layers, PositiveInt
from apexr.kernels import computed_once
from apexr.networks._activations import activate
from apexr.networks._base import Layer, Reach, Space, total_reach
from apexr.networks._depthwise import DepthwiseConvolution
from apexr.networks._generic import check_grid_halves, require_halves
from apexr.networks._kind import ChannelsSpec, Network, network
from apexr.networks._layers import ChannelNorm, Convolution, Pointwise
from apexr.networks._patches import Patch, Unpatch
from apexr.spectral import Grid

EPSILON = 1e-6
FIRST_SCALE = 1e-6
"""Initial factor of the change that a block makes."""


@network("CNeXt")
class CNeXt(ChannelsSpec):
    """CNeXt[;WIDTH][;STAGES][;BLOCKS] - U-Net of ConvNeXt blocks, as in The Well.

    ``BLOCKS`` blocks on each of ``STAGES`` grids on the way down, one at the bottom, and
    ``BLOCKS`` on each grid on the way up. Each stage halves the grid and doubles the channels;
    what the way down had on a grid joins the way up there, save on the finest one.

    References
    ----------
    Ohana et al. (2024), "The Well: a Large-Scale Collection of Diverse Physics Simulations for
    Machine Learning", NeurIPS; ``UNetConvNext`` of the package ``the_well`` 1.2.0, with 42, 4
    and 2 in its benchmark. Liu et al. (2022), "A ConvNet for the 2020s", CVPR.
    """

    width: PositiveInt = 42
    stages: Layers = 4
    blocks: Layers = 2

    def check(self, grid: Grid, num_channels: PositiveInt) -> None:
        """Refuse grids that cannot be halved ``STAGES`` times.

        Raises
        ------
        SpecError
            If ``2**STAGES`` does not divide the number of points along each axis.
        """
        check_grid_halves(self, grid, self.stages, "STAGES")

    def build_between(
        self, grid: Grid, in_channels: PositiveInt, out_channels: PositiveInt, key: PRNGKeyArray
    ) -> "ConvNeXtUNet":
        """Return the network; how the key is split says :class:`ConvNeXtUNet`."""
        return ConvNeXtUNet(
            Space(grid.num_spatial_dims),
            in_channels,
            out_channels,
            width=self.width,
            num_stages=self.stages,
            num_blocks=self.blocks,
            key=key,
        )


class ConvNeXtBlock(Layer):
    """``x + γ · contract(gelu(expand(norm(depthwise(x)))))``.

    The kernel of the depthwise convolution has seven points along each axis; the pointwise layers
    go to four times the channels and back.

    Parameters
    ----------
    space, channels
        Where it works and how many channels it keeps.
    key
        Split in three: depthwise, expand, contract.

    References
    ----------
    Liu et al. (2022), "A ConvNet for the 2020s", CVPR, figure 4.
    """

    depthwise: DepthwiseConvolution
    norm: ChannelNorm
    expand: Pointwise
    contract: Pointwise
    scale: Float[Array, " channel"]

    def __init__(self, space: Space, channels: int, *, key: PRNGKeyArray) -> None:
        depthwise_key, expand_key, contract_key = jax.random.split(key, 3)
        self.depthwise = DepthwiseConvolution(space, channels, key=depthwise_key)
        self.norm = ChannelNorm(channels, epsilon=EPSILON)
        self.expand = Pointwise(space, channels, 4 * channels, key=expand_key)
        self.contract = Pointwise(space, 4 * channels, channels, key=contract_key)
        self.scale = jnp.full(channels, FIRST_SCALE)

    @property
    def reach(self) -> Reach:
        """That of the depthwise convolution."""
        return self.depthwise.reach

    def __call__(
        self, x: Float[Array, "channel batch *space"]
    ) -> Float[Array, "channel batch *space"]:
        """Return the block's output for a batch."""
        wide = activate("exact_gelu", self.expand(self.norm(self.depthwise(x))))
        return x + self.scale.reshape(-1, *(1,) * (x.ndim - 1)) * self.contract(wide)


class UnitNorm(Layer):
    """Each point's channels over their Euclidean length, times ``γ`` of the channel.

    The published layer holds a ``β`` that it never adds; it is here so that sizes agree.
    """

    weight: Float[Array, " channel"]
    bias: Float[Array, " channel"]

    def __init__(self, channels: int) -> None:
        self.weight = jnp.ones(channels)
        self.bias = jnp.zeros(channels)

    @property
    def reach(self) -> Reach:
        """The point itself."""
        return 0, 0

    def __call__(
        self, x: Float[Array, "channel batch *space"]
    ) -> Float[Array, "channel batch *space"]:
        """Return the normalized batch."""
        squared = jnp.sum(jnp.square(x), 0)
        length = jax.lax.rsqrt(jnp.maximum(squared, EPSILON**2))
        return x * length * self.weight.reshape(-1, *(1,) * (x.ndim - 1))


class Stage(eqx.Module):
    """A stage of ``ConvNeXtUNet``, on one grid, down or up: join, blocks, norm, resample."""

    join: Pointwise | None
    blocks: tuple[ConvNeXtBlock, ...]
    norm: UnitNorm
    resample: Patch | Unpatch

    def __init__(
        self,
        space: Space,
        channels: int,
        *,
        up: bool,
        joins: bool,
        num_blocks: int,
        key: PRNGKeyArray,
    ) -> None:
        join_key, resample_key, *keys = jax.random.split(key, num_blocks + 2)
        self.join = Pointwise(space, 2 * channels, channels, key=join_key) if joins else None
        self.blocks = tuple(ConvNeXtBlock(space, channels, key=own) for own in keys)
        self.norm = UnitNorm(channels)
        if up:
            self.resample = Unpatch(space, channels, channels // 2, key=resample_key)
        else:
            self.resample = Patch(space, channels, 2 * channels, key=resample_key)

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space_out"]:
        """Return the stage's output for a batch."""
        if self.join is not None:
            x = self.join(x)
        for block in self.blocks:
            x = computed_once(block(x))
        return self.resample(self.norm(x))


class ConvNeXtUNet(Network):
    """The network that ``CNeXt;…`` builds.

    Parameters
    ----------
    space, in_channels, out_channels
        As for :class:`Sequential`.
    width
        Channels on the finest grid.
    num_stages
        How often the grid is halved.
    num_blocks
        Blocks of each stage on either way.
    key
        Split in four: lifting, bottom, projection, stages. The last is split in two for each
        stage: down, up. A stage's key is split in join, resampling and one part a block.
    """

    lifting: Convolution
    down: tuple[Stage, ...]
    bottom: ConvNeXtBlock
    up: tuple[Stage, ...]
    projection: Convolution

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        width: int,
        num_stages: int,
        num_blocks: int,
        key: PRNGKeyArray,
    ) -> None:
        lifting_key, bottom_key, projection_key, key = jax.random.split(key, 4)
        down, up = [], []
        for level in range(num_stages):
            key, down_key, up_key = jax.random.split(key, 3)
            fine, lowest = width * 2**level, level == num_stages - 1
            down.append(
                Stage(space, fine, up=False, joins=False, num_blocks=num_blocks, key=down_key)
            )
            up.append(
                Stage(space, 2 * fine, up=True, joins=not lowest, num_blocks=num_blocks, key=up_key)
            )
        self.lifting = Convolution(space, in_channels, width, key=lifting_key)
        self.down, self.up = tuple(down), tuple(reversed(up))
        self.bottom = ConvNeXtBlock(space, width * 2**num_stages, key=bottom_key)
        self.projection = Convolution(space, width, out_channels, key=projection_key)

    @property
    def reach(self) -> Reach:
        """That of all parts; a point of a coarse grid stands for two, of which either may ask."""
        back, forward = self.bottom.reach
        for down, up in zip(reversed(self.down), self.up, strict=True):
            blocks = total_reach(up.blocks)
            back, forward = 2 * (back + blocks[0]) + 1, 2 * (forward + blocks[1]) + 1
            blocks = total_reach(down.blocks)
            back, forward = back + blocks[0], forward + blocks[1]
        ends = total_reach((self.lifting, self.projection))
        return back + ends[0], forward + ends[1]

    def batched(self, states: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the network's output for every state of a batch.

        Raises
        ------
        ShapeError
            If an axis cannot be halved so often.
        """
        require_halves(states.shape[2:], len(self.down), "this CNeXt")
        states, skips = self.lifting(states), []
        for stage in self.down:
            skips.append(states)
            states = stage(states)
        states = self.bottom(states)
        for stage in self.up:
            if stage.join is not None:
                states = jnp.concatenate([states, skips.pop()], axis=0)
            states = stage(states)
        return self.projection(states)
