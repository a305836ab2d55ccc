"""U-shaped networks: classic, and with pre-activated residual blocks."""

from functools import partial
from typing import Any

from jaxtyping import PRNGKeyArray

from apexr._grammar import Layers, PositiveInt
from apexr.networks._base import MakeLayer, Space
from apexr.networks._blocks import DoubleConvBlock, PreactivationBlock
from apexr.networks._generic import Hierarchical, check_grid_halves
from apexr.networks._kind import Activation, ChannelsSpec, network
from apexr.spectral import Grid


def _hierarchical(
    spec: Any,
    block: MakeLayer,
    grid: Grid,
    channels: tuple[int, int],
    key: PRNGKeyArray,
    num_blocks: int = 1,
) -> Hierarchical:
    """Return ``LEVELS`` periodic levels, each twice as wide as the one above."""
    return Hierarchical(
        Space(grid.num_spatial_dims),
        *channels,
        widths=tuple(spec.hidden_channels * 2**level for level in range(spec.levels + 1)),
        num_blocks=num_blocks,
        block=block,
        key=key,
    )


@network("UNet")
class UNet(ChannelsSpec):
    """UNet;HIDDEN_CHANNELS;LEVELS;ACTIVATION - convolutions on ever coarser grids and back.

    Each level has twice the channels on half the grid; its block is ``act(norm(conv(x)))``,
    twice. A pointwise projection ends it.

    References
    ----------
    Ronneberger et al. (2015), "U-Net: Convolutional Networks for Biomedical Image
    Segmentation", MICCAI; with group norm.
    """

    hidden_channels: PositiveInt
    levels: Layers
    activation: Activation

    def check(self, grid: Grid, num_channels: PositiveInt) -> None:
        """Refuse grids that cannot be halved ``LEVELS`` times.

        Raises
        ------
        SpecError
            If ``2**LEVELS`` does not divide the number of points along each axis.
        """
        check_grid_halves(self, grid, self.levels, "LEVELS")

    def build_between(
        self, grid: Grid, in_channels: PositiveInt, out_channels: PositiveInt, key: PRNGKeyArray
    ) -> Hierarchical:
        """Return the network; how the key is split says :class:`Hierarchical`."""
        block = partial(DoubleConvBlock, activation=self.activation)
        return _hierarchical(self, block, grid, (in_channels, out_channels), key)


@network("MoUNet")
class MoUNet(ChannelsSpec):
    """MoUNet;HIDDEN_CHANNELS;LEVELS;ACTIVATION - U-Net of residual blocks with norm first.

    As ``UNet``, but with two blocks a level on either way, each
    ``conv₂(act(norm₂(conv₁(act(norm₁(x)))))) + x``.

    References
    ----------
    Gupta and Brandstetter (2023), "Toward Multi-spatiotemporal-scale Generalized PDE
    Modeling", TMLR.
    """

    hidden_channels: PositiveInt
    levels: Layers
    activation: Activation

    def check(self, grid: Grid, num_channels: PositiveInt) -> None:
        """Refuse grids that cannot be halved ``LEVELS`` times.

        Raises
        ------
        SpecError
            If ``2**LEVELS`` does not divide the number of points along each axis.
        """
        check_grid_halves(self, grid, self.levels, "LEVELS")

    def build_between(
        self, grid: Grid, in_channels: PositiveInt, out_channels: PositiveInt, key: PRNGKeyArray
    ) -> Hierarchical:
        """Return the network; how the key is split says :class:`Hierarchical`."""
        block = partial(PreactivationBlock, activation=self.activation)
        return _hierarchical(self, block, grid, (in_channels, out_channels), key, num_blocks=2)
