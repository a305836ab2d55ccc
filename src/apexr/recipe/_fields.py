"""Checking and converting the values of a scenario's fields, by their annotations."""

import copy
import dataclasses
import functools
import inspect
import sys
import typing
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np

from apexr._grammar import Range
from apexr._per_axis import read_per_axis
from apexr.errors import SpecError


class _PerAxis:
    """Marks a field that holds one number for all axes of the grid, or one an axis."""


Points = Annotated[int | tuple[int, ...], _PerAxis(), Range(minimum=2)]
"""Grid points along each axis; a tuple where the axes differ."""

Extent = Annotated[float | tuple[float, ...], _PerAxis(), Range(minimum=0.0, exclusive=True)]
"""Length of each axis; a tuple where the axes differ."""


Seed = Annotated[int, Range(minimum=0, maximum=2**32 - 1)]


def derived() -> Any:
    """Return the declaration of a field that follows from the others and cannot be given."""
    return dataclasses.field(init=False)


def own_defaults(cls: type) -> None:
    """Let a field's default be a list or an array: each record then gets a copy of its own.

    Dataclasses refuse such a default, since all records would share one object.
    """
    for name, hint in inspect.get_annotations(cls).items():
        value = vars(cls).get(name)
        shared = isinstance(value, dataclasses.Field) or type(value).__hash__ is not None
        if not shared and "ClassVar" not in str(hint):
            make = functools.partial(copy.deepcopy, value)
            setattr(cls, name, dataclasses.field(default_factory=make))


@functools.cache
def defaults(cls: type) -> dict[str, Any]:
    """Return the defaults of a record's parameters, converted as what is given is."""
    hints = typing.get_type_hints(cls, include_extras=True)
    held = {}
    for field in dataclasses.fields(cls):
        if field.init and field.default_factory is not dataclasses.MISSING:
            held[field.name] = field.default_factory()
        elif field.init and field.default is not dataclasses.MISSING:
            held[field.name] = field.default
    return {name: _convert(name, value, hints[name]) for name, value in held.items()}


def same(first: Any, second: Any) -> bool:
    """Tell whether two values of a parameter are equal, arrays included."""
    outcome = first == second
    return outcome if isinstance(outcome, bool) else np.array_equal(first, second)


def convert_fields(record: Any, *, derived: bool) -> None:
    """Convert the given or the derived fields of a frozen record to their types, in place.

    Raises
    ------
    SpecError
        Naming the field, what was expected and what was given.
    """
    hints = typing.get_type_hints(type(record), include_extras=True)
    for field in dataclasses.fields(record):
        if field.init is derived:
            continue
        hint = hints[field.name]
        value = getattr(record, field.name)
        if any(isinstance(mark, _PerAxis) for mark in getattr(hint, "__metadata__", ())):
            one = functools.partial(_convert, hint=_of_one_axis(hint))
            value = read_per_axis(field.name, value, record.num_spatial_dims, one)
        else:
            value = _convert(field.name, value, hint)
        object.__setattr__(record, field.name, value)


def _of_one_axis(hint: Any) -> Any:
    """Return the type of a single entry, with its bounds."""
    return Annotated[typing.get_args(hint.__origin__)[0], *hint.__metadata__]


def _convert(name: str, value: Any, hint: Any) -> Any:
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()  # a number of NumPy or JAX
    bounds = next((e for e in getattr(hint, "__metadata__", ()) if isinstance(e, Range)), None)
    base = hint.__origin__ if hasattr(hint, "__metadata__") else hint
    if typing.get_origin(base) is tuple:
        return _convert_tuple(name, value, typing.get_args(base))
    if typing.get_origin(base) is typing.Literal:
        return _convert_literal(name, value, typing.get_args(base))
    convert = _CONVERTERS.get(base)
    if convert is None:  # other types are taken as they are
        return value
    converted: Any = convert(name, value)
    if bounds is not None and converted not in bounds:
        raise SpecError(f"{name} must be {bounds}, got {value!r}")
    return converted


def _convert_int(name: str, value: Any) -> int:
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise SpecError(f"{name} must be an integer, got {value!r}")
    return int(value)


def _convert_float(name: str, value: Any) -> float:
    number = isinstance(value, int | float | np.integer | np.floating)
    if isinstance(value, bool) or not number or not abs(value) <= sys.float_info.max:
        raise SpecError(f"{name} must be a finite number, got {value!r}")
    return float(value)


def _convert_bool(name: str, value: Any) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise SpecError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def _convert_str(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise SpecError(f"{name} must be a string, got {value!r}")
    return value


def _convert_tuple(name: str, value: Any, items: tuple[Any, ...]) -> tuple[Any, ...]:
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise SpecError(f"{name} must be a sequence of numbers, got {value!r}")
    size = None if items[-1] is Ellipsis else len(items)
    if not len(value) or (size is not None and len(value) != size):
        wanted = "at least one number" if size is None else f"{size} numbers"
        raise SpecError(f"{name} must hold {wanted}, got {value!r}")
    return tuple(_convert(f"{name}[{place}]", item, items[0]) for place, item in enumerate(value))


def _convert_literal(name: str, value: Any, allowed: tuple[Any, ...]) -> Any:
    if not any(type(value) is type(one) and value == one for one in allowed):
        raise SpecError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    return value


_CONVERTERS = {
    int: _convert_int,
    float: _convert_float,
    bool: _convert_bool,
    str: _convert_str,
}
