"""Activation functions by name."""

import math
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array

from apexr._registry import Registry

ActivationFn = Callable[[Array], Array]

ACTIVATIONS: Registry[ActivationFn] = Registry("activation", "apexr.activations")
"""Every activation by its name in config strings."""


def activate(name: str, x: Array) -> Array:
    """Return the activation called ``name`` of ``x``."""
    return ACTIVATIONS.get(name)(x)


def _relu(x: Array) -> Array:
    return jax.nn.relu(x)


def _identity(x: Array) -> Array:
    return x


def _exact_gelu(x: Array) -> Array:
    return x * (0.5 + 0.5 * jax.lax.erf(x * math.sqrt(0.5)))


ACTIVATIONS.register("relu")(_relu)
ACTIVATIONS.register("sigmoid")(jax.nn.sigmoid)
ACTIVATIONS.register("tanh")(jnp.tanh)
ACTIVATIONS.register("swish")(jax.nn.swish)
ACTIVATIONS.register("gelu")(partial(jax.nn.gelu, approximate=True))
ACTIVATIONS.register("exact_gelu")(_exact_gelu)
ACTIVATIONS.register("identity")(_identity)
