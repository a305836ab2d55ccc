"""How programs are compiled: small ones fast, and none twice on a machine.

Compiler options and the names of compiler passes are private to XLA, and each release may drop
some. An option that is not known is an error, the name of a pass is not. So options are tried on a
trivial program, and what a pass is left out for is looked up in such a program's compiled text:
once a process, when the first program that wants it is compiled.
"""

import functools
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import equinox as eqx
import jax

from apexr.kernels._devices import usable_cores

F = TypeVar("F", bound=Callable[..., Any])
Options = dict[str, Any]

SMALL = 2**20
"""Numbers that a program may handle and still be called small."""


@functools.cache
def one_thread_each() -> Options:
    """Return the compiler options for programs of which every core runs one of its own.

    All devices of a CPU share one pool of threads. An operation that is cut into tasks for the
    pool waits until the other device, whose operations fill the pool, lets them in: up to 50 times
    the time that it takes alone. Whole operations, each in the thread of its device, wait for
    nothing.
    """
    if jax.default_backend() != "cpu":
        return {}
    return _effective(
        {"xla_cpu_multi_thread_eigen": False},
        without="cpu-parallel-task-assigner",
        program=jax.lax.sin,
        holds=lambda text: "outer_dimension_partitions" not in text,
    )


@functools.cache
def keeping_barriers() -> Options:
    """Return the compiler options with which :func:`jax.lax.optimization_barrier` works on a CPU.

    There the compiler takes barriers out before it fuses operations, so that what several of
    them read is computed in each, with all that it is made of. Newer compilers make one kernel of
    a small loop with all that is in it, which they cannot do where a barrier is left.
    """
    if jax.default_backend() != "cpu":
        return {}
    return _effective(
        {},
        without="cse_barrier_expander,small-while-loop-hoisting",
        program=_barrier_in_a_loop,
        holds=lambda text: "opt-barrier" in text,
    )


def _barrier_in_a_loop(x: Any) -> Any:
    def body(_: int, x: Any) -> Any:
        kept = jax.lax.optimization_barrier(jax.lax.neg(x))
        return jax.lax.add(jax.lax.rev(kept, (0,)), kept)

    return jax.lax.fori_loop(0, 3, body, jax.lax.slice(x, (0, 0), (1, 8)))


def _effective(
    options: Options, *, without: str, program: Callable[[Any], Any], holds: Callable[[str], bool]
) -> Options:
    """Return the options that are known, and the one that leaves passes out if that has effect.

    Parameters
    ----------
    options
        Other options.
    without
        Names of compiler passes.
    program
        Makes of one large array what the passes would change.
    holds
        Tells from the compiled text of the program whether they left it alone.
    """
    passes: Options = {"xla_disable_hlo_passes": without}
    if _shows(program, options | passes, holds):  # as a rule this is all that is compiled
        return options | passes
    options = _known(options)
    return options | passes if _shows(program, passes, holds) else options


def _shows(program: Callable[[Any], Any], options: Options, holds: Callable[[str], bool]) -> bool:
    text = _compiled_text(program, options)
    return text is not None and holds(text)


def _known(options: Options) -> Options:
    """Return the options that the compiler of this process accepts."""
    if _compiled_text(_identity, options) is not None:
        return options
    single = ({option: value} for option, value in options.items())
    accepted = [option for option in single if _compiled_text(_identity, option) is not None]
    return {name: value for option in accepted for name, value in option.items()}


def _identity(x: Any) -> Any:
    return x


def _compiled_text(program: Callable[[Any], Any], options: Options) -> str | None:
    """Return a program of one large array as it is compiled, None if it cannot be."""
    lowered = jax.jit(program).lower(jax.ShapeDtypeStruct((256, 256), "float32"))
    try:
        return lowered.compile(compiler_options=options).as_text()
    except jax.errors.JaxRuntimeError:
        return None


class Ahead:
    """A program that other threads compile while this one goes on.

    A call of the jitted function with arguments of the same kind then finds it compiled. Lowering
    is done here and now: it depends on what JAX is set to in this thread.

    Parameters
    ----------
    lowered
        The function to compile.
    otherwise
        Compiles something else, where this cannot be.
    """

    def __init__(self, lowered: Any, otherwise: Callable[[], Any] | None = None) -> None:
        self._future = _compilers().submit(_timed, lowered.compile)
        self._otherwise = otherwise

    def result(self) -> tuple[Any, float]:
        """Return the program, once it is compiled, and how many seconds that took.

        Raises
        ------
        jax.errors.JaxRuntimeError
            If it does not compile.
        """
        try:
            return self._future.result()
        except jax.errors.JaxRuntimeError:
            if self._otherwise is None:
                raise
        return _timed(self._otherwise)


def _timed(make: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    return make(), time.perf_counter() - started


@functools.cache
def _compilers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, usable_cores()), thread_name_prefix="compile")


class JitForDevices:
    """A jitted function whose last argument are the devices that share its work.

    Where they are several it is compiled with :func:`one_thread_each`; a single device keeps all
    threads for whatever it is given, a large network as well as a solver.

    Parameters
    ----------
    function, jit, options
        The arguments of the compilation.
    """

    def __init__(
        self, function: Callable[..., Any], jit: Any = eqx.filter_jit, **options: Any
    ) -> None:
        functools.update_wrapper(self, function)
        self._alone = jit(function, **options)
        self._together = functools.cache(
            lambda: jit(function, compiler_options=one_thread_each(), **options)
        )

    def __call__(self, *arguments: Any) -> Any:
        """Return what the function makes of the arguments."""
        return self._jitted(arguments)(*arguments)

    def ahead(self, *arguments: Any) -> Ahead:
        """Return the program for arguments of these shapes, compiled while others work."""
        return Ahead(self._jitted(arguments).lower(*arguments))

    def _jitted(self, arguments: tuple[Any, ...]) -> Any:
        return self._together() if len(arguments[-1]) > 1 else self._alone


class JitKeepingBarriers:
    """A jitted function whose barriers stay, on a CPU too; see :func:`keeping_barriers`.

    Barriers only make it faster. Where the compiler cannot emit them, the function is compiled as
    compilers do by default.

    Parameters
    ----------
    function, options
        As for :func:`jax.jit`.
    """

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        self._jitted = jax.jit(function, compiler_options=keeping_barriers(), **options)
        self._by_default = jax.jit(function, **options)

    def __call__(self, *arguments: Any) -> Any:
        """Return what the function makes of the arguments."""
        try:
            return self._jitted(*arguments)
        except jax.errors.JaxRuntimeError:
            before = self._jitted
            self.compiled(*arguments)
            if self._jitted is before:  # it compiles: the error is one of running it
                raise
        return self._jitted(*arguments)

    def ahead(self, *arguments: Any) -> Ahead:
        """Return the program for arguments of these shapes, compiled while others work."""
        lowered = self._jitted.lower(*arguments)
        return Ahead(lowered, otherwise=lambda: self.compiled(*arguments))

    def compiled(self, *arguments: Any) -> Any:
        """Return the program for arguments of these shapes, which a call then uses."""
        try:
            return self._jitted.lower(*arguments).compile()
        except jax.errors.JaxRuntimeError:
            if self._jitted is self._by_default:
                raise
            self._jitted = self._by_default
        return self._jitted.lower(*arguments).compile()


_FAST_COMPILE: Options = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}


def jit_once(function: F, *, static_argnames: tuple[str, ...] = ()) -> Callable[[int], F]:
    """Return the function from the size of the work to the jitted function for it.

    Drawing random numbers takes longer to compile than to do, unless there are very many.
    """

    @functools.cache
    def quick() -> Any:
        options = _known(_FAST_COMPILE) if jax.default_backend() == "cpu" else {}
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
