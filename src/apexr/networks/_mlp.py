"""The multi-layer perceptron on the flattened state."""

import itertools
from typing import ClassVar

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Layers, PositiveInt
from apexr.errors import ShapeError
from apexr.kernels import factors, summed
from apexr.networks._activations import activate
from apexr.networks._base import Reach, add_bias, draw_weights
from apexr.networks._kind import Activation, ChannelsSpec, Network, network
from apexr.spectral import Grid


@network("MLP")
class MLP(ChannelsSpec):
    """MLP;WIDTH;DEPTH;ACTIVATION - fully connected layers on all points and channels at once.

    ``DEPTH`` hidden layers, each followed by the activation, and a last layer without. It works
    on the grid that it was built for alone.
    """

    boundaries: ClassVar[tuple[str, ...]] = ("any",)

    width: PositiveInt
    depth: Layers
    activation: Activation

    def build_between(
        self, grid: Grid, in_channels: PositiveInt, out_channels: PositiveInt, key: PRNGKeyArray
    ) -> "Perceptron":
        """Return the network; the key is split once, one part a layer in order."""
        return Perceptron(self, grid, in_channels, out_channels, key)

    def receptive_field(self, grid: Grid) -> tuple[Reach, ...]:
        """Return all points of each axis, both ways."""
        return tuple((float(points), float(points)) for points in grid.shape)


class Linear(eqx.Module):
    """A matrix and a bias.

    Parameters
    ----------
    in_size, out_size
        Sizes.
    key
        Split in two: weight, bias. Both are uniform in ±1/√in.
    """

    weight: Float[Array, "out in"]
    bias: Float[Array, " out"] | None

    def __init__(self, in_size: int, out_size: int, *, key: PRNGKeyArray) -> None:
        self.weight, self.bias = draw_weights(key, in_size, out_size, ())

    def __call__(self, x: Float[Array, "in batch"]) -> Float[Array, "out batch"]:
        """Return the layer's output for a batch."""
        weight, x = factors(self.weight, x)
        return add_bias(summed(weight @ x), self.bias)


class Perceptron(Network):
    """The network that ``MLP;…`` builds."""

    layers: tuple[Linear, ...]
    activation: str = eqx.field(static=True)
    shape: tuple[int, ...] = eqx.field(static=True)
    out_channels: int = eqx.field(static=True)

    def __init__(
        self, spec: MLP, grid: Grid, in_channels: int, out_channels: int, key: PRNGKeyArray
    ) -> None:
        self.shape, self.out_channels = (in_channels, *grid.shape), out_channels
        ends = in_channels * grid.size, out_channels * grid.size
        sizes = (ends[0], *(spec.width,) * spec.depth, ends[1])
        keys = jax.random.split(key, spec.depth + 1)
        self.layers = tuple(
            Linear(*pair, key=key)
            for pair, key in zip(itertools.pairwise(sizes), keys, strict=True)
        )
        self.activation = spec.activation

    @property
    def reach(self) -> Reach:
        """All points of the longest axis."""
        most = float(max(self.shape[1:]))
        return most, most

    def batched(self, states: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the network's output for every state of a batch.

        Raises
        ------
        ShapeError
            If the states are not of the grid that the network was built for.
        """
        given = (states.shape[0], *states.shape[2:])
        if given != self.shape:
            raise ShapeError(
                f"this MLP works on states of the shape {self.shape}, got {given};"
                " build one for the other grid"
            )
        channels, batch, *space = states.shape
        x = states.reshape(channels, batch, -1).swapaxes(1, 2).reshape(-1, batch)
        for layer in self.layers[:-1]:
            x = activate(self.activation, layer(x))
        x = self.layers[-1](x)
        channels = self.out_channels
        return x.reshape(channels, -1, batch).swapaxes(1, 2).reshape(channels, batch, *space)
