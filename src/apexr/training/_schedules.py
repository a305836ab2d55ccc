"""Learning rates over update steps by config string, built from Optax."""

from collections.abc import Callable
from typing import Annotated, TypeVar, dataclass_transform

import optax

from apexr._grammar import (
    Count,
    Kind,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Range,
)
from apexr.errors import SpecError
from apexr.training._base import Schedule

Fraction = Annotated[float, Range(minimum=0.0, maximum=1.0)]

S = TypeVar("S")


SCHEDULES: Kind[Schedule] = Kind("schedule", "apexr.schedules")
"""Every schedule of the learning rate by its name in config strings."""


@dataclass_transform(frozen_default=True)
def schedule(name: str) -> Callable[[type[S]], type[S]]:
    """Return the decorator that registers a schedule under ``name``."""
    return SCHEDULES.register(name)  # type: ignore[return-value, arg-type]


def check_warmup(warmup: int, num_updates: int) -> None:
    """Refuse a warm-up that leaves nothing of the training.

    Raises
    ------
    SpecError
        If it is not shorter.
    """
    if warmup >= num_updates:
        raise SpecError(
            f"WARMUP must be below UPDATES, got a warm-up of {warmup} steps in a training"
            f" of {num_updates}; shorten the warm-up"
        )


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
        check_warmup(self.warmup, num_updates)
        return optax.warmup_cosine_decay_schedule(self.init, self.peak, self.warmup, num_updates)


@schedule("warmup_constant")
class WarmupConstant(Schedule):
    """warmup_constant;INIT;PEAK;WARMUP - linear rise from INIT to PEAK, which is kept."""

    init: NonNegativeFloat
    peak: NonNegativeFloat
    warmup: PositiveInt

    def build(self, num_updates: int) -> optax.Schedule:
        """Return the schedule.

        Raises
        ------
        SpecError
            If the warm-up is as long as the training.
        """
        check_warmup(self.warmup, num_updates)
        return optax.warmup_constant_schedule(self.init, self.peak, self.warmup)


@schedule("warmup_exp")
class WarmupExponential(Schedule):
    """warmup_exp;INIT;PEAK;WARMUP;TRANSITION_STEPS;DECAY_RATE - linear rise, then ``exp``."""

    init: NonNegativeFloat
    peak: NonNegativeFloat
    warmup: Count
    transition_steps: PositiveInt
    decay_rate: PositiveFloat

    def build(self, num_updates: int) -> optax.Schedule:
        """Return the schedule.

        Raises
        ------
        SpecError
            If the warm-up is as long as the training.
        """
        check_warmup(self.warmup, num_updates)
        return optax.warmup_exponential_decay_schedule(
            self.init, self.peak, self.warmup, self.transition_steps, self.decay_rate
        )


@schedule("cosine")
class Cosine(Schedule):
    """cosine;INIT;ALPHA - half a cosine from INIT to ALPHA·INIT over the training."""

    init: NonNegativeFloat
    alpha: Fraction = 0.0

    def build(self, num_updates: int) -> optax.Schedule:
        """Return the decay."""
        return optax.cosine_decay_schedule(self.init, num_updates, self.alpha)


@schedule("linear")
class Linear(Schedule):
    """linear;INIT;END - a straight line from INIT to END over the training."""

    init: NonNegativeFloat
    end: NonNegativeFloat = 0.0

    def build(self, num_updates: int) -> optax.Schedule:
        """Return the line."""
        return optax.linear_schedule(self.init, self.end, num_updates)


@schedule("polynomial")
class Polynomial(Schedule):
    """polynomial;INIT;END;POWER - (INIT - END)·(1 - step/UPDATES)^POWER + END."""

    init: NonNegativeFloat
    end: NonNegativeFloat
    power: PositiveFloat

    def build(self, num_updates: int) -> optax.Schedule:
        """Return the decay."""
        return optax.polynomial_schedule(self.init, self.end, self.power, num_updates)


@schedule("piecewise")
class Piecewise(Schedule):
    """piecewise;INIT;STEPS;SCALES - times each scale from its step on; both parted by commas."""

    init: NonNegativeFloat
    steps: tuple[int, ...]
    scales: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.steps) != len(self.scales):
            raise SpecError(
                f"STEPS and SCALES must be of one length, got {len(self.steps)} steps and"
                f" {len(self.scales)} scales"
            )
        if min(self.steps) < 0 or list(self.steps) != sorted(set(self.steps)):
            raise SpecError(f"STEPS must be positive and rising, got {self.steps}")
        if min(self.scales) < 0:
            raise SpecError(f"SCALES must be at least 0, got {self.scales}")

    def build(self, num_updates: int) -> optax.Schedule:
        """Return the steps."""
        scales = dict(zip(self.steps, self.scales, strict=True))
        return optax.piecewise_constant_schedule(self.init, scales)


@schedule("onecycle")
class OneCycle(Schedule):
    """onecycle;PEAK;RISE;DIVISOR;FINAL_DIVISOR - up to PEAK and down again along cosines.

    Rises from ``PEAK / DIVISOR`` in the part ``RISE`` of the training, then falls to ``PEAK /
    (DIVISOR · FINAL_DIVISOR)``.

    References
    ----------
    Smith & Topin (2019), "Super-convergence", Proc. SPIE 11006, arXiv:1708.07120.
    """

    peak: NonNegativeFloat
    rise: Annotated[float, Range(minimum=0.0, maximum=1.0, exclusive=True)] = 0.3
    divisor: PositiveFloat = 25.0
    final_divisor: PositiveFloat = 1e4

    def build(self, num_updates: int) -> optax.Schedule:
        """Return the cycle.

        Raises
        ------
        SpecError
            If the training is too short for a rise.
        """
        if int(self.rise * num_updates) < 1:
            raise SpecError(
                f"RISE must leave at least one of {num_updates} updates for the rise, got"
                f" {self.rise:g}; make it longer"
            )
        return optax.cosine_onecycle_schedule(
            num_updates, self.peak, self.rise, self.divisor, self.final_divisor
        )


@schedule("sgdr")
class Restarts(Schedule):
    """sgdr;INIT;PEAK;WARMUP;CYCLES - ``warmup_cosine``, so many times one after another.

    References
    ----------
    Loshchilov & Hutter (2017), "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR,
    arXiv:1608.03983.
    """

    init: NonNegativeFloat
    peak: NonNegativeFloat
    warmup: Count
    cycles: PositiveInt

    def build(self, num_updates: int) -> optax.Schedule:
        """Return the cycles, of equal length.

        Raises
        ------
        SpecError
            If the warm-up is as long as a cycle.
        """
        length = num_updates // self.cycles
        check_warmup(self.warmup, length)
        cycle = optax.warmup_cosine_decay_schedule(self.init, self.peak, self.warmup, length)
        return optax.join_schedules(
            [cycle] * self.cycles, [length * done for done in range(1, self.cycles)]
        )
