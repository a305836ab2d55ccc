"""How eagerly to optimise a program that runs once: small ones are compiled fast instead."""

from collections.abc import Callable
from typing import Any, TypeVar

import jax

F = TypeVar("F", bound=Callable[..., Any])

SMALL = 2**20
"""Numbers that a program may handle and still be called small."""

_FAST_COMPILE = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}


def jit_once(function: F, *, static_argnames: tuple[str, ...] = ()) -> Callable[[int], F]:
    """Return the function from the size of the work to the jitted function for it.

    Drawing random numbers takes longer to compile than to do, unless there are very many.
    """
    quick = jax.jit(function, static_argnames=static_argnames, compiler_options=_FAST_COMPILE)
    thorough = jax.jit(function, static_argnames=static_argnames)
    return lambda size: quick if size < SMALL else thorough  # type: ignore[return-value]
