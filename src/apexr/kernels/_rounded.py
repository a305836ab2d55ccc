"""Products of factors that are rounded to bfloat16, summed in single precision.

It is asked for around a network (:func:`bfloat16_products`); the layers say what their factors are.
Weights, states and sums keep their 24 bits. So do gradients: what comes in from behind is rounded
before it is multiplied, and gradients are summed in single precision.

Rounded numbers stay in arrays of single precision. Two of them have at most 16 digits together, so
that their product is exact, whatever a device multiplies with.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import jax
from jaxtyping import Array

_ON: ContextVar[bool] = ContextVar("bfloat16_products", default=False)

EXPONENT_BITS, MANTISSA_BITS = 8, 7
"""The bits of bfloat16's fraction."""


@contextlib.contextmanager
def bfloat16_products() -> Iterator[None]:
    """Have layers that are traced within round the factors of their products."""
    token = _ON.set(True)
    try:
        yield
    finally:
        _ON.reset(token)


def is_rounding() -> bool:
    """Tell whether factors are rounded."""
    return _ON.get()


def factors(*arrays: Array) -> tuple[Array, ...]:
    """Return the factors of products as they are multiplied."""
    return tuple(map(_rounded, arrays)) if _ON.get() else arrays


def summed(products: Array) -> Array:
    """Return sums of products, whose gradient is rounded before it is multiplied in its turn."""
    return _rounded_behind(products) if _ON.get() else products


def _round(x: Array) -> Array:
    if jax.numpy.iscomplexobj(x):
        return jax.lax.complex(_round(x.real), _round(x.imag))
    return jax.lax.reduce_precision(x, EXPONENT_BITS, MANTISSA_BITS)


@jax.custom_jvp
def _rounded(x: Array) -> Array:
    return _round(x)


@_rounded.defjvp
def _rounded_jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[Array, Array]:
    return _rounded(*primals), tangents[0]


@jax.custom_jvp
def _rounded_behind(x: Array) -> Array:
    return x


@_rounded_behind.defjvp
def _rounded_behind_jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[Array, Array]:
    return _rounded_behind(*primals), _round(tangents[0])
