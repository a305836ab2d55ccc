"""Methods of a scenario that a subclass overrides, and what tells their versions apart.

The numbers of an experiment then depend on code of the user's. Its fingerprint is made of the
source without comments and layout, of the constants and functions that it reaches by name, and of
the methods of the class that it calls. An object that cannot be written down, such as an object
that a function was made with, leaves the fingerprint unknown; such an experiment runs, but is not
stored.
"""

import ast
import dataclasses
import functools
import hashlib
import inspect
import textwrap
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from apexr._digest import digest

HONORED = (
    "produce_data",
    "get_train_data",
    "get_test_data",
    "get_valid_data",
    "get_optimizer",
    "get_network",
    "get_neural_stepper",
    "get_trainer",
)
"""Methods that an experiment calls where a subclass overrides them."""

_OF_RECIPE = ("_code", "_fields", "_identity", "_meanings", "_meta", "_registry")
_OF_EXPERIMENT = (
    *("_align", "_data", "_kept", "_reference", "_resolution", "_score", "_shown", "_warm"),
    "disk_cache",
)
_PHYSICAL = {
    "_convection": ("Burgers", "Convection", "KuramotoSivashinskyConservative"),
    "_nonlinear": ("BurgersSingleChannel", "KortewegDeVries", "KuramotoSivashinsky", "Nonlinear"),
    "_linear": (
        *("Advection", "AdvectionDiffusion", "Diffusion", "Dispersion", "FirstFour"),
        *("HyperDiffusion", "Linear", "LinearSimple"),
    ),
}
_FORMER = {
    **{
        f"apexr.scenarios.physical._shared.{name}": f"apexr.scenarios.physical.{file}"
        for file, names in _PHYSICAL.items()
        for name in names
    },
    "apexr.recipe._protocol.Choice": "apexr.experiment",
    "apexr.recipe._identity.Request": "apexr.scenarios._pieces",
    "apexr.recipe._registry.resolve": "apexr.scenarios._resolve",
    "apexr.recipe._registry.scenario_key": "apexr.scenarios._identity",
    "apexr.recipe._configs": "apexr.scenarios._identity",
    "apexr.scenarios._numerics.NonlinearSolver": "apexr.scenarios._etdrk",
    "apexr.scenarios._interfaces.Domain": "apexr.scenarios.physical._interface",
    "apexr.scenarios._interfaces.Physical": "apexr.scenarios.physical._interface",
    "apexr.experiment._execute": "apexr.experiment",
    "apexr.experiment._experiment": "apexr.experiment",
    "apexr.experiment._scenario": "apexr.scenarios._base",
    "apexr.experiment._plan": "apexr.scenarios._pieces",
    **{f"apexr.recipe.{name}": f"apexr.scenarios.{name}" for name in _OF_RECIPE},
    **{f"apexr.experiment.{name}": f"apexr.scenarios.{name}" for name in _OF_EXPERIMENT},
}
"""Where parts of apexr were that code of users may name: stored fingerprints keep their names."""

UNKNOWN = "unknown"
"""The fingerprint of code that depends on what cannot be written down."""


def is_overridden(scenario: object, name: str) -> bool:
    """Tell whether a class from outside of apexr defines a method of the scenario."""
    owner = next(cls for cls in type(scenario).__mro__ if name in vars(cls))
    return not is_ours(owner)


def own_method(scenario: object, name: str) -> Callable[..., Any] | None:
    """Return a method of a scenario where a class from outside of apexr defines it, else None."""
    return getattr(scenario, name) if is_overridden(scenario, name) else None


def code_of(scenario: object) -> dict[str, str]:
    """Return the fingerprints of the overridden methods by name; empty for most scenarios."""
    cls = type(scenario)
    return {
        name: fingerprint(getattr(cls, name), cls)
        for name in HONORED
        if is_overridden(scenario, name)
    }


def fingerprint(function: Any, cls: type) -> str:
    """Return a digest of a method of a class and of all that it reaches, or ``"unknown"``."""
    try:
        return digest(_Reader(cls).read(function))
    except _UnknownError:
        return UNKNOWN


class _UnknownError(Exception):
    """Something that cannot be written down."""


class _Reader:
    """Writes down functions and values as plain data; what is met again is only counted."""

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.package = cls.__module__.partition(".")[0]
        self.seen: dict[int, int] = {}
        self.held: list[Any] = []  # so that no id is used twice

    def read(self, value: Any) -> Any:
        """Return a value as plain data.

        Raises
        ------
        _UnknownError
            If that is not possible.
        """
        if getattr(value, "__door__", False):  # what it leads to is what it is
            value = value.__wrapped__
        if value is None or isinstance(value, bool | int | str):
            return [type(value).__name__, value]
        if isinstance(value, float | complex | bytes):
            return [type(value).__name__, repr(value)]
        if id(value) in self.seen:
            return ["again", self.seen[id(value)]]
        self.seen[id(value)] = len(self.seen)
        self.held.append(value)
        return self._read_object(value)

    def _read_object(self, value: Any) -> Any:
        if callable(value) and hasattr(value, "__wrapped__"):  # compiled or cached
            return self.read(value.__wrapped__)
        if isinstance(value, types.FunctionType):
            return self._read_function(value)
        if isinstance(value, type):
            return self._read_class(value)
        for kinds, parts in _TAKEN_APART:
            if isinstance(value, kinds):
                return [self.read(part) for part in parts(value)]
        if hasattr(value, "__array__"):
            return _read_array(np.asarray(value))
        if dataclasses.is_dataclass(value):
            held = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
            return ["record", self.read(type(value)), self.read(held)]
        raise _UnknownError

    def _is_own(self, thing: Any) -> bool:
        """Tell whether a function or class belongs to the package of the scenario."""
        return (getattr(thing, "__module__", None) or "").partition(".")[0] == self.package

    def _read_function(self, function: types.FunctionType) -> Any:
        if not self._is_own(function):
            if function.__closure__:
                raise _UnknownError
            return ["function", _home(function), function.__qualname__]
        try:
            found = inspect.getclosurevars(function)
        except ValueError:  # a variable that has no value yet
            raise _UnknownError from None
        names = {**found.globals, **found.nonlocals}
        names.pop("__class__", None)
        return [
            "code",
            _source(function),
            self.read([function.__defaults__, function.__kwdefaults__]),
            [[name, self.read(names[name])] for name in sorted(names)],
            [[name, self.read(vars(owner)[name])] for name, owner in self._methods(function)],
        ]

    def _methods(self, function: types.FunctionType) -> list[tuple[str, type]]:
        """Return the names in a function that classes of the user's define on the scenario."""
        owners = [cls for cls in self.cls.__mro__ if not is_ours(cls) and cls is not object]
        return [
            (name, owner)
            for name in sorted(_names(function.__code__))
            for owner in owners
            if isinstance(vars(owner).get(name), _METHODS)
        ]

    def _read_class(self, cls: type) -> Any:
        named = ["class", _home(cls), cls.__qualname__]
        if not self._is_own(cls) or cls is self.cls:
            return named
        methods = {n: v for n, v in vars(cls).items() if isinstance(v, _METHODS)}
        bases = [self.read(base) for base in cls.__bases__]
        return [named, bases, [[n, self.read(methods[n])] for n in sorted(methods)]]


_METHODS = (types.FunctionType, staticmethod, classmethod, property, functools.partial)


def _parts(value: Any) -> list[Any]:
    """Return what a method or a partial function is made of."""
    names = ("__func__", "__self__", "fget", "func", "args", "keywords")
    return [type(value).__name__, *(getattr(value, name, None) for name in names)]


def _items(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return ["mapping", *(part for item in value.items() for part in item)]
    return ["sequence", *value]


def _name(value: Any) -> list[Any]:
    return [
        "named",
        getattr(value, "__module__", None),
        _FORMER.get(value.__name__, value.__name__),
    ]


_TAKEN_APART: tuple[tuple[Any, Callable[[Any], list[Any]]], ...] = (
    ((staticmethod, classmethod, property, functools.partial, types.MethodType), _parts),
    ((Mapping, list, tuple), _items),
    ((types.ModuleType, types.BuiltinFunctionType, np.ufunc), _name),
)


def is_ours(cls: type) -> bool:
    """Tell whether a class is defined in apexr."""
    return cls.__module__.partition(".")[0] == "apexr"


def _home(thing: Any) -> str:
    """Return the module of a function or class, as fingerprints have it."""
    module: str = thing.__module__
    return _FORMER.get(f"{module}.{thing.__qualname__}", _FORMER.get(module, module))


def _names(code: types.CodeType) -> set[str]:
    """Return the names that a function and the functions in it use."""
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return set(code.co_names).union(*(_names(one) for one in inner))


def _read_array(array: np.ndarray) -> Any:
    if array.dtype.kind not in "biufc":
        raise _UnknownError
    content = hashlib.blake2b(np.ascontiguousarray(array).tobytes(), digest_size=16).hexdigest()
    return ["array", array.dtype.str, list(array.shape), content]


def _source(function: types.FunctionType) -> Any:
    """Return the source without comments and layout; the compiled code where there is none."""
    try:
        return ast.unparse(ast.parse(textwrap.dedent(inspect.getsource(function))))
    except (OSError, TypeError, SyntaxError):
        return _compiled(function.__code__)


def _compiled(code: types.CodeType) -> Any:
    consts = [_compiled(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts]
    return [code.co_code.hex(), consts, list(code.co_names), list(code.co_varnames)]
