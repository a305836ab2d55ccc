"""The transformer that takes each point of a line as a token."""

from functools import partial
from typing import Annotated

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from apexr._grammar import Layers, OneOf, PositiveInt
from apexr._registry import Registry
from apexr.errors import SpecError
from apexr.kernels import computed_once
from apexr.networks._attention import attend, misfit_of_heads, split_heads
from apexr.networks._base import UNBOUNDED, Layer, Reach, Space
from apexr.networks._kind import Activation, ChannelsSpec, Network, network
from apexr.networks._layers import ChannelNorm, Pointwise, PointwiseMLP
from apexr.spectral import Grid

BASE = 10_000


class Positions:
    """How a transformer tells where on a line a token stands."""

    def place(self, x: Float[Array, "channel batch x"]) -> Float[Array, "channel batch x"]:
        """Return the tokens before the first block."""
        return x

    def turn(self, x: Float[Array, "head size batch x"]) -> Float[Array, "head size batch x"]:
        """Return queries or keys."""
        return x


POSITIONS: Registry[type[Positions]] = Registry("positions", "apexr.positions")
"""Every kind of positions by its name in ``Trans;…``."""


@POSITIONS.register("rotary")
class Rotary(Positions):
    """Queries and keys are turned by angles that go around the circle a whole number of times.

    The product of a query and a key depends on the distance of their points along the circle
    alone, so that a shifted state gives a shifted output. The numbers of turns grow geometrically
    from one to a quarter of the points.

    References
    ----------
    Su et al. (2021), "RoFormer: Enhanced Transformer with Rotary Position Embedding", arXiv
    2104.09864, eq. 34; there without a period.
    """

    def turn(self, x: Float[Array, "head size batch x"]) -> Float[Array, "head size batch x"]:
        """Return each half of the channels turned into the other."""
        points, pairs = x.shape[-1], x.shape[1] // 2
        turns = np.round(np.geomspace(1, max(points / 4, 1), pairs))
        angle = np.outer(turns, np.arange(points)) % points * (2 * np.pi / points)
        cos, sin = (wave(angle).astype(x.dtype)[:, None] for wave in (np.cos, np.sin))
        first, second = x[:, :pairs], x[:, pairs:]
        return jnp.concatenate([first * cos - second * sin, first * sin + second * cos], axis=1)


@POSITIONS.register("sinusoidal")
class Sinusoidal(Positions):
    """Sines and cosines of the point's number are added to its channels.

    They know the first point from the last: the network is not that of a circle.

    References
    ----------
    Vaswani et al. (2017), "Attention Is All You Need", NeurIPS, section 3.5.
    """

    def place(self, x: Float[Array, "channel batch x"]) -> Float[Array, "channel batch x"]:
        """Return the tokens with the table added."""
        channel = np.arange(x.shape[0])[:, None]
        angle = np.arange(x.shape[-1]) / BASE ** ((channel - channel % 2) / x.shape[0])
        table = np.where(channel % 2, np.cos(angle), np.sin(angle))
        return x + table.astype(x.dtype)[:, None]


@network("Trans")
class Trans(ChannelsSpec):
    """Trans[;WIDTH][;HEADS][;BLOCKS][;ACTIVATION][;POSITIONS] - transformer of points, in 1D.

    A perceptron of two hidden layers lifts each point; blocks of attention over all points and of
    a perceptron follow, each added to its input and normalized; another perceptron of two hidden
    layers projects. ``rotary`` positions, the default, are those of a circle: a shifted state
    gives a shifted output. ``sinusoidal`` ones are as published.

    References
    ----------
    Koehler and Thuerey (2025), "Neural Emulator Superiority: When Machine Learning for PDEs
    Surpasses its Training Data", NeurIPS; there with sinusoidal positions. Blocks: Vaswani et al.
    (2017), "Attention Is All You Need", NeurIPS.
    """

    width: PositiveInt = 32
    heads: PositiveInt = 4
    blocks: Layers = 4
    activation: Activation = "relu"
    positions: Annotated[str, OneOf(POSITIONS)] = "rotary"

    def __post_init__(self) -> None:
        misfit = misfit_of_heads(self.width, self.heads, 2 if self.positions == "rotary" else 1)
        if misfit:
            raise SpecError(f"network {str(self)!r}: {misfit}")

    def check(self, grid: Grid, num_channels: PositiveInt) -> None:
        """Refuse more than one dimension.

        Raises
        ------
        SpecError
            In 2D and 3D, where attention over all points is too much.
        """
        if grid.num_spatial_dims > 1:
            raise SpecError(
                f"network {str(self)!r}: attends to all points of a line, and the grid has"
                f" {grid.num_spatial_dims} dimensions; AViT attends along one axis at a time"
            )

    def build_between(
        self, grid: Grid, in_channels: PositiveInt, out_channels: PositiveInt, key: PRNGKeyArray
    ) -> "Transformer":
        """Return the network; how the key is split says :class:`Transformer`."""
        return Transformer(
            in_channels,
            out_channels,
            width=self.width,
            num_heads=self.heads,
            num_blocks=self.blocks,
            activation=self.activation,
            positions=self.positions,
            key=key,
        )


class Attention(Layer):
    """Attention over all points of a line, without biases.

    Parameters
    ----------
    channels, num_heads
        Sizes; the heads share the channels evenly.
    positions
        Name of a registered kind of positions.
    key
        Split in four: queries, keys, values, output.
    """

    queries: Pointwise
    keys: Pointwise
    values: Pointwise
    output: Pointwise
    num_heads: int = eqx.field(static=True)
    positions: str = eqx.field(static=True)

    def __init__(
        self, channels: int, *, num_heads: int, positions: str = "rotary", key: PRNGKeyArray
    ) -> None:
        self.queries, self.keys, self.values, self.output = (
            Pointwise(Space(1), channels, channels, use_bias=False, key=own)
            for own in jax.random.split(key, 4)
        )
        self.num_heads = num_heads
        self.positions = positions

    @property
    def reach(self) -> Reach:
        """Everything."""
        return UNBOUNDED

    def __call__(self, x: Float[Array, "channel batch x"]) -> Float[Array, "channel batch x"]:
        """Return the layer's output for a batch."""
        turn = POSITIONS.get(self.positions)().turn
        queries, keys, values = (
            split_heads(part(x), self.num_heads) for part in (self.queries, self.keys, self.values)
        )
        return self.output(attend(turn(queries), turn(keys), values).reshape(x.shape))


class TransformerBlock(Layer):
    """``x ← norm₁(attention(x) + x)``, then ``x ← norm₂(mlp(x) + x)``.

    The perceptron has one hidden layer, twice as wide, and no biases.

    Parameters
    ----------
    channels, num_heads, positions
        As for :class:`Attention`.
    activation
        Name of a registered activation.
    key
        Split in two: attention, perceptron.
    """

    attention: Attention
    mlp: PointwiseMLP
    norms: tuple[ChannelNorm, ChannelNorm]

    def __init__(
        self,
        channels: int,
        *,
        num_heads: int,
        activation: str = "relu",
        positions: str = "rotary",
        key: PRNGKeyArray,
    ) -> None:
        attention_key, mlp_key = jax.random.split(key)
        self.attention = Attention(
            channels, num_heads=num_heads, positions=positions, key=attention_key
        )
        self.mlp = PointwiseMLP(
            Space(1),
            channels,
            channels,
            widths=(2 * channels,),
            activation=activation,
            use_bias=False,
            key=mlp_key,
        )
        self.norms = (ChannelNorm(channels), ChannelNorm(channels))

    @property
    def reach(self) -> Reach:
        """Everything."""
        return UNBOUNDED

    def __call__(self, x: Float[Array, "channel batch x"]) -> Float[Array, "channel batch x"]:
        """Return the block's output for a batch."""
        x = self.norms[0](self.attention(x) + x)
        return self.norms[1](self.mlp(x) + x)


class Transformer(Network):
    """The network that ``Trans;…`` builds.

    Parameters
    ----------
    in_channels, out_channels
        Channels of input and output.
    width
        Channels of a token.
    num_heads, num_blocks, activation, positions
        As for :class:`TransformerBlock`.
    key
        Split in three: lifting, blocks, projection. That of the blocks is split once, one part a
        block.
    """

    lifting: PointwiseMLP
    blocks: tuple[TransformerBlock, ...]
    projection: PointwiseMLP
    positions: str = eqx.field(static=True)

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int,
        num_heads: int,
        num_blocks: int,
        activation: str = "relu",
        positions: str = "rotary",
        key: PRNGKeyArray,
    ) -> None:
        lifting_key, key, projection_key = jax.random.split(key, 3)
        ends = partial(PointwiseMLP, Space(1), widths=(width, width), activation=activation)
        self.lifting = ends(in_channels, width, key=lifting_key)
        self.blocks = tuple(
            TransformerBlock(
                width, num_heads=num_heads, activation=activation, positions=positions, key=own
            )
            for own in jax.random.split(key, num_blocks)
        )
        self.projection = ends(width, out_channels, key=projection_key)
        self.positions = positions

    def batched(self, states: Float[Array, "in batch x"]) -> Float[Array, "out batch x"]:
        """Return the network's output for every state of a batch."""
        states = POSITIONS.get(self.positions)().place(self.lifting(states))
        for block in self.blocks:
            states = computed_once(block(states))
        return self.projection(states)
