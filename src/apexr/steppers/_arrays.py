"""Arrays of the host, of the device and traced ones, and the numbers that size them."""

from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from apexr.errors import SpecError
from apexr.kernels import prepare_host_devices


def array_module(*arrays: Any) -> ModuleType:
    """Return JAX's NumPy if one of the arrays is traced, NumPy otherwise."""
    return jnp if any(is_traced(array) for array in arrays) else np


def is_traced(value: Any) -> bool:
    """Tell whether a value stands for what a compiled program will be given."""
    return isinstance(value, jax.core.Tracer)


def default_float() -> np.dtype[Any]:
    """Return the type of JAX's floats: single precision unless x64 is on."""
    return jax.dtypes.canonicalize_dtype(float)


def on_device(value: Any, dtype: np.dtype[Any] | None = None) -> jax.Array:
    """Return a device array, in JAX's default precision unless a type is given.

    Host arrays are transferred, not converted by a compiled program as ``jnp.asarray`` would;
    traced arrays are left in place.
    """
    if isinstance(value, jax.Array):
        return value if dtype is None or value.dtype == dtype else value.astype(dtype)
    prepare_host_devices()
    placed: jax.Array = jax.device_put(np.asarray(value, dtype))
    return placed


def is_zero(value: Any) -> bool:
    """Tell whether a coefficient is known to be zero, so that its part need not be evaluated."""
    return array_module(value) is np and bool(value == 0)


def check_count(name: str, value: Any, minimum: int = 0) -> None:
    """Refuse what is not a whole number of at least ``minimum``.

    Raises
    ------
    SpecError
        Naming the parameter and the value.
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < minimum:
        raise SpecError(f"{name} must be an integer of at least {minimum}, got {value!r}")
