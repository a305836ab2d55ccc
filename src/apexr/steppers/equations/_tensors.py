"""Coefficients that are one number, one number a spatial axis, or a matrix."""

import math
from typing import Any

import jax
import numpy as np

from apexr._typing import Number, Numbers
from apexr.errors import ShapeError, SpecError
from apexr.spectral import Grid
from apexr.steppers._arrays import is_traced

Coefficient = Number
"""A number: Python's, NumPy's or JAX's, traced ones included."""

Tensor = Numbers
"""A number, or (nested) tuples of numbers."""

_FORMS = ("a number", "a number or one a spatial axis", "a number, one a spatial axis, or a matrix")
_TOLERANCE = 1e-6  # of a matrix that was made in single precision


def freeze(equation: Any, **max_ranks: int) -> None:
    """Turn the named fields of a frozen dataclass into numbers and tuples of numbers.

    Equations are compared and hashed; arrays and lists can not be. Traced numbers are kept.

    Raises
    ------
    SpecError
        If a field is not finite numbers of at most the rank given for it.
    """
    for name, max_rank in max_ranks.items():
        object.__setattr__(equation, name, tensor(name, getattr(equation, name), max_rank))


def tensor(name: str, value: Any, max_rank: int) -> Tensor:
    """Return one field of :func:`freeze`."""
    nested = _nested(value)
    if not _is_tensor(nested, max_rank):
        raise SpecError(f"{name} must be {_FORMS[max_rank]}, finite and real, got {value!r}")
    return nested


def _nested(value: Any) -> Any:
    if isinstance(value, jax.Array | np.ndarray | np.generic) and not is_traced(value):
        value = np.asarray(value).tolist()
    if isinstance(value, list | tuple) or (is_traced(value) and value.ndim):
        return tuple(_nested(entry) for entry in value)
    return value


def _is_tensor(nested: Any, max_rank: int) -> bool:
    if isinstance(nested, tuple):
        return max_rank > 0 and bool(nested) and all(_is_tensor(n, max_rank - 1) for n in nested)
    if is_traced(nested):
        return True
    number = isinstance(nested, int | float) and not isinstance(nested, bool)
    return number and math.isfinite(nested)


def per_axis(name: str, value: Tensor, grid: Grid) -> tuple[Coefficient, ...]:
    """Return one number a spatial axis.

    Raises
    ------
    ShapeError
        If there are numbers for another number of axes.
    """
    dims = grid.num_spatial_dims
    if not isinstance(value, tuple):
        return (value,) * dims
    if len(value) != dims:
        raise ShapeError(
            f"{name} must be a number or {dims} numbers, one a spatial axis of the"
            f" grid, got {len(value)}: {value}"
        )
    return value


def is_matrix(value: Tensor) -> bool:
    """Tell whether a coefficient is given as a matrix."""
    return isinstance(value, tuple) and any(isinstance(row, tuple) for row in value)


def check_diffusive(name: str, value: Tensor) -> None:
    """Refuse what would make waves grow, or a matrix whose rows do not make a square.

    Traced numbers can not be looked at and pass.

    Raises
    ------
    ShapeError
        If a matrix is not square.
    SpecError
        If it is not symmetric and positive semidefinite.
    """
    rows = value if is_matrix(value) else ()
    if any(not isinstance(row, tuple) or len(row) != len(rows) for row in rows):
        raise ShapeError(f"{name} must be a square matrix, one row a spatial axis, got {value}")
    if any(is_traced(leaf) for leaf in jax.tree.leaves(value)):
        return
    matrix = np.asarray(value) if rows else np.diag(np.atleast_1d(value))
    slack = _TOLERANCE * np.max(np.abs(matrix))
    if np.max(np.abs(matrix - matrix.T)) > slack:
        raise SpecError(
            f"{name} must be a symmetric matrix, got {value}; only its symmetric part"
            " acts, so give (A + A.T) / 2"
        )
    lowest = np.min(np.linalg.eigvalsh(matrix))
    if lowest < -slack:
        raise SpecError(
            f"{name} must be positive semidefinite, got {value} with the eigenvalue {lowest:.3g}:"
            " waves in its direction would grow without bound. Check its sign and its off-diagonal"
            " entries; if backward diffusion is meant, use Linear((0.0, 0.0, diffusivity))"
        )


def coefficients(name: str, values: Any) -> tuple[Coefficient, ...]:
    """Return ``values`` as a tuple of numbers.

    Raises
    ------
    SpecError
        If ``values`` is not a sequence of at least one number.
    """
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise SpecError(f"{name} must be a sequence of numbers, got {values!r}")
    numbers = tuple(values)
    if not numbers or any(isinstance(number, str) or number is None for number in numbers):
        raise SpecError(f"{name} must be a sequence of at least one number, got {values!r}")
    return numbers
