"""Convolutions of each channel with a kernel of its own."""

import equinox as eqx
from jaxtyping import Array, Float, PRNGKeyArray

from apexr.kernels import convolve_each, tap_offsets
from apexr.networks._base import Layer, Reach, Space, add_bias, check_fits, draw_weights


class DepthwiseConvolution(Layer):
    """A convolution that mixes no channels: one kernel a channel.

    Parameters
    ----------
    space
        Dimensions and boundary.
    channels, kernel_size
        Sizes.
    key
        Split in two: weight, bias. Both are uniform in ±1/√kᴰ.
    """

    weight: Float[Array, "channel one *kernel"]
    bias: Float[Array, "channel *ones"] | None
    boundary: str = eqx.field(static=True)

    def __init__(
        self, space: Space, channels: int, *, kernel_size: int = 7, key: PRNGKeyArray
    ) -> None:
        kernel = (kernel_size,) * space.num_spatial_dims
        self.weight, self.bias = draw_weights(key, 1, channels, kernel)
        self.boundary = space.boundary

    @property
    def reach(self) -> Reach:
        """As far as the outermost taps."""
        offsets = tap_offsets(self.weight.shape[-1], 1)
        return -offsets[0], offsets[-1]

    def __call__(
        self, x: Float[Array, "channel batch *space"]
    ) -> Float[Array, "channel batch *space"]:
        """Return the convolved batch."""
        check_fits(x, self.weight.shape[0], self.weight.ndim - 2)
        return add_bias(convolve_each(x, self.weight[:, 0], self.boundary), self.bias)
