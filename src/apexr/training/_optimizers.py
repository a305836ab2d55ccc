"""Optimizers by config string, built from Optax."""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, TypeVar, dataclass_transform

import optax

from apexr._grammar import Kind, Nested, PositiveInt
from apexr.errors import SpecError
from apexr.training._base import Optimizer, Option, Schedule
from apexr.training._schedules import SCHEDULES

S = TypeVar("S")


OPTIMIZERS: Kind[Optimizer] = Kind("optimizer", "apexr.optimizers")
"""Every optimizer by its name in config strings."""

NestedSchedule = Annotated[Schedule, Nested(SCHEDULES)]


@dataclass_transform(frozen_default=True)
def optimizer(name: str) -> Callable[[S], S]:
    """Return the decorator that registers an optimizer under ``name``.

    It takes a function from the learning rate (a number or a function of the step) to an Optax
    transformation. Its keywords are options, which ``with;OPTION=VALUE,…;NAME;…`` sets. It also
    takes a class derived from :class:`Optimizer`, whose fields are the arguments of its strings.

    Examples
    --------
    >>> @optimizer("damped")
    ... def damped(rate, *, damping: float = 0.5):
    ...     '''Gradient descent with momentum.'''
    ...     return optax.sgd(rate, momentum=damping)
    """

    def enter(given: S) -> S:
        made = given if isinstance(given, type) else _spec_of(name, given)  # type: ignore[arg-type]
        OPTIMIZERS.register(name)(made)
        return given

    return enter


OPTIMIZERS.registry.adopt = optimizer


@dataclasses.dataclass(frozen=True, eq=False)
class OwnOptimizer(Optimizer):
    """An Optax transformation that a function makes, in place of that of a config string.

    Attributes
    ----------
    make
        Returns the transformation.
    instead
        The optimizer of the config string, which says how many updates there are.
    """

    make: Callable[[], Any]
    instead: Optimizer

    @property
    def updates(self) -> int:  # type: ignore[override]
        """The number of updates."""
        return self.instead.updates

    @property
    def schedule(self) -> Schedule:  # type: ignore[override]
        """The schedule of the config string."""
        return self.instead.schedule

    def build(self) -> optax.GradientTransformation:
        """Return the transformation, which is made once."""
        return self._made

    @functools.cached_property
    def _made(self) -> optax.GradientTransformation:
        made = self.make()
        if not isinstance(made, optax.GradientTransformation):
            raise SpecError(
                f"get_optimizer must return an optax.GradientTransformation, got {made!r}"
            )
        return made


@dataclasses.dataclass(frozen=True)
class _FromFunction(Optimizer):
    """An optimizer that a function of the learning rate makes."""

    make: ClassVar[Callable[..., optax.GradientTransformation]]

    updates: PositiveInt
    schedule: NestedSchedule

    def __post_init__(self) -> None:
        self.schedule.build(self.updates)

    @property
    def option_defaults(self) -> dict[str, Any]:
        """The keywords of the function that are numbers, switches or nothing."""
        parameters = list(inspect.signature(type(self).make).parameters.values())[1:]
        return {p.name: p.default for p in parameters if _is_option(p)}

    def build(self) -> optax.GradientTransformation:
        """Return the optimizer under the schedule."""
        return self.build_with()

    def build_with(self, **options: Option) -> optax.GradientTransformation:
        """Return the optimizer under the schedule, with some options set."""
        return type(self).make(self.schedule.build(self.updates), **options)


def _is_option(parameter: inspect.Parameter) -> bool:
    number = parameter.default is None or isinstance(parameter.default, bool | int | float)
    return number and not parameter.name.endswith(("mask", "dtype"))


def _spec_of(name: str, make: Callable[..., optax.GradientTransformation]) -> type[Optimizer]:
    """Return the class of specs of an optimizer that a function makes."""
    meaning = (inspect.getdoc(make) or "an optimizer.").split("\n", 1)[0]
    body = {
        "make": staticmethod(make),
        "__doc__": f"{name};UPDATES;SCHEDULE;… - {meaning}",
        "__module__": make.__module__,
        "__qualname__": make.__qualname__,
    }
    return type(make.__name__, (_FromFunction,), body)
