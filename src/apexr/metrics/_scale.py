"""Scales that keep squares of very small and very large fields within the range of floats."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

_BITS = {16: jnp.uint16, 32: jnp.uint32, 64: jnp.uint64}


def scale_of(field: Float[Array, "channel *space"]) -> Float[Array, "channel *ones"]:
    """Return for each channel a power of two near its largest magnitude.

    Division by it is exact, so that nothing changes where nothing would underflow. A channel that
    is zero or not finite has the scale 0.
    """
    axes = tuple(range(1, field.ndim))
    return _power_of_two(jnp.max(jnp.abs(field), axis=axes, keepdims=True))


def scale_of_all(field: Float[Array, "channel *space"]) -> Float[Array, ""]:
    """Return the scale of all channels together; 1 where it would be 0."""
    scale = _power_of_two(jnp.max(jnp.abs(field)))
    return jnp.where(scale == 0, 1, scale)


def scales(
    error: Float[Array, "channel *space"], *units: Float[Array, "channel *space"]
) -> tuple[Array, Array]:
    """Return the scale of an error, and that of the fields that it is relative to, none of them 0.

    A field of zeros takes the scale of the other, so that their ratio is in no one's way.
    """
    own = scale_of(error)
    held = jnp.ones_like(own)
    if units:
        held = functools.reduce(jnp.maximum, map(scale_of, units))
    held = jnp.where(held == 0, jnp.where(own == 0, 1, own), held)
    return jnp.where(own == 0, held, own), held


def _power_of_two(value: Array) -> Array:
    """Return the largest power of two that is not above a value; 0 where it is not finite."""
    info: Any = jnp.finfo(value.dtype)  # type: ignore[no-untyped-call]
    value = jax.lax.stop_gradient(value)
    exponent = _BITS[info.bits](((1 << info.bits) - 1) ^ ((1 << info.nmant) - 1))
    bits = jax.lax.bitcast_convert_type(value, exponent.dtype) & exponent
    power = jax.lax.bitcast_convert_type(bits, value.dtype)
    return jnp.where(jnp.isfinite(power), power, 0)
