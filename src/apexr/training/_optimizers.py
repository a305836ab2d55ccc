"""Optimisers and learning-rate schedules by config string, built from Optax."""

import abc
from collections.abc import Callable
from typing import Annotated, TypeVar, dataclass_transform

import optax

from apexr._grammar import (
    Count,
    Kind,
    Nested,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
)
from apexr.errors import SpecError

S = TypeVar("S")


class Schedule(abc.ABC):
    """A learning rate over update steps."""

    @abc.abstractmethod
    def build(self, num_updates: int) -> optax.Schedule:
        """Return the function from update step to learning rate.

        Raises
        ------
        SpecError
            If the schedule does not fit into ``num_updates``.
        """


class Optimizer(abc.ABC):
    """An optimiser with its number of updates and its schedule."""

    updates: int

    @abc.abstractmethod
    def build(self) -> optax.GradientTransformation:
        """Return the Optax gradient transformation."""


SCHEDULES: Kind[Schedule] = Kind("schedule", "apexr.schedules")
OPTIMIZERS: Kind[Optimizer] = Kind("optimizer", "apexr.optimizers")

NestedSchedule = Annotated[Schedule, Nested(SCHEDULES)]


@dataclass_transform(frozen_default=True)
def schedule(name: str) -> Callable[[type[S]], type[S]]:
    """Return the decorator that registers a schedule under ``name``."""
    return SCHEDULES.register(name)  # type: ignore[return-value, arg-type]


@dataclass_transform(frozen_default=True)
def optimizer(name: str) -> Callable[[type[S]], type[S]]:
    """Return the decorator that registers an optimiser under ``name``."""
    return OPTIMIZERS.register(name)  # type: ignore[return-value, arg-type]


@schedule("constant")
class Constant(Schedule):
    """constant;RATE - the same learning rate throughout."""

    rate: NonNegativeFloat

    def build(self, num_updates: int) -> optax.Schedule:
        """Return the constant."""
        return optax.constant_schedule(self.rate)


@schedule("exp")
class ExponentialDecay(Schedule):
    """exp;INIT;TRANSITION_STEPS;DECAY_RATE;STAIRCASE - INIT·RATE^(step/TRANSITION_STEPS).

    With ``STAIRCASE`` the exponent is rounded down.
    """

    init: NonNegativeFloat
    transition_steps: PositiveInt
    decay_rate: PositiveFloat
    staircase: bool

    def build(self, num_updates: int) -> optax.Schedule:
        """Return the decay."""
        return optax.exponential_decay(
            self.init, self.transition_steps, self.decay_rate, staircase=self.staircase
        )


@schedule("warmup_cosine")
class WarmupCosine(Schedule):
    """warmup_cosine;INIT;PEAK;WARMUP - linear rise from INIT to PEAK, then a cosine to zero."""

    init: NonNegativeFloat
    peak: NonNegativeFloat
    warmup: Count

    def build(self, num_updates: int) -> optax.Schedule:
        """Return the schedule.

        Raises
        ------
        SpecError
            If the warm-up is as long as the training.
        """
        if self.warmup >= num_updates:
            raise SpecError(
                f"WARMUP must be below UPDATES, got a warm-up of {self.warmup} steps in a training"
                f" of {num_updates}; shorten the warm-up"
            )
        return optax.warmup_cosine_decay_schedule(self.init, self.peak, self.warmup, num_updates)


@optimizer("adam")
class Adam(Optimizer):
    """adam;UPDATES;SCHEDULE;… - Adam with β₁ = 0.9, β₂ = 0.999, ε = 1e-8.

    References
    ----------
    Kingma & Ba (2015), "Adam: A Method for Stochastic Optimization", ICLR, algorithm 1.
    """

    updates: PositiveInt
    schedule: NestedSchedule

    def __post_init__(self) -> None:
        self.schedule.build(self.updates)

    def build(self) -> optax.GradientTransformation:
        """Return Adam under the schedule."""
        return optax.adam(self.schedule.build(self.updates))


__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "Adam",
    "Constant",
    "ExponentialDecay",
    "Optimizer",
    "Schedule",
    "WarmupCosine",
    "optimizer",
    "schedule",
]
