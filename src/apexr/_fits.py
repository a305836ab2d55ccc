"""Whether a value fits an annotation, and both in a few words: what :mod:`apexr._doors` asks."""

import functools
import numbers
import os
import types
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from apexr._typing import Like

SHORT = 60
"""How much of a value a message shows."""

# --- whether a value fits --------------------------------------------------------------------


def fits(value: Any, hint: Any) -> bool:
    """Tell whether a value is what an annotation allows; what is not known is allowed."""
    hint = bare(hint)
    mark, origin, arguments = _mark(hint), typing.get_origin(hint), typing.get_args(hint)
    if is_traced(value):  # it has no value yet
        fit = True
    elif mark is not None:
        fit = value in mark
    elif origin in _UNIONS:
        fit = any(fits(value, kind) for kind in arguments)
    elif origin is typing.Literal:  # which words there are is said by the function
        fit = isinstance(value, str) or (isinstance(value, int | bool) and value in arguments)
    elif origin in _LISTS:
        fixed = origin is tuple and Ellipsis not in arguments
        size = len(arguments) if fixed else None
        fit = _is_listed(value, () if fixed else arguments, size, loose=origin in _LOOSE)
    elif shape_of(hint) is not None:
        fit = _is_array(value, hint)
    else:
        kind = origin or (types.NoneType if hint is None else hint)
        fit = _is_a(value, kind) if isinstance(kind, type) else True
    return fit


_UNIONS = (typing.Union, types.UnionType)
_LOOSE = (Iterable, Collection)
_LISTS = (*_LOOSE, Sequence, list, tuple)


def is_traced(value: Any) -> bool:
    """Tell whether a value stands for one that a compiled or differentiated program will have."""
    return any(cls.__name__ == "Tracer" for cls in type(value).__mro__)


def shape_of(hint: Any) -> str | None:
    """Return the axes that an annotation of an array names, ``None`` for anything else."""
    axes = getattr(hint, "dim_str", None)  # of jaxtyping
    if axes is not None:
        return str(axes)
    named = hint.__name__.rpartition(".")[-1] if isinstance(hint, type) else ""
    is_array = named in ("Array", "ndarray")
    return "..." if is_array else None


def _is_array(value: Any, hint: Any) -> bool:
    """Tell whether a value is an array of numbers with the axes that an annotation names."""
    if shape_of(hint) == "" and isinstance(value, int | float) and not isinstance(value, bool):
        return not is_key(hint)
    if not (hasattr(value, "shape") and hasattr(value, "dtype")) or kind_of(value) == "DataArray":
        return False
    dtype, named = str(value.dtype), _dtypes(hint)
    if is_key(hint):  # of one key or of several
        old = dtype == "uint32" and value.shape and value.shape[-1] in (2, 4)
        return bool(old) or dtype.startswith("key<")
    real = named and not any("complex" in name for name in named)
    unfit = dtype.startswith(("key<", "object", "<U", "|S", *(("complex",) if real else ())))
    return not unfit and _has_shape(value, hint)


def is_key(hint: Any) -> bool:
    """Tell whether an annotation is one of the forms of a random key."""
    named = _dtypes(hint)
    return named == ("prng_key",) or (named == ("uint32",) and shape_of(hint) in ("2", "4"))


def _dtypes(hint: Any) -> tuple[str, ...]:
    held = getattr(hint, "dtypes", ())
    return tuple(map(str, held)) if isinstance(held, list | tuple) else ()


def _has_shape(value: Any, hint: Any) -> bool:
    """Tell whether an array has as many axes as an annotation names, ``*axes`` being any number."""
    axes = (shape_of(hint) or "").split()
    fixed = [axis for axis in axes if not axis.startswith("*") and axis != "..."]
    size = len(getattr(value, "shape", ()))
    return size >= len(fixed) if len(fixed) < len(axes) else size == len(fixed)


def _is_a(value: Any, kind: type) -> bool:
    """Tell whether a value is an instance, also as another library has such instances."""
    value = scalar(value) if kind in (bool, int, float, str) else value
    if kind is bool:
        return isinstance(value, bool) or type(value).__name__ == "bool"
    if kind in (int, float):
        whole = numbers.Integral if kind is int else numbers.Real
        return isinstance(value, whole) and not isinstance(value, bool)
    if kind in (Mapping, dict) and kind_of(value) != "mapping":  # a Dataset is one, too
        return False
    place = kind is os.PathLike and hasattr(value, "read_bytes") and hasattr(value, "name")
    try:
        return place or isinstance(value, kind)
    except TypeError:  # a protocol that cannot be tested at run time
        return True


CALLABLE: type = Callable  # type: ignore[assignment]


def scalar(value: Any) -> Any:
    """Return the number that an array without axes holds, and everything else as it is."""
    held = getattr(value, "ndim", None) == 0 and kind_of(value) in ("array", "DataArray")
    valued = hasattr(value, "item") and not is_traced(value) and not _is_random_key(value)
    if not held or not valued:
        return value
    return value.values.item() if hasattr(value, "values") else value.item()


def _is_random_key(value: Any) -> bool:
    return str(getattr(value, "dtype", "")).startswith("key<")


def _is_listed(value: Any, kinds: tuple[Any, ...], size: int | None, *, loose: bool) -> bool:
    """Tell whether a value is a list of what is wanted, in whatever container.

    Where any iterable will do, ``loose``, it may be an iterator, or a mapping, for its keys.
    """
    kind = kind_of(value)
    if loose and kind == "iterator":
        return True
    listed = kind in ("list", "array", "DataArray") or (loose and kind == "mapping")
    if not listed or getattr(value, "ndim", 1) != 1:
        return False
    inside = [kind for kind in kinds if kind is not Ellipsis and kind is not Any]
    right = all(fits(item, kind) for kind in inside[:1] for item in value)
    return right and size in (None, len(value))


class _Known(type):
    """The type of a stand-in for a class that is known by its name alone."""

    def __instancecheck__(cls, value: Any) -> bool:
        return any(one.__name__ == cls.__name__ for one in type(value).__mro__)


@functools.cache
def known_as(name: str) -> type:
    """Return a stand-in for a class of that name, which need not be imported."""
    return _Known(name, (), {})


def bare(hint: Any) -> Any:
    """Return an annotation without what is only for readers."""
    if typing.get_origin(hint) is typing.Annotated and _mark(hint) is None:
        hint = typing.get_args(hint)[0]
    return typing.Any if isinstance(hint, TypeVar) else hint


def _mark(hint: Any) -> Like | None:
    """Return what an annotation says of values where it names no type."""
    marks = getattr(hint, "__metadata__", ())
    return next((mark for mark in marks if isinstance(mark, Like)), None)


def outside(value: Any, hint: Any) -> str | None:
    """Return the bounds or the names of an annotation that a value is not among."""
    marks = [m for m in getattr(hint, "__metadata__", ()) if hasattr(m, "__contains__")]
    value = scalar(value) if marks else value
    if not isinstance(value, str | int | float):
        return None
    return next((str(mark) for mark in marks if value not in mark), None)


# --- what messages say -----------------------------------------------------------------------


def kind_of(value: Any) -> str:
    """Return what sort of thing a value is, in one word; libraries need not be imported."""
    named = type(value).__name__
    if named in ("Dataset", "DataArray", "DataTree", "DataFrame"):
        return named
    return next((word for word, is_one in _KINDS if is_one(value)), "thing")


def _is_sized(value: Any) -> bool:
    return isinstance(value, Iterable) and hasattr(value, "__len__") and not callable(value)


_KINDS: tuple[tuple[str, Callable[[Any], bool]], ...] = (
    ("str", lambda value: isinstance(value, str | bytes)),
    ("path", lambda value: isinstance(value, os.PathLike)),
    ("mapping", lambda value: isinstance(value, Mapping)),
    ("array", lambda value: hasattr(value, "__array__") and hasattr(value, "shape")),
    ("iterator", lambda value: isinstance(value, Iterator)),
    ("list", _is_sized),
    ("module", callable),
)


def describe(value: Any) -> str:
    """Return a value in a few words."""
    kind = kind_of(value)
    if kind == "Dataset" and "experiment" in value.dims:
        return f"a study of {value.sizes['experiment']} experiments"
    if kind in _DESCRIBED:
        return _DESCRIBED[kind](value)
    text = repr(value).partition("\n")[0]
    shown = text if len(text) <= SHORT else f"{text[:SHORT]}…"
    return shown if isinstance(value, str | int | float | type(None)) else f"{_type(value)} {shown}"


_DESCRIBED: dict[str, Callable[[Any], str]] = {
    "Dataset": lambda value: f"a Dataset of {_few(value.data_vars)}",
    "DataArray": lambda value: f"the DataArray {value.name!r} along {_few(value.dims)}",
    "DataFrame": lambda value: f"a table with the columns {_few(value.columns)}",
    "DataTree": lambda value: f"a tree of {_few(value.children)}",
    "array": lambda value: f"an array of shape {tuple(value.shape)}",
    "path": lambda value: f"the path {os.fspath(value)!r}",
}


def _type(value: Any) -> str:
    return f"the {type(value).__name__}"


def _few(names: Iterable[Any]) -> str:
    listed = [str(name) for name in names]
    return ", ".join(listed[:4]) + (", …" if len(listed) > 4 else "") or "nothing"


def leaves(hint: Any) -> list[Any]:
    """Return the kinds that a union is of."""
    hint = bare(hint)
    if typing.get_origin(hint) in _UNIONS:
        return [leaf for kind in typing.get_args(hint) for leaf in leaves(kind)]
    return [hint]


_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "True or False",
    "path": "a path",
    "NoneType": "None",
    "Dataset": "a Dataset (a result or a study)",
    "DataArray": "a DataArray",
    "DataTree": "a DataTree (of apexr.open_rollouts)",
    "DataFrame": "a pandas table",
    "mapping": "a mapping",
    "module": "a function",
    "ndarray": "an array",
    "key": "a random key (jax.random.key)",
    "Hashable": "a label",
    "BaseScenario": "a scenario",
    "Hook": "a tracker",
    "Client": "a Dask client",
}


def short_kind(hint: Any) -> str:
    """Return what an annotation asks for, in the words of :func:`kind_of` where it has one."""
    origin = typing.get_origin(hint)
    if origin in _LISTS:
        return "list"
    if shape_of(hint) is not None:
        return "key" if is_key(hint) else "ndarray"
    kind = origin or hint
    if kind is Mapping:
        return "mapping"
    if kind is CALLABLE:
        return "module"
    if isinstance(kind, type) and issubclass(kind, os.PathLike):
        return "path"
    return "NoneType" if kind is None else getattr(kind, "__name__", str(kind))


def word_for(hint: Any) -> str:
    """Return what an annotation asks for, as a message says it."""
    hint = bare(hint)
    if (mark := _mark(hint)) is not None:
        return str(mark)
    arguments = [kind for kind in typing.get_args(hint) if kind is not Ellipsis]
    if typing.get_origin(hint) is typing.Literal:
        return ", ".join(map(repr, arguments))
    if typing.get_origin(hint) in _UNIONS:
        return " or ".join(dict.fromkeys(map(word_for, arguments)))
    kind, axes = short_kind(hint), shape_of(hint)
    if kind == "list":
        inside = " of " + word_for(arguments[0]) if arguments and arguments[0] is not Any else ""
        return f"a list{inside}"
    if kind == "ndarray" and axes not in (None, "..."):
        return f"an array ({', '.join(str(axes).split())})"
    return _WORDS.get(kind, f"{'an' if kind[0] in 'AEIOaeio' else 'a'} {kind}")
