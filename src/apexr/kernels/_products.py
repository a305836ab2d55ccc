"""Matrix products over batch and space, and their gradients in a shape that CPUs are quick at."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr.kernels._barriers import computed_once
from apexr.kernels._rounded import factors, summed

LANES = 16
"""How many columns of a product a CPU makes at once."""
SLOW = 8
"""More columns than that, beyond the last whole vector, take longer than a vector would."""

_PRODUCTS = "pok,pkn->pon"


def multiply(kernel: Float[Array, "out in"], x: Float[Array, "in batch *space"]) -> Array:
    """Return the channels of ``x`` mixed by a matrix, as one product."""
    return summed(multiply_as_given(*factors(kernel, x)))


def multiply_as_given(kernel: Float[Array, "out in"], x: Float[Array, "in batch *space"]) -> Array:
    """Return the same of factors that are rounded already, where they are to be."""
    flat = jnp.dot(kernel, x.reshape(x.shape[0], -1))
    return flat.reshape(kernel.shape[0], *x.shape[1:])


@jax.custom_jvp
def multiply_wide(
    kernel: Float[Array, "out in"], x: Float[Array, "in batch *space"]
) -> Float[Array, "out batch *space"]:
    """Return what :func:`multiply_as_given` does, for a matrix with fewer rows than columns.

    Its gradient is a product whose columns are the few outputs. One whose columns are the many
    inputs first writes ``x`` again in another order, which takes several times as long.
    """
    return multiply_as_given(kernel, x)


@multiply_wide.defjvp
def _multiply_wide_jvp(
    primals: tuple[Array, Array], tangents: tuple[Array, Array]
) -> tuple[Array, Array]:
    (kernel, x), (kernel_change, x_change) = primals, tangents
    columns = computed_once(kernel_change.T)  # else the compiler turns the product around
    turned = jnp.tensordot(x.reshape(x.shape[0], -1), columns, ((0,), (0,)))
    by_kernel = jnp.swapaxes(turned, 0, 1).reshape(-1, *x.shape[1:])
    return multiply_wide(kernel, x), by_kernel + multiply_as_given(kernel, x_change)


@jax.custom_jvp
def multiply_each(
    kernels: Float[Array, "product out in"], x: Float[Array, "product in point"]
) -> Float[Array, "product out point"]:
    """Return the products of pairs of matrices, of which the second have far more columns."""
    return jnp.einsum(_PRODUCTS, kernels, x)


@multiply_each.defjvp
def _multiply_each_jvp(
    primals: tuple[Array, Array], tangents: tuple[Array, Array]
) -> tuple[Array, Array]:
    (kernels, x), (kernels_change, x_change) = primals, tangents
    by_kernels = jnp.einsum(_PRODUCTS, fill_lanes(kernels_change, 2), fill_lanes(x, 1))
    by_x = jnp.einsum(_PRODUCTS, kernels, x_change)
    return multiply_each(kernels, x), by_kernels + by_x


def fill_lanes(x: Array, axis: int) -> Array:
    """Return ``x`` with some zeros more along an axis, if a product is faster with them.

    It is where the axis becomes the columns of a product: 26 of them take a third longer than 32.
    """
    size = x.shape[axis]
    if size < LANES or size % LANES <= SLOW:
        return x
    widths = [(0, -size % LANES if number == axis else 0) for number in range(x.ndim)]
    return jnp.pad(x, widths)
