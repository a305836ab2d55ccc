"""Numbers that are one for all axes of a grid, or one an axis.

The canonical form is a plain number wherever all axes agree, so that ``(64, 64)`` and ``64`` are
the same grid, the same label and the same experiment.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from apexr.errors import SpecError

T = TypeVar("T", int, float)


def joined(values: Sequence[T]) -> T | tuple[T, ...]:
    """Return the number that all axes share, otherwise one an axis."""
    first = values[0]
    return first if all(value == first for value in values) else tuple(values)


def spread(value: T | tuple[T, ...], num_spatial_dims: int) -> tuple[T, ...]:
    """Return one number an axis."""
    return value if isinstance(value, tuple) else (value,) * num_spatial_dims


def read_per_axis(
    name: str, value: Any, num_spatial_dims: int, read: Callable[[str, Any], T]
) -> T | tuple[T, ...]:
    """Return a number, or a sequence of one an axis, in the canonical form.

    Parameters
    ----------
    name
        Its name in errors.
    value
        As it was given: a number, or a tuple, list or array.
    num_spatial_dims
        How many axes there are.
    read
        Checks and converts one number, given its name and value.

    Raises
    ------
    SpecError
        If there are numbers for another number of axes, or ``read`` refuses one.
    """
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        return read(name, value)
    if len(value) != num_spatial_dims:
        raise SpecError(
            f"{name} must be one number, or {num_spatial_dims} of them, one for each of the"
            f" {num_spatial_dims} spatial axes (num_spatial_dims={num_spatial_dims}),"
            f" got {value!r}"
        )
    return joined([read(f"{name}[{axis}]", entry) for axis, entry in enumerate(value)])


def read_count(name: str, value: Any, minimum: int, maximum: float = math.inf) -> int:
    """Return a whole number within bounds.

    Raises
    ------
    SpecError
        Naming it and the bounds.
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not minimum <= value <= maximum:
        limit = f" and at most {maximum}" if math.isfinite(maximum) else ""
        raise SpecError(f"{name} must be an integer, at least {minimum}{limit}, got {value!r}")
    return int(value)


def read_length(name: str, value: Any) -> float:
    """Return a finite number above 0.

    Raises
    ------
    SpecError
        Naming it.
    """
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not 0 < value < math.inf:
        raise SpecError(f"{name} must be a finite number above 0, got {value!r}")
    return value  # type: ignore[no-any-return]
