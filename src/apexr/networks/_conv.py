"""The plain feed-forward convolutional network."""

from functools import partial
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Count, PositiveInt
from apexr.networks._activations import ACTIVATIONS
from apexr.networks._kind import Activation, Network, NetworkSpec, network
from apexr.networks._layers import PeriodicConv
from apexr.spectral import Grid


@network("Conv")
class Conv(NetworkSpec):
    """Conv;HIDDEN_CHANNELS;DEPTH;ACTIVATION - convolutions of three points, one after another.

    ``DEPTH`` hidden layers, each followed by the activation, and a last convolution without.
    """

    hidden_channels: PositiveInt
    depth: Count
    activation: Activation

    def build(self, grid: Grid, num_channels: int, key: PRNGKeyArray) -> "ConvNet":
        """Return the network; the key is split once, one part a layer in order."""
        return ConvNet(self, grid, num_channels, key)

    def receptive_field(self, grid: Grid) -> tuple[tuple[float, float], ...]:
        """Return one point a layer in both directions."""
        reach = float(self.depth + 1)
        return ((reach, reach),) * grid.num_spatial_dims


class ConvNet(Network):
    """The network that ``Conv;…`` builds."""

    layers: tuple[PeriodicConv, ...]
    activation: str = eqx.field(static=True)

    def __init__(self, spec: Conv, grid: Grid, num_channels: int, key: PRNGKeyArray) -> None:
        conv = partial(PeriodicConv, grid.num_spatial_dims)
        keys = jax.random.split(key, spec.depth + 1)
        self.activation = spec.activation
        if spec.depth == 0:
            self.layers = (conv(num_channels, num_channels, key=keys[0]),)
            return
        hidden = spec.hidden_channels
        self.layers = (
            conv(num_channels, hidden, key=keys[0]),
            *(conv(hidden, hidden, key=key) for key in keys[1:-1]),
            conv(hidden, num_channels, key=keys[-1]),
        )

    def batched(
        self, states: Float[Array, "channel batch *space"]
    ) -> Float[Array, "channel batch *space"]:
        """Return the network's output for every state of a batch."""
        activation: Any = ACTIVATIONS.get(self.activation)
        for layer in self.layers[:-1]:
            states = activation(layer(states))
        return self.layers[-1](states)
