"""The public doors: what is passed to a function is held against what its signature says.

A wrong kind of thing (a list, an array, a path, a whole study) is refused before any work, with
what was given, what was expected and what to do. The annotations say what is expected, so that a
function needs no checks of its own.
"""

import functools
import inspect
import numbers
import os
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from apexr.errors import SpecError

P = ParamSpec("P")
R = TypeVar("R")

SHORT = 60
"""How much of a value a message shows."""

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
    ("str", "list"): "name one at a time",
    ("str", "module"): (
        "a network of one's own is registered under a name (apexr.networks.network), or scored with"
        " apexr.evaluate"
    ),
}
"""What to do, by what is expected and what is given."""


_WHOLE = ("Dataset", "DataArray", "DataTree", "DataFrame", "array", "path", "iterator")
"""What is refused for any parameter that does not ask for it."""


def checked(function: Callable[P, R], own: Iterable[str] = ()) -> Callable[P, R]:
    """Return a function that refuses what its annotations do not allow.

    Parameters
    ----------
    function
        A public function.
    own
        Parameters of which the function itself says more: of these, only data and paths are
        refused here. So are words where the annotation lists the words that there are.

    Raises
    ------
    SpecError
        From the function that is returned, naming the parameter.
    """
    if getattr(function, "__door__", False):
        return function
    signature = inspect.signature(function)
    parameters = signature.parameters.values()
    spread = [p.name for p in parameters if p.kind is p.VAR_KEYWORD]
    several = [p.name for p in parameters if p.kind is p.VAR_POSITIONAL]

    @functools.wraps(function)
    def door(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = signature.bind(*args, **kwargs)  # a wrong number of arguments is Python's own error
        for name, value in bound.arguments.items():
            default = signature.parameters[name].default
            if name in several:  # the annotation is that of each
                for one in value:
                    _check(function, name, one)
            elif name not in spread and value is not default:
                if name in own and _is_left(value, _hints(function).get(name, Any)):
                    continue
                _check(function, name, value)
                _check_filled(function, name, value, default)
                bound.arguments[name] = _plain(value, _hints(function).get(name, Any))
        return function(*bound.args, **bound.kwargs)

    door.__door__ = True  # type: ignore[attr-defined]
    return door


def _is_left(value: Any, hint: Any) -> bool:
    """Tell whether a value of an own parameter is left to its function.

    Data and paths are not, nor modules where only text will do, nor single things where a list is
    asked for: functions do not expect these.
    """
    kind, wanted = kind_of(value), {_short_kind(one) for one in _leaves(hint)} - {"NoneType"}
    if wanted == {"str"}:
        return kind not in (*_WHOLE, "module")
    return kind in ("list", "str") if wanted == {"list"} else kind not in _WHOLE


def check_all(
    package: dict[str, Any],
    names: Iterable[str] | None = None,
    own: Mapping[str, Iterable[str]] | None = None,
) -> None:
    """Put functions that a package exports, by default all, behind doors, in its namespace.

    ``own`` names, by function, the parameters of which it says more itself.
    """
    for name in package["__all__"] if names is None else names:
        value = package[name]
        if inspect.isfunction(value) and not inspect.isgeneratorfunction(value):
            package[name] = checked(value, (own or {}).get(name, ()))
            package[name].__module__ = package["__name__"]  # where it is found by name


def _check(function: Callable[..., Any], name: str, value: Any) -> None:
    wanted = _hints(function).get(name, Any)
    if _fits(value, wanted):
        return
    names = [word for kind in _leaves(wanted) for word in [_word(kind)]]
    expected = " or ".join(dict.fromkeys(names))
    given = kind_of(value)
    kinds = [_short_kind(kind) for kind in _leaves(wanted)]
    told = (_HINTS[kind, given] for kind in kinds if (kind, given) in _HINTS)
    hint = next(told, "").format(first=next(iter(getattr(value, "data_vars", ())), "mean_nRMSE"))
    raise SpecError(
        f"{function.__name__}: {name} must be {expected}, got {describe(value)}"
        f"{'; ' if hint else ''}{hint}"
    )


def _check_filled(function: Callable[..., Any], name: str, value: Any, default: Any) -> None:
    """Refuse an empty list where something must be chosen."""
    none_is_fine = isinstance(default, Sequence) and not len(default)
    listed = any(_short_kind(kind) == "list" for kind in _leaves(_hints(function).get(name, Any)))
    if listed and kind_of(value) in ("list", "array") and not len(value) and not none_is_fine:
        raise SpecError(f"{function.__name__}: {name} must not be empty")


def _plain(value: Any, hint: Any) -> Any:
    """Return numbers of NumPy, JAX or xarray as Python's own, where these are expected."""
    kinds = {_short_kind(kind) for kind in _leaves(hint)}
    held = kind_of(value)
    if held not in ("array", "DataArray") or held in kinds or kinds & {"ndarray", "Any"}:
        return value
    if kinds & {"list", "int", "float", "bool"}:
        return value.values.tolist() if held == "DataArray" else value.tolist()
    return value


@functools.cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations of the parameters; those that cannot be read allow anything."""
    found = {}
    for name, hint in inspect.get_annotations(function).items():
        try:
            alone = types.SimpleNamespace(__annotations__={name: hint})
            space = getattr(function, "__globals__", {})
            found[name] = typing.get_type_hints(alone, space)[name]
        except (NameError, TypeError, SyntaxError, AttributeError):  # imported by checkers alone
            found[name] = Any
    return found


# --- whether a value fits --------------------------------------------------------------------


def _fits(value: Any, hint: Any) -> bool:
    hint = _bare(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in _UNIONS:
        return any(_fits(value, kind) for kind in arguments)
    if origin is typing.Literal:  # which words there are is said by the function
        return isinstance(value, str) or (isinstance(value, int | bool) and value in arguments)
    if origin in _LISTS:
        fixed = origin is tuple and Ellipsis not in arguments
        size = len(arguments) if fixed else None
        once = origin is Iterable and kind_of(value) == "iterator"
        return once or _is_listed(value, () if fixed else arguments, size)
    kind = origin or (types.NoneType if hint is None else hint)
    return _is_a(value, kind) if isinstance(kind, type) else True


_UNIONS = (typing.Union, types.UnionType)
_LISTS = (Iterable, Sequence, list, tuple)


def _is_a(value: Any, kind: type) -> bool:
    value = _scalar(value)
    if kind is bool:
        return isinstance(value, bool) or type(value).__name__ == "bool"
    if kind in (int, float):
        whole = numbers.Integral if kind is int else numbers.Real
        return isinstance(value, whole) and not isinstance(value, bool)
    if kind is _CALLABLE:
        return callable(value)
    if kind is os.PathLike:  # also a place of an object store, which has no file system path
        return isinstance(value, kind) or (hasattr(value, "read_bytes") and hasattr(value, "name"))
    try:
        return isinstance(value, kind)
    except TypeError:  # a protocol that cannot be tested at run time
        return True


_CALLABLE: type = Callable  # type: ignore[assignment]


def _scalar(value: Any) -> Any:
    """Return the number that an array without axes holds, and everything else as it is."""
    held = getattr(value, "ndim", None) == 0 and kind_of(value) in ("array", "DataArray")
    return value.item() if held and hasattr(value, "item") else value


def _is_listed(value: Any, kinds: tuple[Any, ...], size: int | None) -> bool:
    """Tell whether a value is a list of what is wanted, in whatever container."""
    if kind_of(value) not in ("list", "array", "DataArray") or getattr(value, "ndim", 1) != 1:
        return False
    inside = [kind for kind in kinds if kind is not Ellipsis]
    right = all(_fits(item, kind) for kind in inside[:1] for item in value)
    return right and size in (None, len(value))


def _bare(hint: Any) -> Any:
    """Return an annotation without what is only for readers."""
    hint = typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint
    return typing.Any if isinstance(hint, TypeVar) else hint


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


def _leaves(hint: Any) -> list[Any]:
    """Return the kinds that a union is of."""
    hint = _bare(hint)
    if typing.get_origin(hint) in _UNIONS:
        return [leaf for kind in typing.get_args(hint) for leaf in _leaves(kind)]
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
    "Hashable": "a label",
    "BaseScenario": "a scenario",
    "Hook": "a tracker",
    "Client": "a Dask client",
}


def _short_kind(hint: Any) -> str:
    origin = typing.get_origin(hint)
    if origin in _LISTS:
        return "list"
    kind = origin or hint
    if kind is Mapping:
        return "mapping"
    if kind is _CALLABLE:
        return "module"
    if isinstance(kind, type) and issubclass(kind, os.PathLike):
        return "path"
    return "NoneType" if kind is None else getattr(kind, "__name__", str(kind))


def _word(hint: Any) -> str:
    arguments = [kind for kind in typing.get_args(hint) if kind is not Ellipsis]
    if typing.get_origin(hint) is typing.Literal:
        return ", ".join(map(repr, arguments))
    kind = _short_kind(hint)
    if kind == "list":
        inside = " of " + _word(arguments[0]) if arguments and arguments[0] is not Any else ""
        return f"a list{inside}"
    return _WORDS.get(kind, f"a {kind}")
