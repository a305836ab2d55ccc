"""Layers that make one point of the points of a patch, and a patch of one point."""

from jaxtyping import Array, Float, PRNGKeyArray

from apexr.kernels import multiply
from apexr.networks._base import Layer, Reach, Space, add_bias, check_fits, draw_weights


class Patch(Layer):
    """A convolution whose stride is the size of its kernel: a matrix on each patch of points.

    ``yⱼ = Σₖ wₖ x(size j + k)`` along each axis. It looks over no boundary.

    Parameters
    ----------
    space
        Dimensions and boundary.
    in_channels, out_channels, use_bias
        Sizes.
    size
        Points of a patch along each axis.
    key
        As for :class:`Convolution`.
    """

    weight: Float[Array, "out in *kernel"]
    bias: Float[Array, "out *ones"] | None

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        size: int = 2,
        use_bias: bool = True,
        key: PRNGKeyArray,
    ) -> None:
        kernel = (size,) * space.num_spatial_dims
        self.weight, self.bias = draw_weights(
            key, in_channels, out_channels, kernel, use_bias=use_bias
        )

    @property
    def reach(self) -> Reach:
        """From the first point of a patch to its last."""
        return 0, self.weight.shape[-1] - 1

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space_out"]:
        """Return one point a patch."""
        check_fits(x, self.weight.shape[1], self.weight.ndim - 2)
        size, dims = self.weight.shape[-1], x.ndim - 2
        if size > 1:
            cut = [extent for points in x.shape[2:] for extent in (points // size, size)]
            order = (0, *range(3, 3 + 2 * dims, 2), 1, *range(2, 2 + 2 * dims, 2))
            x = x.reshape(*x.shape[:2], *cut).transpose(order)
            x = x.reshape(-1, *x.shape[1 + dims :])
        return add_bias(multiply(self.weight.reshape(self.weight.shape[0], -1), x), self.bias)


class Unpatch(Layer):
    """The transposed convolution whose stride is the size of its kernel.

    ``y(size j + k) = wₖ xⱼ`` along each axis. Parameters as for :class:`Patch`.
    """

    weight: Float[Array, "out in *kernel"]
    bias: Float[Array, "out *ones"] | None

    def __init__(
        self,
        space: Space,
        in_channels: int,
        out_channels: int,
        *,
        size: int = 2,
        use_bias: bool = True,
        key: PRNGKeyArray,
    ) -> None:
        kernel = (size,) * space.num_spatial_dims
        self.weight, self.bias = draw_weights(
            key, in_channels, out_channels, kernel, use_bias=use_bias
        )

    @property
    def reach(self) -> Reach:
        """The point that a patch is made of."""
        return 0, 0

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space_out"]:
        """Return a patch a point."""
        check_fits(x, self.weight.shape[1], self.weight.ndim - 2)
        size, dims, out_channels = self.weight.shape[-1], x.ndim - 2, self.weight.shape[0]
        kernel = self.weight.swapaxes(0, 1).reshape(self.weight.shape[1], -1).T
        y = multiply(kernel, x)
        if size > 1:
            y = y.reshape(out_channels, *(size,) * dims, *x.shape[1:])
            pairs = [axis for place in range(dims) for axis in (2 + dims + place, 1 + place)]
            y = y.transpose(0, 1 + dims, *pairs)
            y = y.reshape(out_channels, x.shape[1], *(size * points for points in x.shape[2:]))
        return add_bias(y, self.bias)


def misfit_of_patches(num_points: int, size: int) -> str:
    """Return why so many points cannot be cut into patches of that size, or ``""``.

    The text names the nearest numbers of points that can.
    """
    if num_points % size == 0:
        return ""
    below = num_points // size * size
    near = [str(points) for points in (below, below + size) if points]
    return (
        f"{num_points} points cannot be cut into patches of {size}; the nearest numbers of points"
        f" that can are {' and '.join(near)}"
    )
