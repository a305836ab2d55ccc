"""The Fourier neural operator."""

from functools import partial

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Layers, PositiveInt
from apexr.errors import SpecError
from apexr.networks._activations import activate
from apexr.networks._base import Layer, Reach, Space, total_reach
from apexr.networks._generic import Sequential
from apexr.networks._kind import Activation, ChannelsSpec, network
from apexr.networks._layers import Pointwise
from apexr.networks._spectral import SpectralConv
from apexr.spectral import Grid


@network("FNO")
class FNO(ChannelsSpec):
    """FNO;MODES;HIDDEN_CHANNELS;BLOCKS;ACTIVATION - Fourier neural operator.

    Each block is ``act(spectral(x) + pointwise(x))``, the last one included, between a
    pointwise lifting and a pointwise projection.

    References
    ----------
    Li et al. (2021), "Fourier Neural Operator for Parametric Partial Differential Equations",
    ICLR.
    """

    modes: PositiveInt
    hidden_channels: PositiveInt
    blocks: Layers
    activation: Activation

    def check(self, grid: Grid, num_channels: PositiveInt) -> None:
        """Refuse more modes than the grid has.

        Raises
        ------
        SpecError
            If ``MODES`` exceeds ``num_points // 2 + 1`` (1D) or ``num_points // 2`` of the axis
            with the fewest points.
        """
        on_a_line = grid.num_spatial_dims == 1
        points = min(grid.shape)
        most = points // 2 + on_a_line
        if self.modes > most:
            raise SpecError(
                f"network {str(self)!r}: MODES must be at most {most} on {points} points along"
                f" an axis in {grid.num_spatial_dims}D, got {self.modes}; the nearest number of"
                f" points that fits is {2 * (self.modes - on_a_line)}"
            )

    def build_between(
        self, grid: Grid, in_channels: PositiveInt, out_channels: PositiveInt, key: PRNGKeyArray
    ) -> Sequential:
        """Return the network; the key is split before each part, lifting first."""
        return Sequential(
            Space(grid.num_spatial_dims),
            in_channels,
            out_channels,
            widths=(self.hidden_channels,) * (self.blocks + 1),
            block=partial(SpectralBlock, modes=self.modes, activation=self.activation),
            key=key,
        )


class SpectralBlock(Layer):
    """``act(spectral(x) + pointwise(x))``, on periodic grids alone.

    Parameters
    ----------
    space, in_channels, out_channels
        As for :class:`Sequential`; the channels must not change.
    modes
        Modes that are kept, see :class:`SpectralConv`.
    activation
        Name of a registered activation.
    key
        Split in two: spectral, pointwise.

    Raises
    ------
    SpecError
        If the channels change, or the boundary is not periodic.
    """

    spectral: SpectralConv
    pointwise: Pointwise
    activation: str = eqx.field(static=True)

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        modes: int,
        activation: str = "gelu",
        key: PRNGKeyArray,
    ) -> None:
        if in_channels != out_channels:
            raise SpecError(
                f"a spectral block keeps its channels, got {in_channels} and {out_channels};"
                " give equal widths"
            )
        if space.boundary != "periodic":
            raise SpecError(f"a spectral block needs a periodic boundary, got {space.boundary!r}")
        spectral_key, pointwise_key = jax.random.split(key)
        self.spectral = SpectralConv(space.num_spatial_dims, in_channels, modes, key=spectral_key)
        self.pointwise = Pointwise(space, in_channels, out_channels, key=pointwise_key)
        self.activation = activation

    @property
    def reach(self) -> Reach:
        """Everything."""
        return total_reach((self.spectral,))

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the block's output for a batch."""
        return activate(self.activation, self.spectral(x) + self.pointwise(x))
