"""Attention in the layout ``(head, size, batch, *space)``, along one axis of space at a time."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr.kernels import factors, summed

LETTERS = "xyz"


def split_heads(x: Float[Array, "channel batch *space"], num_heads: int) -> Array:
    """Return the channels in groups, one a head: ``(head, size, batch, *space)``."""
    return x.reshape(num_heads, -1, *x.shape[1:])


def attend(
    queries: Float[Array, "head size batch *space"],
    keys: Float[Array, "head size batch *space"],
    values: Float[Array, "head size batch *space"],
    *,
    axis: int = 0,
    over: str = "keys",
) -> Float[Array, "head size batch *space"]:
    """Return the values of all points on the same line, weighted by how well keys fit queries.

    ``yᵢ = Σⱼ softmaxⱼ(qᵢ · kⱼ / √size) vⱼ``, where ``j`` runs along one axis and what lies
    elsewhere is untouched.

    Parameters
    ----------
    queries, keys, values
        Of each point.
    axis
        Along which axis of space.
    over
        ``"keys"``: the weights of a query add up to one. ``"queries"``: those of a key do.

    References
    ----------
    Vaswani et al. (2017), "Attention Is All You Need", NeurIPS, eq. 1.
    """
    space = LETTERS[: queries.ndim - 3]
    other = space[axis].upper()
    seen = space.replace(space[axis], other)
    weights = f"hb{space}{other}"
    queries, keys = factors(queries, keys)
    logits = summed(jnp.einsum(f"hdb{space},hdb{seen}->{weights}", queries, keys))
    along = -1 if over == "keys" else 2 + axis
    shares = jax.nn.softmax(logits / math.sqrt(queries.shape[1]), axis=along)
    shares, values = factors(shares, values)
    return summed(jnp.einsum(f"{weights},hdb{seen}->hdb{space}", shares, values))


def misfit_of_heads(width: int, heads: int, multiple: int = 1) -> str:
    """Return why so many heads cannot share the channels evenly, or ``""``.

    The text names the nearest widths that they can share, in parts that are a multiple of
    ``multiple``.
    """
    step = heads * multiple
    if width % step == 0:
        return ""
    below = width // step * step
    near = " and ".join(str(size) for size in (below, below + step) if size)
    return (
        f"WIDTH must be a multiple of {step} for {heads} HEADS, got {width}; the nearest widths"
        f" that fit are {near}"
    )
