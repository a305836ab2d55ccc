"""The public doors: the arguments of a function are compared with its signature.

A wrong kind of thing (a list, an array, a path, a whole study) is refused before any work, with
what was given, what was expected and what to do. The annotations say what is expected, so that a
function needs no checks of its own.
"""

import functools
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from apexr import errors
from apexr._fits import (
    describe,
    fits,
    is_traced,
    kind_of,
    known_as,
    leaves,
    outside,
    shape_of,
    short_kind,
    word_for,
)
from apexr.errors import SpecError

P = ParamSpec("P")
R = TypeVar("R")

_HINTS = {
    ("Dataset", "str"): "open it first, with apexr.open_study or apexr.open_experiment",
    ("Dataset", "path"): "open it first, with apexr.open_study or apexr.open_experiment",
    ("Dataset", "DataArray"): "pass the whole result or study and name the variable",
    ("Dataset", "DataFrame"): "pass the result or study that the table was made from",
    ("Dataset", "DataTree"): "pass one of its groups, as tree[NAME].to_dataset()",
    ("Dataset", "list"): "pass one result, or join several by apexr.run_study",
    ("Dataset", "mapping"): "pass a result of apexr.run, or a study that is opened",
    ("DataArray", "Dataset"): "pass one of its variables, such as ds['{first}']",
    ("DataFrame", "Dataset"): "make a table of it first, with apexr.to_long or apexr.melt_metrics",
    ("DataFrame", "DataArray"): "make a table of it first, with its to_dataframe()",
    ("path", "Dataset"): "what is open already needs no path",
    ("path", "DataArray"): "what is open already needs no path",
    ("ndarray", "list"): "make it one, with numpy.asarray",
    ("ndarray", "DataArray"): "pass its values, as array.values",
    ("ndarray", "Dataset"): "pass the values of one of its variables, as ds['{first}'].values",
    ("str", "list"): "name one at a time",
    ("str", "module"): (
        "a network of one's own is registered under a name (apexr.networks.network), or scored with"
        " apexr.evaluate"
    ),
}
"""Advice, by the kinds that are expected and given."""


_WHOLE = ("Dataset", "DataArray", "DataTree", "DataFrame", "array", "path", "iterator")
"""Kinds that are refused by any parameter that does not ask for them."""


def checked(
    function: Callable[P, R], own: Iterable[str] = (), *, filled: bool = True
) -> Callable[P, R]:
    """Return a function that refuses what its annotations do not allow.

    Parameters
    ----------
    function
        A public function.
    own
        Parameters of which the function itself says more: of these, only data and paths are
        refused here. So are words where the annotation lists the words that there are.
    filled
        Whether lists must hold something.

    Raises
    ------
    SpecError
        From the function that is returned, naming the parameter.
    """
    if getattr(function, "__door__", False):
        return function

    @functools.wraps(function)
    def door(*args: P.args, **kwargs: P.kwargs) -> R:
        if _is_inside():
            return function(*args, **kwargs)
        signature, spread, several = _signature(function)
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:  # Python's own, which does not say of what
            unknown = next((name for name in kwargs if name not in signature.parameters), "")
            near = errors.suggest(unknown, signature.parameters) if unknown else ""
            raise TypeError(f"{_title(function)}: {error}{near}") from None
        for name, value in bound.arguments.items():
            default = signature.parameters[name].default
            if name in several:  # the annotation is that of each
                for one in value:
                    _check(function, name, one)
            elif name not in spread and value is not default:
                if name in own and _is_left(value, _hints(function).get(name, Any)):
                    _check_bounds(function, name, value)
                    continue
                _check(function, name, value)
                if filled:
                    _check_filled(function, name, value, default)
                bound.arguments[name] = _plain(value, _hints(function).get(name, Any))
        _check_alike(function, bound.arguments)
        return function(*bound.args, **bound.kwargs)

    door.__door__ = True  # type: ignore[attr-defined]
    door.__own__ = tuple(own)  # type: ignore[attr-defined]
    return door


@functools.cache
def _signature(
    function: Callable[..., Any],
) -> tuple[inspect.Signature, tuple[str, ...], tuple[str, ...]]:
    """Return a signature, and which of its parameters take all other keywords or arguments."""
    signature = inspect.signature(function)
    parameters = signature.parameters.values()
    spread = tuple(p.name for p in parameters if p.kind is p.VAR_KEYWORD)
    return signature, spread, tuple(p.name for p in parameters if p.kind is p.VAR_POSITIONAL)


_INSIDE = frozenset(
    (
        *("spectral", "steppers", "networks", "metrics", "initial", "objectives", "training"),
        *("engine", "scenarios", "experiment", "_run", "study", "schema", "store"),
    )
)
"""Packages of which calls are not checked.

Numerics call each other thousands of times while a program is traced, and the store asks the
schema eighty times a result. The input of a run or a study is parsed where it enters, by code that
says more than a door can.
"""


def _is_inside() -> bool:
    """Tell whether apexr or JAX calls a function: what they pass has been checked."""
    frame: types.FrameType | None = sys._getframe(2)
    while frame is not None and (name := frame.f_globals.get("__name__", "")):
        if not name.startswith("equinox."):  # methods of modules are bound there
            return _is_unasked(name)
        frame = frame.f_back
    return False


@functools.cache
def _is_unasked(module: str) -> bool:
    package, _, rest = module.partition(".")
    return package == "jax" or (package == "apexr" and rest.partition(".")[0] in _INSIDE)


def _is_left(value: Any, hint: Any) -> bool:
    """Tell whether a value of an own parameter is left to its function.

    Data and paths are not, nor modules where only text will do, nor single things where a list is
    asked for: functions do not expect these.
    """
    kind, wanted = kind_of(value), {short_kind(one) for one in leaves(hint)} - {"NoneType"}
    if "ndarray" in wanted and kind == "array":  # of other axes
        return True
    if wanted == {"str"}:
        return kind not in (*_WHOLE, "module")
    return kind in ("list", "str") if wanted == {"list"} else kind not in _WHOLE


def check_all(
    package: dict[str, Any],
    names: Iterable[str] | None = None,
    own: Mapping[str, Iterable[str]] | None = None,
    *,
    filled: bool = False,
) -> None:
    """Put what a package exports, by default all, behind doors, in its namespace.

    Functions are; of classes, what makes an object, calls it, and each method that has a name.

    Parameters
    ----------
    package
        The namespace of the package, with ``__all__``.
    names
        Its property.
    own
        By function or class, the parameters of which it says more itself.
    filled
        Whether lists that are given to functions must hold something.
    """
    for name in package["__all__"] if names is None else names:
        value = package[name]
        if inspect.isfunction(inspect.unwrap(value)) and not inspect.isclass(value):
            package[name] = checked(value, (own or {}).get(name, ()), filled=filled)
            package[name].__module__ = package["__name__"]  # where it is found by name
        elif inspect.isclass(value):
            check_class(value, (own or {}).get(name, ()))


def check_class(cls: type, own: Iterable[str] = ()) -> None:
    """Put the methods of a class and of apexr's classes above it behind doors.

    Left as they are: exceptions, named tuples, protocols, and the making of an object whose class
    reads its keywords itself.
    """
    for base in cls.__mro__:
        ours = base.__module__.partition(".")[0] == "apexr" and base not in _DONE
        if not ours or issubclass(base, BaseException | tuple) or _is_protocol(base):
            continue
        _DONE.add(base)
        reads_itself = hasattr(type(base), "read_keywords")
        called = ("__call__",) if reads_itself else ("__init__", "__call__")
        for name, held in list(vars(base).items()):
            if name in called or not name.startswith("_"):
                _check_method(base, name, held, own)


_DONE: set[type] = set()


def _is_protocol(cls: type) -> bool:
    return bool(getattr(cls, "_is_protocol", False))


def _check_method(cls: type, name: str, held: Any, own: Iterable[str]) -> None:
    if isinstance(held, staticmethod | classmethod):
        setattr(cls, name, type(held)(checked(held.__func__, own, filled=False)))
    elif not isinstance(held, type) and inspect.isfunction(found := getattr(cls, name, None)):
        setattr(cls, name, checked(found, own, filled=False))


def _check(function: Callable[..., Any], name: str, value: Any) -> None:
    wanted = _hints(function).get(name, Any)
    title = _title(function)
    if fits(value, wanted):
        _check_bounds(function, name, value)
        return
    names = [word for kind in leaves(wanted) for word in [word_for(kind)]]
    expected = " or ".join(dict.fromkeys(names))
    given = kind_of(value)
    kinds = [short_kind(kind) for kind in leaves(wanted)]
    told = (_HINTS[kind, given] for kind in kinds if (kind, given) in _HINTS)
    hint = next(told, "").format(first=next(iter(getattr(value, "data_vars", ())), "mean_nRMSE"))
    raise SpecError(
        f"{title}: {name} must be {expected}, got {describe(value)}{'; ' if hint else ''}{hint}"
    )


def _check_bounds(function: Callable[..., Any], name: str, value: Any) -> None:
    """Refuse a number out of its range, or a name that there is not, of the right kind."""
    wanted = _hints(function).get(name, Any)
    if fits(value, wanted) and (bounds := outside(value, wanted)):
        raise SpecError(f"{_title(function)}: {name} must be {bounds}, got {describe(value)}")


def _title(function: Callable[..., Any]) -> str:
    """Return what a function is called by its users."""
    name = function.__qualname__.rpartition("<locals>.")[-1]
    return name.removesuffix(".__init__").removesuffix(".__call__")


def _check_filled(function: Callable[..., Any], name: str, value: Any, default: Any) -> None:
    """Refuse an empty list where something must be chosen."""
    none_is_fine = isinstance(default, Sequence) and not len(default)
    listed = any(short_kind(kind) == "list" for kind in leaves(_hints(function).get(name, Any)))
    if listed and kind_of(value) in ("list", "array") and not len(value) and not none_is_fine:
        raise SpecError(f"{_title(function)}: {name} must not be empty")


def _check_alike(function: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """Refuse arrays of two shapes where the annotations name the same axes."""
    shapes: dict[str, tuple[str, tuple[int, ...]]] = {}
    for name in _arrays(function):
        shape = getattr(given.get(name), "shape", None)
        if shape is None:
            continue
        axes = shape_of(_hints(function)[name]) or ""
        first, there = shapes.setdefault(axes, (name, tuple(shape)))
        if tuple(shape) != there:
            raise errors.ShapeError(
                f"{_title(function)}: {first} and {name} must have one shape,"
                f" ({', '.join(axes.split())}), got {there} and {tuple(shape)}"
            )


@functools.cache
def _arrays(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the parameters that are arrays with the axes of another one."""
    named = {name: shape_of(hint) for name, hint in _hints(function).items() if name != "return"}
    axes = [one for one in named.values() if one and one != "..."]
    return tuple(name for name, one in named.items() if one and axes.count(one) > 1)


def _plain(value: Any, hint: Any) -> Any:
    """Return numbers of any library as Python's own, and lists as tuples, where expected."""
    kinds = {short_kind(kind) for kind in leaves(hint)}
    held = kind_of(value)
    if held in ("Dataset", "DataArray"):
        value = _with_python_text(value)
    if is_traced(value) or held not in ("array", "DataArray", "list") or kinds & {"ndarray", "Any"}:
        return value
    if held in ("array", "DataArray") and held not in kinds and kinds & _PLAIN:
        value = value.values.tolist() if held == "DataArray" else value.tolist()
    frozen = {typing.get_origin(kind) for kind in leaves(hint)} & {tuple, list, Sequence, Iterable}
    return tuple(value) if frozen == {tuple} and isinstance(value, list) else value


def _with_python_text(data: Any) -> Any:
    """Return data with labels as Python strings: ``xarray.open_zarr`` reads NumPy's, a type apart.

    NumPy casts that type to no other text, and pandas does not know it.
    """
    texts = {name: coord for name, coord in data.coords.items() if coord.dtype.kind == "T"}
    return data.assign_coords({n: c.astype(object) for n, c in texts.items()}) if texts else data


_PLAIN = {"list", "int", "float", "bool"}


@functools.cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations of the parameters; those that cannot be read allow anything."""
    space = getattr(inspect.unwrap(function), "__globals__", {})
    return {
        name: _read_hint(hint, space) for name, hint in inspect.get_annotations(function).items()
    }


def _read_hint(hint: Any, space: dict[str, Any]) -> Any:
    try:
        alone = types.SimpleNamespace(__annotations__={"of": hint})
        return typing.get_type_hints(alone, space, include_extras=True)["of"]
    except (NameError, TypeError, SyntaxError, AttributeError):  # imported by checkers alone
        last = hint.rpartition(".")[-1] if isinstance(hint, str) else ""
        return known_as(last) if last.isidentifier() else Any


check_all(vars(errors), ("how_to_install", "needs", "suggest", "warn"))
"""That module stands below this one."""
