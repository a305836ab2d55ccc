"""Whatever stands on a page of the API refuses wrong kinds of things, naming the parameter.

What is public is collected from the pages of the API reference, so that nothing can be forgotten:
functions, the making of objects, calling them, and their methods.
"""

import functools
import importlib
import inspect
import sys
import types
import typing
from collections import abc
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import apexr
from apexr import _doors
from apexr.errors import SpecError

sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "_ext"))
import api_pages

LEFT_ALONE = {
    "apexr.accessor.ApexrAccessor.__init__": "made by xarray, of a Dataset",
    "apexr.accessor.ApexrPlots.__init__": "made by the accessor",
}
"""What has no door, with the reason; scenarios read their keywords themselves."""

OPEN = {
    "apexr.experiment._scenario.BaseScenario.perform_tests_on_rollout": (
        "neural_rollout",
        "test_data_no_init",
    ),
    "apexr.climate": ("source", "states"),
    "apexr.clock": ("source",),
    "apexr.decompose": ("source", "states"),
    "apexr.ensemble": ("source", "states"),
    "apexr.evaluate": ("rollout", "reference"),
    "apexr.lyapunov": ("stepper", "states"),
    "apexr.simulate": ("initial_states",),
    "apexr.run_study": ("client",),
    "apexr.study.run_planned": ("client",),
    "apexr.plots.save": ("obj",),
    "apexr.scenarios.score": ("rollout", "reference"),
    "apexr.scenarios.inspect": ("source", "dims"),
    "apexr.training._stream.Streamed.__init__": ("dtype",),
    "apexr.trackers.as_trackers": ("trackers",),
    "apexr.trackers.read_trackers": ("table",),
    "apexr.training.check_trackers": ("trackers",),
    "apexr.engine._stacked.Stacked.__call__": ("state",),  # says always what to do instead
    "apexr.engine._tasks.Corrected.__init__": ("network",),
    "apexr.engine.needs_statistics": ("emulators",),
    "apexr.networks._refiner.Refiner.__init__": ("network",),
    "apexr.networks._wrappers.Wrapped.__init__": ("core",),
    "apexr.steppers._terms.PointwiseTerm.__init__": ("parameters",),
    "apexr.training._moment.Moment.__init__": ("params", "tested"),
    "apexr.training._result.Trained.__init__": ("emulators",),
    "apexr.training.objective_for": ("emulator",),
}
"""Parameters that take so many kinds of things that no annotation says them."""


class Tracer:
    """Stands for a right value: a value that a compiled program will have fits everywhere."""


def public():
    """Return each public callable by its name."""
    found = {}
    for module in api_pages.public_modules():
        for name in api_pages.public_names(module):
            value = getattr(importlib.import_module(module), name)
            if inspect.isclass(value):
                found |= methods(value)
            elif not api_pages.is_data(value):
                found.setdefault(api_pages.homes()[id(value)], value)
    return found


def methods(cls):
    """Return what makes, calls and asks the objects of a class, those of its bases included."""
    is_protocol = getattr(cls, "_is_protocol", False)
    if issubclass(cls, BaseException | tuple) or is_protocol:  # Python's own, or the user's
        return {}
    found = {}
    for base in cls.__mro__:
        reads_itself = hasattr(type(base), "read_keywords")  # a scenario class, its keywords
        special = ("__call__",) if reads_itself else ("__init__", "__call__")
        names = [n for n in vars(base) if n in special or not n.startswith("_")]
        for name in names if base.__module__.startswith("apexr") else ():
            function = inspect.unwrap(getattr(base, name))
            if inspect.isfunction(function) or inspect.ismethod(function):
                found[f"{base.__module__}.{base.__name__}.{name}"] = getattr(base, name)
    return found


PUBLIC = public()


def test_everything_on_the_pages_has_a_door():
    assert len(PUBLIC) > 500
    without = {name for name, held in PUBLIC.items() if not getattr(held, "__door__", False)}
    assert without == set(LEFT_ALONE)


def hints(function):
    return _doors._hints(getattr(function, "__func__", function))


def parameters(function):
    """Return the parameters that take one thing each."""
    held = inspect.signature(function).parameters.values()
    return [p for p in held if p.name not in ("self", "cls") and p.kind < p.VAR_KEYWORD]


def test_every_parameter_says_what_it_takes():
    silent = {}
    for name, function in PUBLIC.items():
        told = hints(function)
        names = [p.name for p in parameters(function)]
        names = tuple(n for n in names if told.get(n) in (None, typing.Any))
        if names and name not in LEFT_ALONE:
            silent[name] = names
    assert silent == OPEN


THINGS = {
    "None": lambda: None,
    "bool": lambda: True,
    "int": lambda: 3,
    "float": lambda: 2.5,
    "complex": lambda: 1j,
    "text": lambda: "nothere",
    "bytes": lambda: b"x",
    "path": lambda: Path("nothere"),
    "list": lambda: ["mean_nRMSE"],
    "numbers": lambda: [1, 2],
    "dict": lambda: {"a": 1},
    "generator": lambda: (item for item in range(2)),
    "array": lambda: np.zeros((2, 3)),
    "words": lambda: np.array(["a"]),
    "array of JAX": lambda: jnp.zeros((2, 3)),
    "DataArray": lambda: xr.DataArray(np.zeros((2, 3)), dims=("q", "r")),
    "Dataset": lambda: xr.Dataset({"a": ("q", [1.0])}),
    "table": lambda: pd.DataFrame({"a": [1]}),
    "tree": xr.DataTree,
    "object": object,
    "function": lambda: lambda x: x,
    "class": lambda: int,
}
ARRAYS = {"array", "array of JAX"}
LISTS = {"list", "numbers", "words"}
NUMBERS = {"int", "float", "complex", "numbers", *ARRAYS}
HASHABLE = {"None", "bool", "int", "float", "complex", "text", "bytes", "path", "generator"}
RIGHT = {
    "str": {"text"},
    "int": {"int"},
    "float": {"int", "float"},
    "bool": {"bool"},
    "NoneType": {"None"},
    "type": {"class"},
    "Mapping": {"dict"},
    "dict": {"dict"},
    "Callable": {"function", "class"},
    "Hashable": {*HASHABLE, "object", "function", "class", "tree"},
    "object": set(THINGS),
    "PyTree": set(THINGS),
    "PathLike": {"path"},
    "Path": {"path"},
    "Iterator": {"generator"},
    "Dataset": {"Dataset"},
    "DataArray": {"DataArray"},
    "DataTree": {"tree"},
    "DataFrame": {"table"},
}
"""Which of the things are right, by the name of what is asked for; of other classes, none."""


def right(hint):
    """Return which of the things an annotation allows, or may allow."""
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    kind = types.NoneType if hint is None else origin or hint
    name = getattr(kind, "__name__", "").rpartition(".")[-1]
    if origin is typing.Annotated:
        allowed = marked(hint) or right(inside[0])
    elif origin in (typing.Union, types.UnionType):
        allowed = set().union(*map(right, inside))
    elif origin is typing.Literal:  # which words there are is said by the function
        allowed = {"text", "int", "bool"}
    elif origin in (tuple, list, abc.Sequence):
        allowed = {*LISTS, *ARRAYS}
    elif origin in (abc.Iterable, abc.Collection):
        allowed = {*LISTS, *ARRAYS, "generator", "dict"}
    elif hasattr(hint, "dim_str"):  # an array with these axes, or a number where there are none
        allowed = ARRAYS if hint.dim_str else {*ARRAYS, "int", "float"}
    elif hint is typing.Any or not isinstance(kind, type) or getattr(kind, "_is_protocol", False):
        allowed = set(THINGS)
    else:
        allowed = ARRAYS if name in ("Array", "ndarray") else RIGHT.get(name, set())
    return allowed


def marked(hint):
    """Return what the annotations of numbers and of functions of a state allow."""
    said = " ".join(map(str, hint.__metadata__))
    if "a number or an array" in said:
        return NUMBERS
    return {"function"} if "a function of one state" in said else None


CASES = sorted(PUBLIC.keys() - LEFT_ALONE.keys())


def wrong_calls(function):
    """Yield each call of a function with one thing that is wrong: parameter, thing, the call."""
    told = hints(function)
    held = {
        p.name: Tracer()
        for p in inspect.signature(function).parameters.values()
        if p.default is p.empty and p.kind < p.VAR_KEYWORD and p.kind != p.VAR_POSITIONAL
    }
    for parameter in parameters(function):
        left = right(told[parameter.name]) if parameter.name in told else set(THINGS)
        for thing in () if parameter.name in function.__own__ else THINGS.keys() - left:
            value = THINGS[thing]()
            if parameter.kind is parameter.VAR_POSITIONAL:
                yield parameter.name, thing, functools.partial(function, *held.values(), value)
            elif value is not parameter.default:
                given = {**held, parameter.name: value}
                yield parameter.name, thing, functools.partial(function, **given)


@pytest.mark.parametrize("name", CASES)
def test_wrong_kinds_of_things_are_refused(name):
    accepted = []
    for parameter, thing, call in wrong_calls(PUBLIC[name]):
        try:
            call()
        except SpecError as error:
            if f"{parameter} must " not in str(error):
                accepted.append(f"{parameter}={thing}: {error}")
        except Exception as error:  # what leaks is what is looked for
            accepted.append(f"{parameter}={thing}: {type(error).__name__}: {error}")
        else:
            accepted.append(f"{parameter}={thing}")
    assert not accepted


def test_a_list_of_several_kinds_is_said_in_words():
    with pytest.raises(SpecError, match="folders must be a list of text or a path, got 'one'"):
        apexr.leaderboard("one")
