"""Layers in the layout ``(channel, batch, *space)``."""

from collections.abc import Sequence
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from apexr.errors import SpecError
from apexr.kernels import convolve, multiply, normalize_groups, tap_offsets, upsample
from apexr.networks._activations import activate
from apexr.networks._base import Layer, Reach, Space, add_bias, check_fits, draw_weights

EPSILON = 1e-5
"""Added to a variance before the division by its root."""


class Convolution(Layer):
    """A convolution: cross-correlation with a kernel of equal size along all axes.

    Parameters
    ----------
    space
        Dimensions and boundary.
    in_channels, out_channels, kernel_size, dilation, use_bias
        Sizes.
    stride
        One output for so many points; 2 halves the grid.
    key
        Split in two: weight, bias. Both are uniform in ±1/√(in·kᴰ).
    """

    weight: Float[Array, "out in *kernel"]
    bias: Float[Array, "out *ones"] | None
    dilation: int = eqx.field(static=True)
    stride: int = eqx.field(static=True)
    boundary: str = eqx.field(static=True)

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: int = 3,
        dilation: int = 1,
        stride: int = 1,
        use_bias: bool = True,
        key: PRNGKeyArray,
    ) -> None:
        kernel = (kernel_size,) * space.num_spatial_dims
        self.weight, self.bias = draw_weights(
            key, in_channels, out_channels, kernel, use_bias=use_bias
        )
        self.dilation = dilation
        self.stride = stride
        self.boundary = space.boundary

    @property
    def reach(self) -> Reach:
        """As far as the outermost taps."""
        offsets = tap_offsets(self.weight.shape[-1], self.dilation)
        return -offsets[0], offsets[-1]

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space_out"]:
        """Return the convolved batch."""
        check_fits(x, self.weight.shape[1], self.weight.ndim - 2)
        out = convolve(
            x,
            self.weight,
            dilation=self.dilation,
            stride=self.stride,
            boundary=self.boundary,
        )
        return add_bias(out, self.bias)


class UpConvolution(Layer):
    """A transposed convolution of three taps that doubles the points along each axis.

    Keys and initial values as for :class:`Convolution`.
    """

    weight: Float[Array, "out in *kernel"]
    bias: Float[Array, "out *ones"] | None
    boundary: str = eqx.field(static=True)

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        use_bias: bool = True,
        key: PRNGKeyArray,
    ) -> None:
        kernel = (3,) * space.num_spatial_dims
        self.weight, self.bias = draw_weights(
            key, in_channels, out_channels, kernel, use_bias=use_bias
        )
        self.boundary = space.boundary

    @property
    def reach(self) -> Reach:
        """One point of the coarse grid."""
        return 1, 1

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space_out"]:
        """Return the batch on the finer grid."""
        check_fits(x, self.weight.shape[1], self.weight.ndim - 2)
        return add_bias(upsample(x, self.weight, self.boundary), self.bias)


class Pointwise(Layer):
    """A 1×1 convolution: one matrix on the channels.

    Keys and initial values as for :class:`Convolution` with a kernel of one point.
    """

    weight: Float[Array, "out in *ones"]
    bias: Float[Array, "out *ones"] | None

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        use_bias: bool = True,
        key: PRNGKeyArray,
    ) -> None:
        ones = (1,) * space.num_spatial_dims
        self.weight, self.bias = draw_weights(
            key, in_channels, out_channels, ones, use_bias=use_bias
        )

    @property
    def reach(self) -> Reach:
        """The point itself."""
        return 0, 0

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the batch with its channels mixed."""
        check_fits(x, self.weight.shape[1], self.weight.ndim - 2)
        return add_bias(multiply(self.weight.reshape(self.weight.shape[:2]), x), self.bias)


class GroupNorm(Layer):
    """Each sample less its mean, over its deviation, times ``γ`` plus ``β`` of the channel.

    Mean and variance (of the population) are taken over space and the channels of a group. The
    statistics see the whole grid; the reach counts what a point alone does to others.

    Parameters
    ----------
    channels, num_groups
        Sizes; the groups share the channels evenly.

    Raises
    ------
    SpecError
        If the groups do not divide the channels.

    References
    ----------
    Wu and He (2018), "Group Normalization", ECCV, eq. 1.
    """

    weight: Float[Array, " channel"]
    bias: Float[Array, " channel"]
    num_groups: int = eqx.field(static=True)

    def __init__(self, channels: int, *, num_groups: int = 1) -> None:
        if num_groups < 1 or channels % num_groups:
            raise SpecError(f"num_groups must divide the {channels} channels, got {num_groups}")
        self.weight = jnp.ones(channels)
        self.bias = jnp.zeros(channels)
        self.num_groups = num_groups

    @property
    def reach(self) -> Reach:
        """The point itself."""
        return 0, 0

    def __call__(
        self, x: Float[Array, "channel batch *space"]
    ) -> Float[Array, "channel batch *space"]:
        """Return the normalized batch."""
        check_fits(x, self.weight.size)
        return normalize_groups(
            x, self.weight, self.bias, num_groups=self.num_groups, epsilon=EPSILON
        )


class ChannelNorm(Layer):
    """Each point's channels less their mean, over their deviation, times ``γ`` plus ``β``.

    Transformers and ConvNeXt call this layer norm.

    Parameters
    ----------
    channels
        Channels of the input.
    epsilon
        A small number added to the variance.
    use_bias
        Whether there is a ``β``.

    References
    ----------
    Ba et al. (2016), "Layer Normalization", arXiv 1607.06450.
    """

    weight: Float[Array, " channel"]
    bias: Float[Array, " channel"] | None
    epsilon: float = eqx.field(static=True)

    def __init__(self, channels: int, *, epsilon: float = EPSILON, use_bias: bool = True) -> None:
        self.weight = jnp.ones(channels)
        self.bias = jnp.zeros(channels) if use_bias else None
        self.epsilon = epsilon

    @property
    def reach(self) -> Reach:
        """The point itself."""
        return 0, 0

    def __call__(
        self, x: Float[Array, "channel batch *space"]
    ) -> Float[Array, "channel batch *space"]:
        """Return the normalized batch."""
        check_fits(x, self.weight.size)
        centered = x - jnp.mean(x, 0)
        variance = jnp.mean(jnp.square(centered), 0)
        ones = (-1, *(1,) * (x.ndim - 1))
        normal = centered * jax.lax.rsqrt(variance + self.epsilon) * self.weight.reshape(ones)
        return normal if self.bias is None else normal + self.bias.reshape(ones)


class PointwiseMLP(Layer):
    """Pointwise layers one after another, with an activation after each but the last.

    Parameters
    ----------
    space
        Dimensions and boundary.
    in_channels, out_channels
        Channels of input and output.
    widths
        Channels after each hidden layer.
    activation
        Name of a registered activation.
    use_bias
        Whether the layers have a bias.
    key
        Split once, one part a layer in order.
    """

    layers: tuple[Pointwise, ...]
    activation: str = eqx.field(static=True)

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        widths: Sequence[int],
        activation: str = "exact_gelu",
        use_bias: bool = True,
        key: PRNGKeyArray,
    ) -> None:
        sizes = (in_channels, *widths, out_channels)
        keys = jax.random.split(key, len(sizes) - 1)
        self.layers = tuple(
            Pointwise(space, *pair, use_bias=use_bias, key=own)
            for pair, own in zip(pairwise(sizes), keys, strict=True)
        )
        self.activation = activation

    @property
    def reach(self) -> Reach:
        """The point itself."""
        return 0, 0

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the network's output for every point."""
        for layer in self.layers[:-1]:
            x = activate(self.activation, layer(x))
        return self.layers[-1](x)
