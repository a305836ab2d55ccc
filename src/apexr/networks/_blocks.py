"""Blocks of layers, from which the generic networks are made."""

import itertools
from collections.abc import Sequence

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from apexr.networks._activations import activate
from apexr.networks._base import Layer, Reach, Space, total_reach
from apexr.networks._layers import Convolution, GroupNorm, Pointwise


class DoubleConvBlock(Layer):
    """``act(norm(conv(x)))``, twice.

    Parameters
    ----------
    space, in_channels, out_channels
        As for :class:`Convolution`.
    activation
        Name of a registered activation.
    key
        Split in two, one part a convolution.

    References
    ----------
    Ronneberger et al. (2015), "U-Net: Convolutional Networks for Biomedical Image
    Segmentation", MICCAI; with group norm.
    """

    convolutions: tuple[Convolution, Convolution]
    norms: tuple[GroupNorm, GroupNorm]
    activation: str = eqx.field(static=True)

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        activation: str = "relu",
        key: PRNGKeyArray,
    ) -> None:
        first, second = jax.random.split(key)
        self.convolutions = (
            Convolution(space, in_channels, out_channels, key=first),
            Convolution(space, out_channels, out_channels, key=second),
        )
        self.norms = (GroupNorm(out_channels), GroupNorm(out_channels))
        self.activation = activation

    @property
    def reach(self) -> Reach:
        """That of both convolutions."""
        return total_reach(self.convolutions)

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the block's output for a batch."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = activate(self.activation, norm(convolution(x)))
        return x


class ResidualBlock(Layer):
    """``act(conv₂(act(conv₁(x))) + x)``.

    Where the channels differ, ``x`` passes a pointwise layer without bias.

    Parameters
    ----------
    space, in_channels, out_channels, activation
        As for :class:`DoubleConvBlock`.
    key
        Split in three: first and second convolution, rest; the first part of the rest (split in
        two) is for the bypass.

    References
    ----------
    He et al. (2016), "Deep Residual Learning for Image Recognition", CVPR; without norm.
    """

    convolutions: tuple[Convolution, Convolution]
    bypass: Pointwise | None
    activation: str = eqx.field(static=True)

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        activation: str = "relu",
        key: PRNGKeyArray,
    ) -> None:
        first, second, rest = jax.random.split(key, 3)
        self.convolutions = (
            Convolution(space, in_channels, out_channels, key=first),
            Convolution(space, out_channels, out_channels, key=second),
        )
        self.bypass = bypass(space, in_channels, out_channels, use_bias=False, key=rest)
        self.activation = activation

    @property
    def reach(self) -> Reach:
        """That of both convolutions."""
        return total_reach(self.convolutions)

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the block's output for a batch."""
        first, second = self.convolutions
        change = second(activate(self.activation, first(x)))
        kept = x if self.bypass is None else self.bypass(x)
        return activate(self.activation, change + kept)


class PreactivationBlock(Layer):
    """``conv₂(act(norm₂(conv₁(act(norm₁(x)))))) + x``.

    Where the channels differ, ``x`` passes a norm of its own and a pointwise layer without bias.

    Parameters
    ----------
    space, in_channels, out_channels, activation
        As for :class:`DoubleConvBlock`.
    key
        As for :class:`ResidualBlock`.

    References
    ----------
    He et al. (2016), "Identity Mappings in Deep Residual Networks", ECCV; with group norm.
    """

    norms: tuple[GroupNorm, GroupNorm]
    convolutions: tuple[Convolution, Convolution]
    bypass_norm: GroupNorm | None
    bypass: Pointwise | None
    activation: str = eqx.field(static=True)

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        activation: str = "relu",
        key: PRNGKeyArray,
    ) -> None:
        first, second, rest = jax.random.split(key, 3)
        self.norms = (GroupNorm(in_channels), GroupNorm(out_channels))
        self.convolutions = (
            Convolution(space, in_channels, out_channels, key=first),
            Convolution(space, out_channels, out_channels, key=second),
        )
        self.bypass = bypass(space, in_channels, out_channels, use_bias=False, key=rest)
        self.bypass_norm = None if self.bypass is None else GroupNorm(in_channels)
        self.activation = activation

    @property
    def reach(self) -> Reach:
        """That of both convolutions."""
        return total_reach(self.convolutions)

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the block's output for a batch."""
        change = x
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            change = convolution(activate(self.activation, norm(change)))
        if self.bypass is None or self.bypass_norm is None:
            return change + x
        return change + self.bypass(self.bypass_norm(x))


class DilatedBlock(Layer):
    """``x ← act(convᵣ(norm(x)))`` for each dilation rate ``r``, and the input added at the end.

    Where the channels differ, the input passes a norm of its own and a pointwise layer.

    Parameters
    ----------
    space, in_channels, out_channels, activation
        As for :class:`DoubleConvBlock`.
    rates
        Distance of the taps of each convolution, in grid points.
    key
        Split in one part more than there are rates: rest, then one a convolution in order. The
        first part of the rest (split in two) is for the bypass.

    References
    ----------
    Stachenfeld et al. (2022), "Learned Simulators for Turbulence", ICLR; with group norm.
    """

    norms: tuple[GroupNorm, ...]
    convolutions: tuple[Convolution, ...]
    bypass_norm: GroupNorm | None
    bypass: Pointwise | None
    activation: str = eqx.field(static=True)

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        rates: Sequence[int] = (1, 2, 4, 8, 4, 2, 1),
        activation: str = "relu",
        key: PRNGKeyArray,
    ) -> None:
        rest, *keys = jax.random.split(key, len(rates) + 1)
        channels = (in_channels, *(out_channels,) * len(rates))
        self.norms = tuple(GroupNorm(size) for size in channels[:-1])
        self.convolutions = tuple(
            Convolution(space, *sizes, dilation=rate, key=key)
            for sizes, rate, key in zip(itertools.pairwise(channels), rates, keys, strict=True)
        )
        self.bypass = bypass(space, in_channels, out_channels, use_bias=True, key=rest)
        self.bypass_norm = None if self.bypass is None else GroupNorm(in_channels)
        self.activation = activation

    @property
    def reach(self) -> Reach:
        """That of all convolutions."""
        return total_reach(self.convolutions)

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the block's output for a batch."""
        change = x
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            change = activate(self.activation, convolution(norm(change)))
        if self.bypass is None or self.bypass_norm is None:
            return change + x
        return change + self.bypass(self.bypass_norm(x))


def bypass(
    space: Space, in_channels: int, out_channels: int, *, use_bias: bool, key: PRNGKeyArray
) -> Pointwise | None:
    """Return what brings the input to the channels of the output, if they differ."""
    if in_channels == out_channels:
        return None
    own = jax.random.split(key)[0]
    return Pointwise(space, in_channels, out_channels, use_bias=use_bias, key=own)
