"""The Fourier neural operator with weights an axis each."""

import math

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import PositiveInt, SomeLayers
from apexr.errors import SpecError
from apexr.kernels import computed_once
from apexr.networks._base import UNBOUNDED, Layer, Reach, Space, check_fits
from apexr.networks._kind import ChannelsSpec, Network, network
from apexr.networks._layers import Pointwise, PointwiseMLP
from apexr.networks._lines import mix_lines
from apexr.networks._operators import require_periodic
from apexr.spectral import Grid

HIDDEN = 128
"""Channels between the two layers of the projection."""


@network("FFNO")
class FFNO(ChannelsSpec):
    """FFNO[;MODES][;WIDTH][;BLOCKS][;EXPANSION] - factorized Fourier neural operator.

    Each block is ``mlp(Σ spectral(x) along an axis)``, with a perceptron of one hidden layer,
    ``EXPANSION`` times as wide, and is added to its input; the projection gets what the last block
    gives alone. ``MODES`` waves are kept along each axis, from the constant on.

    References
    ----------
    Tran et al. (2023), "Factorized Fourier Neural Operators", ICLR, arXiv 2111.13802, eqs. 6 to
    9; ``FNOFactorized2DBlock`` of its code (``modules/factorized_fno/grid_2d.py``), without
    shared weights and weight norm, 16, 64, 4 and 4 in its experiments.
    """

    modes: PositiveInt = 16
    width: PositiveInt = 64
    blocks: SomeLayers = 4
    expansion: PositiveInt = 4

    def check(self, grid: Grid, num_channels: PositiveInt) -> None:
        """Refuse more modes than the grid has.

        Raises
        ------
        SpecError
            If ``MODES`` exceeds ``num_points // 2 + 1`` of the axis with the fewest points.
        """
        points = min(grid.shape)
        if self.modes > points // 2 + 1:
            raise SpecError(
                f"network {str(self)!r}: MODES must be at most {points // 2 + 1} on {points} points"
                f" along an axis, got {self.modes}; the nearest number of points that fits is"
                f" {2 * (self.modes - 1)}"
            )

    def build_between(
        self, grid: Grid, in_channels: PositiveInt, out_channels: PositiveInt, key: PRNGKeyArray
    ) -> "FactorizedOperator":
        """Return the network; how the key is split says :class:`FactorizedOperator`."""
        return FactorizedOperator(
            Space(grid.num_spatial_dims),
            in_channels,
            out_channels,
            modes=self.modes,
            width=self.width,
            num_blocks=self.blocks,
            expansion=self.expansion,
            key=key,
        )


class LineBlock(Layer):
    """``mlp(Σ spectral(x) along an axis)``, on periodic grids alone.

    Parameters
    ----------
    space, channels
        Where it works and how many channels it keeps.
    modes
        Waves that are kept along each axis, from the constant on.
    expansion
        How many times wider the hidden layer is.
    key
        Split in three: real parts, imaginary parts, perceptron. The weights are normal with
        deviation ``1/√(2 modes channels)``.
    """

    real: Float[Array, "axis out in mode"]
    imag: Float[Array, "axis out in mode"]
    mlp: PointwiseMLP

    def __init__(
        self, space: Space, channels: int, *, modes: int, expansion: int, key: PRNGKeyArray
    ) -> None:
        require_periodic(space, "a spectral convolution")
        real_key, imag_key, mlp_key = jax.random.split(key, 3)
        shape = (space.num_spatial_dims, channels, channels, modes)
        deviation = 1 / math.sqrt(2 * modes * channels)
        self.real = deviation * jax.random.normal(real_key, shape)
        self.imag = deviation * jax.random.normal(imag_key, shape)
        self.mlp = PointwiseMLP(
            space,
            channels,
            channels,
            widths=(expansion * channels,),
            activation="relu",
            key=mlp_key,
        )

    @property
    def reach(self) -> Reach:
        """Everything."""
        return UNBOUNDED

    def __call__(
        self, x: Float[Array, "channel batch *space"]
    ) -> Float[Array, "channel batch *space"]:
        """Return the block's output for a batch."""
        check_fits(x, self.real.shape[1], len(self.real))
        mixed = (
            mix_lines(x, self.real[axis], self.imag[axis], axis=axis) for axis in range(x.ndim - 2)
        )
        return self.mlp(sum(mixed, start=next(mixed)))


class FactorizedOperator(Network):
    """The network that ``FFNO;…`` builds.

    Parameters
    ----------
    space, in_channels, out_channels
        As for :class:`Sequential`.
    modes, expansion
        As for :class:`LineBlock`.
    width, num_blocks
        Channels of the blocks and how many there are.
    key
        Split in three: lifting, blocks, projection. That of the blocks is split once.
    """

    lifting: Pointwise
    blocks: tuple[LineBlock, ...]
    projection: PointwiseMLP

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        modes: int,
        width: int,
        num_blocks: int,
        expansion: int,
        key: PRNGKeyArray,
    ) -> None:
        lifting_key, key, projection_key = jax.random.split(key, 3)
        self.lifting = Pointwise(space, in_channels, width, key=lifting_key)
        self.blocks = tuple(
            LineBlock(space, width, modes=modes, expansion=expansion, key=own)
            for own in jax.random.split(key, num_blocks)
        )
        self.projection = PointwiseMLP(
            space,
            width,
            out_channels,
            widths=(HIDDEN,),
            activation="identity",
            key=projection_key,
        )

    def batched(self, states: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the network's output for every state of a batch."""
        states = self.lifting(states)
        for block in self.blocks[:-1]:
            states = computed_once(states + block(states))
        return self.projection(self.blocks[-1](states))
