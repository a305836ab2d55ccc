"""One switch for the precision of everything that is computed."""

from contextlib import AbstractContextManager
from typing import Any, get_args

import jax

from apexr._typing import Precision
from apexr.errors import SpecError, suggest


def current_precision() -> str:
    """Return the precision that JAX is set to."""
    return str(jax.dtypes.canonicalize_dtype(float).name)


def matmul_precision() -> str:
    """Return the precision of matrix products that JAX is set to, ``"default"`` if to none.

    That is single precision on CPUs; on other devices products may round their factors further.
    """
    return str(jax.config.jax_default_matmul_precision or "default")  # type: ignore[attr-defined]


def check_precision(given: Any) -> None:
    """Refuse what is no precision; None stands for what JAX is set to.

    Raises
    ------
    SpecError
        Naming all precisions.
    """
    names = get_args(Precision)
    if given is not None and given not in names:
        near = suggest(given, names) if isinstance(given, str) else ""
        *others, last = map(repr, names)
        raise SpecError(f"precision must be {', '.join(others)} or {last}, got {given!r}{near}")


MIXED = "mixed"
"""The precision in which networks multiply in bfloat16, and all else is in float32."""


def computing_in(precision: str | None) -> AbstractContextManager[Any]:
    """Return a context in which JAX computes in a precision; None leaves it as it is set.

    For ``"mixed"`` that is single precision: networks round their factors themselves.
    """
    return jax.enable_x64((precision or current_precision()) == "float64")
