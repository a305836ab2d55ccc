"""Matrix products over batch and space, and their gradients in a shape that CPUs are quick at."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

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
