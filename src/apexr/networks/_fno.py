"""The Fourier neural operator."""

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Count, PositiveInt
from apexr.errors import SpecError
from apexr.networks._activations import ACTIVATIONS
from apexr.networks._kind import Activation, Network, NetworkSpec, network
from apexr.networks._layers import Pointwise
from apexr.networks._spectral import SpectralConv
from apexr.spectral import Grid


@network("FNO")
class FNO(NetworkSpec):
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
    blocks: Count
    activation: Activation

    def check(self, grid: Grid, num_channels: int) -> None:
        """Refuse more modes than the grid has.

        Raises
        ------
        SpecError
            If ``MODES`` exceeds ``num_points // 2 + 1`` (1D) or ``num_points // 2``.
        """
        most = grid.num_points // 2 + (grid.num_spatial_dims == 1)
        if self.modes > most:
            raise SpecError(
                f"network {str(self)!r}: MODES must be at most {most} on {grid.num_points} points"
                f" in {grid.num_spatial_dims}D, got {self.modes}"
            )

    def build(self, grid: Grid, num_channels: int, key: PRNGKeyArray) -> "FourierOperator":
        """Return the network; the key is split before each part, lifting first."""
        return FourierOperator(self, grid, num_channels, key)


class SpectralBlock(eqx.Module):
    """``spectral(x) + pointwise(x)``; the key is split in two, in this order."""

    spectral: SpectralConv
    pointwise: Pointwise

    def __init__(self, num_spatial_dims: int, channels: int, modes: int, key: PRNGKeyArray) -> None:
        spectral_key, pointwise_key = jax.random.split(key)
        self.spectral = SpectralConv(num_spatial_dims, channels, modes, key=spectral_key)
        self.pointwise = Pointwise(num_spatial_dims, channels, channels, key=pointwise_key)

    def __call__(self, x: Float[Array, "channel batch *space"]) -> Array:
        """Return the sum of both branches."""
        return self.spectral(x) + self.pointwise(x)


class FourierOperator(Network):
    """The network that ``FNO;…`` builds."""

    lifting: Pointwise
    blocks: tuple[SpectralBlock, ...]
    projection: Pointwise
    activation: str = eqx.field(static=True)

    def __init__(self, spec: FNO, grid: Grid, num_channels: int, key: PRNGKeyArray) -> None:
        dims, hidden = grid.num_spatial_dims, spec.hidden_channels
        sub, key = jax.random.split(key)
        self.lifting = Pointwise(dims, num_channels, hidden, key=sub)
        blocks = []
        for _ in range(spec.blocks):
            sub, key = jax.random.split(key)
            blocks.append(SpectralBlock(dims, hidden, spec.modes, sub))
        self.blocks = tuple(blocks)
        self.projection = Pointwise(dims, hidden, num_channels, key=key)
        self.activation = spec.activation

    def batched(
        self, states: Float[Array, "channel batch *space"]
    ) -> Float[Array, "channel batch *space"]:
        """Return the network's output for every state of a batch."""
        activation = ACTIVATIONS.get(self.activation)
        states = self.lifting(states)
        for block in self.blocks:
            states = activation(block(states))
        return self.projection(states)
