"""Layers on periodic grids in the layout ``(channel, batch, *space)``.

Convolutions are matrix products. On a CPU this is several times faster than XLA's own
convolution (see ``docs/speed.md``).
"""

import functools
import itertools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray


def _uniform(key: PRNGKeyArray, shape: tuple[int, ...], limit: float) -> Array:
    return jax.random.uniform(key, shape, minval=-limit, maxval=limit)


class PeriodicConv(eqx.Module):
    """A convolution that wraps around: cross-correlation with stride one.

    Parameters
    ----------
    num_spatial_dims, in_channels, out_channels, kernel_size, dilation
        Sizes; the kernel is equal along all axes.
    key
        Split in two: weight, bias. Both are uniform in ±1/√(in·kᴰ).
    """

    weight: Float[Array, "out in *kernel"]
    bias: Float[Array, "out *ones"]
    dilation: int = eqx.field(static=True)

    def __init__(
        self,
        num_spatial_dims: int,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: int = 3,
        dilation: int = 1,
        key: PRNGKeyArray,
    ) -> None:
        weight_key, bias_key = jax.random.split(key)
        kernel = (kernel_size,) * num_spatial_dims
        limit = 1 / math.sqrt(in_channels * math.prod(kernel))
        self.weight = _uniform(weight_key, (out_channels, in_channels, *kernel), limit)
        self.bias = _uniform(bias_key, (out_channels, *(1,) * num_spatial_dims), limit)
        self.dilation = dilation

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the convolved batch."""
        return convolve(x, self.weight, self.dilation) + self.bias[:, None]


def tap_offsets(kernel_size: int, dilation: int) -> tuple[int, ...]:
    """Return where the taps of a kernel lie, in grid points from its output."""
    return tuple((tap - (kernel_size - 1) // 2) * dilation for tap in range(kernel_size))


def convolve(
    x: Float[Array, "in batch *space"], weight: Float[Array, "out in *kernel"], dilation: int = 1
) -> Float[Array, "out batch *space"]:
    """Return the periodic cross-correlation of a batch, as one matrix product.

    In 1D all taps are gathered before the product. In 2D and 3D the taps of all axes but the
    last are; those of the last are shifted and added after it, which keeps the gathered matrix
    three times smaller.
    """
    offsets = tap_offsets(weight.shape[-1], dilation)
    if weight.ndim == 3:
        return _convolve_1d(x, weight, offsets)
    lead = weight.ndim - 3
    kernel = jnp.moveaxis(weight, 1, -2)  # out, lead taps, in, last taps
    kernel = jnp.moveaxis(kernel.reshape(weight.shape[0], -1, len(offsets)), 2, 0)
    parts = _multiply(kernel.reshape(-1, kernel.shape[-1]), _gather(x, (offsets,) * lead))
    parts = parts.reshape(len(offsets), weight.shape[0], *x.shape[1:])
    return sum(
        (jnp.roll(parts[tap], -shift, axis=-1) for tap, shift in enumerate(offsets)),
        start=jnp.zeros((), x.dtype),
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _convolve_1d(
    x: Float[Array, "in batch x"], weight: Float[Array, "out in tap"], offsets: tuple[int, ...]
) -> Float[Array, "out batch x"]:
    """Return the cross-correlation with all taps gathered first.

    Its gradient keeps the input alone, not the three times larger gathered matrix, and uses one
    gathered matrix of the incoming gradient for both products: less memory traffic.
    """
    kernel = jnp.moveaxis(weight, 2, 1).reshape(weight.shape[0], -1)
    return _multiply(kernel, _gather(x, (offsets,)))


def _convolve_1d_forward(
    x: Array, weight: Array, offsets: tuple[int, ...]
) -> tuple[Array, tuple[Array, Array]]:
    return _convolve_1d(x, weight, offsets), (x, weight)


def _convolve_1d_backward(
    offsets: tuple[int, ...], kept: tuple[Array, Array], gradient: Float[Array, "out batch x"]
) -> tuple[Array, Array]:
    x, weight = kept
    gathered = _gather(gradient, (tuple(-offset for offset in offsets),))
    kernel = jnp.moveaxis(weight, 0, 2).reshape(weight.shape[1], -1)
    flat = gathered.reshape(gathered.shape[0], -1)
    products = jnp.dot(flat, x.reshape(x.shape[0], -1).T)
    products = products.reshape(len(offsets), weight.shape[0], weight.shape[1])
    return _multiply(kernel, gathered), jnp.moveaxis(products, 0, 2)


_convolve_1d.defvjp(_convolve_1d_forward, _convolve_1d_backward)


def _gather(x: Array, offsets: tuple[tuple[int, ...], ...]) -> Array:
    """Stack shifted copies of ``x`` along the channels; axes are shifted from the first on."""
    axes = tuple(range(2, 2 + len(offsets)))
    shifted = [
        jnp.roll(x, tuple(-o for o in combination), axes) if any(combination) else x
        for combination in itertools.product(*offsets)
    ]
    return jnp.concatenate(shifted, axis=0)


def _multiply(kernel: Float[Array, "out in"], x: Array) -> Array:
    flat = jnp.dot(kernel, x.reshape(x.shape[0], -1))
    return flat.reshape(kernel.shape[0], *x.shape[1:])


class Pointwise(eqx.Module):
    """A 1×1 convolution: one matrix on the channels.

    Keys and initial values as for :class:`PeriodicConv` with a kernel of one point.
    """

    weight: Float[Array, "out in *ones"]
    bias: Float[Array, "out *ones"]

    def __init__(
        self, num_spatial_dims: int, in_channels: int, out_channels: int, *, key: PRNGKeyArray
    ) -> None:
        weight_key, bias_key = jax.random.split(key)
        ones = (1,) * num_spatial_dims
        limit = 1 / math.sqrt(in_channels)
        self.weight = _uniform(weight_key, (out_channels, in_channels, *ones), limit)
        self.bias = _uniform(bias_key, (out_channels, *ones), limit)

    def __call__(self, x: Float[Array, "in batch *space"]) -> Float[Array, "out batch *space"]:
        """Return the batch with its channels mixed."""
        kernel = self.weight.reshape(self.weight.shape[:2])
        return _multiply(kernel, x) + self.bias[:, None]
