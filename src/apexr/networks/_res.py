"""Residual networks: classic, pre-activated, dilated."""

from functools import partial
from typing import Any

from jaxtyping import PRNGKeyArray

from apexr._grammar import Layers, PositiveInt
from apexr.errors import SpecError
from apexr.networks._base import MakeLayer, Space
from apexr.networks._blocks import DilatedBlock, PreactivationBlock, ResidualBlock
from apexr.networks._generic import Sequential
from apexr.networks._kind import Activation, ChannelsSpec, network
from apexr.spectral import Grid


def _sequential(
    spec: Any, block: MakeLayer, grid: Grid, channels: tuple[int, int], key: PRNGKeyArray
) -> Sequential:
    """Return ``BLOCKS`` periodic blocks of equal width."""
    widths = (spec.hidden_channels,) * (spec.blocks + 1)
    space = Space(grid.num_spatial_dims)
    return Sequential(space, *channels, widths=widths, block=block, key=key)


@network("Res")
class Res(ChannelsSpec):
    """Res;HIDDEN_CHANNELS;BLOCKS;ACTIVATION - residual network.

    Each block is ``act(conv₂(act(conv₁(x))) + x)``, between a pointwise lifting and a pointwise
    projection.

    References
    ----------
    He et al. (2016), "Deep Residual Learning for Image Recognition", CVPR; without norm.
    """

    hidden_channels: PositiveInt
    blocks: Layers
    activation: Activation

    def build_between(
        self, grid: Grid, in_channels: PositiveInt, out_channels: PositiveInt, key: PRNGKeyArray
    ) -> Sequential:
        """Return the network; the key is split before each part, lifting first."""
        block = partial(ResidualBlock, activation=self.activation)
        return _sequential(self, block, grid, (in_channels, out_channels), key)


@network("MoRes")
class MoRes(ChannelsSpec):
    """MoRes;HIDDEN_CHANNELS;BLOCKS;ACTIVATION - residual network with norm and activation first.

    Each block is ``conv₂(act(norm₂(conv₁(act(norm₁(x)))))) + x``, between a pointwise lifting
    and a pointwise projection.

    References
    ----------
    He et al. (2016), "Identity Mappings in Deep Residual Networks", ECCV; with group norm.
    """

    hidden_channels: PositiveInt
    blocks: Layers
    activation: Activation

    def build_between(
        self, grid: Grid, in_channels: PositiveInt, out_channels: PositiveInt, key: PRNGKeyArray
    ) -> Sequential:
        """Return the network; the key is split before each part, lifting first."""
        block = partial(PreactivationBlock, activation=self.activation)
        return _sequential(self, block, grid, (in_channels, out_channels), key)


@network("Dil")
class Dil(ChannelsSpec):
    """Dil;DILATION_DEPTH;HIDDEN_CHANNELS;BLOCKS;ACTIVATION - residual network of dilated blocks.

    Each block has the dilation rates 1, 2, 4, …, 2^DILATION_DEPTH, …, 4, 2, 1, between a
    pointwise lifting and a pointwise projection.

    References
    ----------
    Stachenfeld et al. (2022), "Learned Simulators for Turbulence", ICLR; with group norm.
    """

    dilation_depth: Layers
    hidden_channels: PositiveInt
    blocks: Layers
    activation: Activation

    def check(self, grid: Grid, num_channels: PositiveInt) -> None:
        """Refuse dilation rates beyond the grid.

        Raises
        ------
        SpecError
            If ``2**DILATION_DEPTH`` exceeds the number of points along an axis.
        """
        points = min(grid.shape)
        most = points.bit_length() - 1
        if self.dilation_depth > most:
            raise SpecError(
                f"network {str(self)!r}: DILATION_DEPTH must be at most {most} on"
                f" {points} points along an axis, got {self.dilation_depth}; the nearest number"
                f" of points that fits is 2**{self.dilation_depth}"
            )

    def build_between(
        self, grid: Grid, in_channels: PositiveInt, out_channels: PositiveInt, key: PRNGKeyArray
    ) -> Sequential:
        """Return the network; the key is split before each part, lifting first."""
        rising = tuple(2**power for power in range(self.dilation_depth))
        rates = (*rising, 2**self.dilation_depth, *reversed(rising))
        block = partial(DilatedBlock, rates=rates, activation=self.activation)
        return _sequential(self, block, grid, (in_channels, out_channels), key)
