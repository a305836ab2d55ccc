"""How programs are compiled: small ones fast, and none twice on a machine."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import equinox as eqx
import jax

F = TypeVar("F", bound=Callable[..., Any])

SMALL = 2**20
"""Numbers that a program may handle and still be called small."""

ONE_THREAD_EACH: dict[str, str | bool] = {
    "xla_cpu_multi_thread_eigen": False,
    "xla_disable_hlo_passes": "cpu-parallel-task-assigner",
}
"""Compiler options for programs of which every core runs one of its own.

All devices of a CPU share one pool of threads. An operation that is cut into tasks for the pool
waits until the other device, whose operations fill the pool, lets them in: up to 50 times the
time that it takes alone. Whole operations, each in the thread of its device, wait for nothing.
"""


def keeping_barriers() -> dict[str, str | bool]:
    """Return the compiler options with which :func:`jax.lax.optimization_barrier` works on a CPU.

    There the compiler takes barriers out before it fuses operations, so that what several of
    them read is computed in each, with all that it is made of.
    """
    on_cpu = jax.default_backend() == "cpu"
    return {"xla_disable_hlo_passes": "cse_barrier_expander"} if on_cpu else {}


def jit_for_devices(function: F, jit: Any = eqx.filter_jit, **options: Any) -> F:
    """Return a jitted function whose last argument are the devices that share its work.

    Where they are several it is compiled with :data:`ONE_THREAD_EACH`; a single device keeps all
    threads for whatever it is given, a large network as well as a solver.
    """
    alone = jit(function, **options)
    together = jit(function, compiler_options=ONE_THREAD_EACH, **options)

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        return (together if len(arguments[-1]) > 1 else alone)(*arguments)

    return call  # type: ignore[return-value]


_FAST_COMPILE: dict[str, str | bool | int] = {
    "xla_backend_optimization_level": 0,
    "xla_cpu_use_fusion_emitters": False,
}


@functools.cache
def _is_known(option: str, value: Any) -> bool:
    """Return whether the compiler of this process accepts an option: a trivial program tries it.

    Compiler options are private to XLA, and each release may drop some.
    """
    lowered = jax.jit(lambda x: x).lower(jax.ShapeDtypeStruct((), "float32"))
    try:
        lowered.compile(compiler_options={option: value})
    except jax.errors.JaxRuntimeError:
        return False
    return True


def known(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that the compiler of this process accepts."""
    return {option: value for option, value in options.items() if _is_known(option, value)}


def jit_once(function: F, *, static_argnames: tuple[str, ...] = ()) -> Callable[[int], F]:
    """Return the function from the size of the work to the jitted function for it.

    Drawing random numbers takes longer to compile than to do, unless there are very many.
    """

    @functools.cache
    def quick() -> Any:
        options = known(_FAST_COMPILE)
        return jax.jit(function, static_argnames=static_argnames, compiler_options=options)

    thorough = jax.jit(function, static_argnames=static_argnames)
    return lambda size: quick() if size < SMALL else thorough  # type: ignore[return-value]


def keep_compiled() -> None:
    """Keep compiled programs on disk, so that the next run of the same shapes starts at once.

    A cache that was chosen already, by ``JAX_COMPILATION_CACHE_DIR`` or by configuring JAX, is
    left as it is.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "apexr"
    if jax.config.values["jax_compilation_cache_dir"] is None:
        jax.config.update("jax_compilation_cache_dir", str(cache))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
