"""The U-shaped neural operator."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Layers, PositiveInt
from apexr.kernels import computed_once
from apexr.networks._base import Space
from apexr.networks._generic import check_grid_halves, require_halves
from apexr.networks._kind import ChannelsSpec, Network, network
from apexr.networks._layers import Pointwise, PointwiseMLP
from apexr.networks._operators import OperatorBlock, check_modes
from apexr.spectral import Grid


@network("UNO")
class UNO(ChannelsSpec):
    """UNO[;MODES][;WIDTH][;LEVELS] - U-shaped neural operator.

    Spectral blocks of which ``LEVELS`` give their output on half the grid with twice the channels,
    one works there, and as many come back; each on the way back gets what the way down had on its
    grid. Of a block, only the perceptron has an activation. ``MODES`` is counted as by ``TFNO``.

    References
    ----------
    Rahman et al. (2023), "U-NO: U-shaped Neural Operators", TMLR; ``UNO`` of the package
    ``neuraloperator`` 2.0.0 in the layout of its example for Darcy flow, with
    ``positional_embedding=None``, with the waves of each sign where they belong on the other grid,
    and with trigonometric interpolation between grids in 1D and 2D, as the package has it in 3D:
    its linear and cubic ones know no periodicity.
    """

    modes: PositiveInt = 8
    width: PositiveInt = 32
    levels: Layers = 1

    def check(self, grid: Grid, num_channels: PositiveInt) -> None:
        """Refuse grids that cannot be halved ``LEVELS`` times, or then have too few points.

        Raises
        ------
        SpecError
            If ``2**LEVELS`` does not divide the number of points along each axis, or ``MODES`` is
            not less than the points of the coarsest grid.
        """
        check_grid_halves(self, grid, self.levels, "LEVELS")
        check_modes(self, grid, halvings=self.levels)

    def build_between(
        self, grid: Grid, in_channels: PositiveInt, out_channels: PositiveInt, key: PRNGKeyArray
    ) -> "UShapedOperator":
        """Return the network; how the key is split says :class:`UShapedOperator`."""
        return UShapedOperator(
            Space(grid.num_spatial_dims),
            in_channels,
            out_channels,
            modes=self.modes,
            width=self.width,
            num_levels=self.levels,
            key=key,
        )


class UShapedOperator(Network):
    """The network that ``UNO;…`` builds.

    Parameters
    ----------
    space, in_channels, out_channels
        As for :class:`Sequential`.
    modes
        As for :class:`SpectralOperator`, on every grid.
    width
        Channels after the first block.
    num_levels
        How often the grid is halved.
    key
        Split in four: lifting, blocks, bridges, projection. Those of blocks and bridges are split
        once.
    """

    lifting: PointwiseMLP
    down: tuple[OperatorBlock, ...]
    bridges: tuple[Pointwise, ...]
    bottom: OperatorBlock
    up: tuple[OperatorBlock, ...]
    projection: PointwiseMLP

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        modes: int,
        width: int,
        num_levels: int,
        key: PRNGKeyArray,
    ) -> None:
        lifting_key, key, bridge_key, projection_key = jax.random.split(key, 4)
        keys = iter(jax.random.split(key, 2 * num_levels + 3))
        widths = [width * 2**level for level in range(num_levels + 1)]

        def block(first: int, last: int) -> OperatorBlock:
            return OperatorBlock(
                space, first, last, modes=modes, gated=False, activated=False, key=next(keys)
            )

        lifted = 2 * width
        self.lifting = PointwiseMLP(
            space, in_channels, lifted, widths=(8 * width,), key=lifting_key
        )
        self.down = tuple(map(block, (lifted, *widths), widths))
        self.bridges = tuple(
            Pointwise(space, size, size, use_bias=False, key=own)
            for size, own in zip(widths, jax.random.split(bridge_key, len(widths)), strict=True)
        )
        self.bottom = block(widths[-1], widths[-1])
        given = (widths[-1], *reversed(widths))
        self.up = tuple(
            block(below + size, size) for below, size in zip(given, reversed(widths), strict=False)
        )
        self.projection = PointwiseMLP(
            space, width, out_channels, widths=(2 * width,), key=projection_key
        )

    def batched(self, states: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the network's output for every state of a batch.

        Raises
        ------
        ShapeError
            If an axis cannot be halved so often.
        """
        levels, space = len(self.down) - 1, states.shape[2:]
        require_halves(space, levels, "this UNO")
        shapes = [tuple(points // 2**level for points in space) for level in range(levels + 1)]
        states, skips = self.lifting(states), []
        for block, bridge, shape in zip(self.down, self.bridges, shapes, strict=True):
            states = computed_once(block(states, shape))
            skips.append(bridge(states))
        states = self.bottom(states)
        targets = (*reversed(shapes[:-1]), shapes[0])
        for block, shape in zip(self.up, targets, strict=True):
            both = jnp.concatenate([states, skips.pop()], axis=0)
            states = computed_once(block(both, shape))
        return self.projection(states)
