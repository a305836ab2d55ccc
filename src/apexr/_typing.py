"""Type aliases shared by all layers; this module imports no other part of apexr."""

import dataclasses
from collections.abc import Callable
from os import PathLike
from typing import Annotated, Any, Literal

PathInput = str | PathLike[str]
"""A path as users give it."""

Precision = Literal["float32", "float64", "mixed"]
"""The precision of a computation; ``mixed`` is float32 but for factors in networks' products."""


@dataclasses.dataclass(frozen=True)
class Like:
    """A condition on values that no type states; ``words`` is its name in messages."""

    words: str
    holds: Callable[[Any], bool]

    def __contains__(self, value: object) -> bool:
        return self.holds(value)

    def __str__(self) -> str:
        return self.words


def _is_numeric(value: Any) -> bool:
    """Tell whether a value is a number or holds numbers alone; of arrays, the type is looked at."""
    if isinstance(value, list | tuple):
        return all(map(_is_numeric, value))
    dtype = str(getattr(value, "dtype", ""))
    if dtype and hasattr(value, "shape"):
        return not hasattr(value, "dims") and dtype.startswith(
            ("float", "int", "uint", "complex", "bfloat")
        )
    return isinstance(value, int | float | complex) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return not isinstance(value, list | tuple) and _is_numeric(value)


def _is_step(value: Any) -> bool:
    return callable(value) and not isinstance(value, type)


Numbers = Annotated[Any, Like("a number or an array of numbers", _is_numeric)]
"""Numbers that a program may be differentiated by: of Python, or arrays that JAX traces."""

Number = Annotated[Any, Like("a number", _is_number)]
"""One number, or an array that stands for one or for several at once."""

Step = Annotated[Any, Like("a function of one state: a network, an emulator, a stepper", _is_step)]
"""A map from state to state, or several that are stacked, as one module."""
