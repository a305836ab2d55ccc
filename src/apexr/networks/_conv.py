"""The plain feed-forward convolutional network."""

from collections.abc import Sequence
from itertools import pairwise

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Layers, PositiveInt
from apexr.networks._activations import activate
from apexr.networks._base import Reach, Space, total_reach
from apexr.networks._kind import Activation, ChannelsSpec, Network, network
from apexr.networks._layers import Convolution
from apexr.spectral import Grid


@network("Conv")
class Conv(ChannelsSpec):
    """Conv;HIDDEN_CHANNELS;DEPTH;ACTIVATION - convolutions of three points, one after another.

    ``DEPTH`` hidden layers, each followed by the activation, and a last convolution without.
    """

    hidden_channels: PositiveInt
    depth: Layers
    activation: Activation

    def build_between(
        self, grid: Grid, in_channels: PositiveInt, out_channels: PositiveInt, key: PRNGKeyArray
    ) -> "ConvNet":
        """Return the network; the key is split once, one part a layer in order."""
        return ConvNet(
            Space(grid.num_spatial_dims),
            in_channels,
            out_channels,
            widths=(self.hidden_channels,) * self.depth,
            activation=self.activation,
            key=key,
        )


class ConvNet(Network):
    """A network of convolutions with an activation after each but the last.

    Parameters
    ----------
    space, in_channels, out_channels
        As for :class:`Sequential`.
    widths
        Channels after each hidden layer.
    activation
        Name of a registered activation.
    kernel_size
        Taps of each convolution along each axis.
    key
        Split once, one part a layer in order.
    """

    layers: tuple[Convolution, ...]
    activation: str = eqx.field(static=True)

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        widths: Sequence[int],
        activation: str = "relu",
        kernel_size: int = 3,
        key: PRNGKeyArray,
    ) -> None:
        sizes = (in_channels, *widths, out_channels)
        keys = jax.random.split(key, len(sizes) - 1)
        self.layers = tuple(
            Convolution(space, *pair, kernel_size=kernel_size, key=key)
            for pair, key in zip(pairwise(sizes), keys, strict=True)
        )
        self.activation = activation

    @property
    def reach(self) -> Reach:
        """That of all convolutions."""
        return total_reach(self.layers)

    def batched(self, states: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the network's output for every state of a batch."""
        for layer in self.layers[:-1]:
            states = activate(self.activation, layer(states))
        return self.layers[-1](states)
