"""One convolution and nothing else."""

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import PositiveInt
from apexr.networks._base import Reach, Space, reach_of
from apexr.networks._kind import Activation, ChannelsSpec, Network, network
from apexr.networks._layers import Convolution
from apexr.spectral import Grid


@network("Pure")
class Pure(ChannelsSpec):
    """Pure;KERNEL_SIZE[;ACTIVATION] - one convolution without bias: a linear stencil.

    An even kernel has one point more behind than ahead: ``Pure;2`` is the stencil of the points
    ``i - 1`` and ``i``, that of an upwind difference. The activation is accepted, as other
    benchmarks write it, and not used.
    """

    kernel_size: PositiveInt
    activation: Activation = "identity"

    def build_between(
        self, grid: Grid, in_channels: PositiveInt, out_channels: PositiveInt, key: PRNGKeyArray
    ) -> "Stencil":
        """Return the network; the key goes to the convolution as it is."""
        return Stencil(self, grid, in_channels, out_channels, key)


class Stencil(Network):
    """The network that ``Pure;…`` builds."""

    convolution: Convolution

    def __init__(
        self, spec: Pure, grid: Grid, in_channels: int, out_channels: int, key: PRNGKeyArray
    ) -> None:
        self.convolution = Convolution(
            Space(grid.num_spatial_dims),
            in_channels,
            out_channels,
            kernel_size=spec.kernel_size,
            use_bias=False,
            key=key,
        )

    @property
    def reach(self) -> Reach:
        """That of the convolution, of an even kernel moved back by a point."""
        back, ahead = reach_of(self.convolution)
        return back + self._moved, ahead - self._moved

    @property
    def _moved(self) -> int:
        return 1 - self.convolution.weight.shape[-1] % 2

    def batched(self, states: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the network's output for every state of a batch."""
        if self._moved:
            axes = tuple(range(2, states.ndim))
            states = jnp.roll(states, (1,) * len(axes), axes)
        return self.convolution(states)
