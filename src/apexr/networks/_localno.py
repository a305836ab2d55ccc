"""The Fourier neural operator with finite differences."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Layers, PositiveInt
from apexr.kernels import convolve
from apexr.networks._activations import activate
from apexr.networks._base import UNBOUNDED, Layer, Reach, Space, check_fits, draw_weights
from apexr.networks._kind import ChannelsSpec, network
from apexr.networks._layers import Pointwise
from apexr.networks._operators import ACTIVATION, OperatorNetwork, SpectralOperator, check_modes
from apexr.spectral import Grid


@network("LocalNO")
class LocalNO(ChannelsSpec):
    """LocalNO[;MODES][;WIDTH][;BLOCKS] - Fourier neural operator with finite differences.

    Each block is ``act(spectral(x) + differences(x) + skip(x))``, the last one without the
    activation. The differences are a convolution of three points an axis whose taps add up to
    zero, over the grid's spacing, in units of that of the training grid. ``MODES`` is counted as
    by ``TFNO``.

    References
    ----------
    Liu-Schiaffini et al. (2024), "Neural Operators with Localized Integral and Differential
    Kernels", ICML, eq. 6; ``LocalNO`` of the package ``neuraloperator`` 2.0.0 with
    ``disco_layers=False`` and ``positional_embedding=None``: coordinates would spoil the
    periodicity.
    """

    modes: PositiveInt = 16
    width: PositiveInt = 32
    blocks: Layers = 4

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

        def block(number: int, own: PRNGKeyArray) -> LocalBlock:
            return LocalBlock(
                space,
                self.width,
                self.width,
                modes=self.modes,
                num_points=grid.shape[-1],
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


class FiniteDifference(Layer):
    """A convolution of three points an axis that is zero on constant fields, over the spacing.

    Parameters
    ----------
    space, in_channels, out_channels
        As for :class:`Convolution`.
    num_points
        Points along the last axis of the grid on which the spacing is 1.
    key
        As for :class:`Convolution`.
    """

    weight: Float[Array, "out in *kernel"]
    boundary: str = eqx.field(static=True)
    num_points: int = eqx.field(static=True)

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        num_points: int,
        key: PRNGKeyArray,
    ) -> None:
        kernel = (3,) * space.num_spatial_dims
        self.weight, _ = draw_weights(key, in_channels, out_channels, kernel, use_bias=False)
        self.boundary = space.boundary
        self.num_points = num_points

    @property
    def reach(self) -> Reach:
        """One point."""
        return 1, 1

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the differences of a batch."""
        check_fits(x, self.weight.shape[1], self.weight.ndim - 2)
        space = tuple(range(2, x.ndim))
        middle = (slice(None), slice(None), *(1,) * len(space))
        kernel = self.weight.at[middle].add(-jnp.sum(self.weight, space))
        finer = x.shape[-1] / self.num_points
        return convolve(x, kernel * finer, boundary=self.boundary)


class LocalBlock(Layer):
    """``act(spectral(x) + differences(x) + skip(x))``, on periodic grids alone.

    Parameters
    ----------
    space, in_channels, out_channels, modes
        As for :class:`SpectralOperator`.
    num_points
        As for :class:`FiniteDifference`.
    activated
        Whether there is an activation.
    key
        Split in three: spectral, differences, skip.
    """

    spectral: SpectralOperator
    differences: FiniteDifference
    skip: Pointwise
    activated: bool = eqx.field(static=True)

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        modes: int,
        num_points: int,
        activated: bool = True,
        key: PRNGKeyArray,
    ) -> None:
        spectral_key, difference_key, skip_key = jax.random.split(key, 3)
        sizes = (space, in_channels, out_channels)
        self.spectral = SpectralOperator(*sizes, modes=modes, key=spectral_key)
        self.differences = FiniteDifference(*sizes, num_points=num_points, key=difference_key)
        self.skip = Pointwise(*sizes, use_bias=False, key=skip_key)
        self.activated = activated

    @property
    def reach(self) -> Reach:
        """Everything."""
        return UNBOUNDED

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the block's output for a batch."""
        y = self.spectral(x) + self.differences(x) + self.skip(x)
        return activate(ACTIVATION if self.activated else "identity", y)
