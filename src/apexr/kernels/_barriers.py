"""Values that several operations read, computed once."""

from typing import TypeVar

import jax

from apexr.kernels._platform import form

T = TypeVar("T")


def computed_once(x: T) -> T:
    """Return ``x``, computed before whatever reads it, on devices where that is faster.

    The compiler would fuse an array, with all that it is made of, into each operation that reads
    it. On a CPU barriers stay only in programs of :class:`JitKeepingBarriers`. Accelerators compute
    faster than they read memory: there the compiler decides.
    """
    return jax.lax.optimization_barrier(x) if form().barriers else x
