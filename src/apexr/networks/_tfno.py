"""The Fourier neural operator with factorized weights."""

from typing import Annotated

from jaxtyping import PRNGKeyArray

from apexr._grammar import Layers, PositiveInt, Range
from apexr.networks._base import Space
from apexr.networks._kind import ChannelsSpec, network
from apexr.networks._operators import OperatorBlock, OperatorNetwork, check_modes
from apexr.spectral import Grid


@network("TFNO")
class TFNO(ChannelsSpec):
    """TFNO[;MODES][;WIDTH][;BLOCKS][;RANK] - Fourier neural operator, Tucker-factorized.

    ``MODES`` counts the waves of both signs along each axis, ``-MODES/2`` to ``MODES/2 - 1``, and
    0 to ``MODES/2`` along the last; ``RANK`` is the share of the numbers that the factorization
    leaves. Each block is ``y = act(spectral(x) + skip(x))`` and ``act(mlp(y) + gate · x)``, the
    last one without the outer activations.

    References
    ----------
    Kossaifi et al. (2024), "Multi-Grid Tensorized Fourier Neural Operator for High-Resolution
    PDEs", TMLR; ``TFNO`` of the package ``neuraloperator`` 2.0.0 with
    ``positional_embedding=None``: coordinates would spoil the periodicity.
    """

    modes: PositiveInt = 16
    width: PositiveInt = 64
    blocks: Layers = 4
    rank: Annotated[float, Range(minimum=1e-6, maximum=1.0)] = 0.1

    def check(self, grid: Grid, num_channels: PositiveInt) -> None:
        """Refuse more modes than the grid has.

        Raises
        ------
        SpecError
            If ``MODES`` exceeds the number of points along an axis.
        """
        check_modes(self, grid)

    def build_between(
        self, grid: Grid, in_channels: PositiveInt, out_channels: PositiveInt, key: PRNGKeyArray
    ) -> OperatorNetwork:
        """Return the network; how the key is split says :class:`OperatorNetwork`."""
        space = Space(grid.num_spatial_dims)

        def block(number: int, own: PRNGKeyArray) -> OperatorBlock:
            return OperatorBlock(
                space,
                self.width,
                self.width,
                modes=self.modes,
                rank=self.rank,
                activated=number < self.blocks - 1,
                key=own,
            )

        return OperatorNetwork(
            space,
            in_channels,
            out_channels,
            width=self.width,
            num_blocks=self.blocks,
            block=block,
            key=key,
        )
