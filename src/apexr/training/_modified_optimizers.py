"""Optimizers around others: gradient clipping, weight decay, options."""

import abc
import math
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import optax

from apexr._grammar import Nested, NonNegativeFloat, PositiveFloat
from apexr.errors import SpecError, suggest
from apexr.training._base import Averaged, Optimizer, Option, Schedule, drawn_on
from apexr.training._optimizers import OPTIMIZERS, optimizer

NestedOptimizer = Annotated[Optimizer, Nested(OPTIMIZERS)]


class Modifier(Optimizer):
    """Another optimizer, changed; leaves say how. They may stand one within another."""

    optimizer: Optimizer

    @property
    def updates(self) -> int:  # type: ignore[override]
        """Those of the optimizer within."""
        return self.optimizer.updates

    @property
    def schedule(self) -> Schedule:  # type: ignore[override]
        """That of the optimizer within."""
        return self.optimizer.schedule

    @property
    def average_decay(self) -> float:
        """That of the optimizer within."""
        return self.optimizer.average_decay

    @abc.abstractmethod
    def changed(self, inner: optax.GradientTransformation) -> optax.GradientTransformation:
        """Return the transformation with the change."""

    def build(self) -> optax.GradientTransformation:
        """Return the changed transformation."""
        return self.changed(self.optimizer.build())


@optimizer("clip")
class ClippedNorm(Modifier):
    """clip;MAX_NORM;OPTIMIZER… - another optimizer; gradients of larger norm are scaled down.

    The norm is that of all weights together.
    """

    max_norm: PositiveFloat
    optimizer: NestedOptimizer

    def changed(self, inner: optax.GradientTransformation) -> optax.GradientTransformation:
        """Return the transformation of clipped gradients."""
        return optax.chain(optax.clip_by_global_norm(self.max_norm), inner)


@optimizer("clip_value")
class ClippedValues(Modifier):
    """clip_value;MAX;OPTIMIZER… - another optimizer; each number of a gradient is clipped."""

    max: PositiveFloat
    optimizer: NestedOptimizer

    def changed(self, inner: optax.GradientTransformation) -> optax.GradientTransformation:
        """Return the transformation of clipped gradients."""
        return optax.chain(optax.clip(self.max), inner)


@optimizer("decay")
class WeightDecay(Modifier):
    """decay;RATE;OPTIMIZER… - another optimizer with decoupled weight decay, -η·RATE·w a step.

    ``η`` is the learning rate of the step; ``decay;1e-4;adam;…`` is ``adamw``.

    References
    ----------
    Loshchilov & Hutter (2019), "Decoupled Weight Decay Regularization", ICLR, arXiv:1711.05101.
    """

    rate: PositiveFloat
    optimizer: NestedOptimizer

    def __post_init__(self) -> None:
        if not isinstance(getattr(self.optimizer, "schedule", None), Schedule):
            raise SpecError(
                f"{str(self.optimizer)!r} must have a schedule for its weights to decay"
            )

    def changed(self, inner: optax.GradientTransformation) -> optax.GradientTransformation:
        """Return the transformation with the decay added."""
        learning_rate = self.schedule.build(self.updates)

        def init(params: Any) -> tuple[Any, Any]:
            return inner.init(params), jnp.zeros((), jnp.int32)

        def update(gradient: Any, state: tuple[Any, Any], params: Any = None) -> tuple[Any, Any]:
            held, count = state
            changes, held = inner.update(gradient, held, params)
            shrink = learning_rate(count) * self.rate
            changes = jax.tree.map(lambda change, w: change - shrink * w, changes, params)
            return changes, (held, count + 1)

        return optax.GradientTransformation(init, update)


@optimizer("ema")
class AveragedWeights(Modifier):
    """ema;DECAY;OPTIMIZER… - another optimizer; tests use averaged weights, θ' ← D·θ' + (1-D)·θ.

    The average begins with the first weights. It takes no part in the training: losses are those
    of the weights themselves, ``θ``.

    References
    ----------
    Polyak & Juditsky (1992), "Acceleration of Stochastic Approximation by Averaging", SIAM J.
    Control Optim. 30, doi:10.1137/0330046.
    """

    decay: NonNegativeFloat
    optimizer: NestedOptimizer

    def __post_init__(self) -> None:
        if self.decay >= 1:
            raise SpecError(f"DECAY must be at least 0 and below 1, got {self.decay!r}")
        if self.optimizer.average_decay:
            raise SpecError(f"OPTIMIZER must not average weights, {str(self.optimizer)!r} does")

    @property
    def average_decay(self) -> float:
        """DECAY."""
        return self.decay

    def changed(self, inner: optax.GradientTransformation) -> optax.GradientTransformation:
        """Return the transformation that also averages the weights it is given."""
        if not self.decay:
            return inner

        def init(params: Any) -> Averaged:
            return Averaged(inner.init(params), params)

        def update(gradient: Any, state: Averaged, params: Any = None) -> tuple[Any, Averaged]:
            average = drawn_on(self.decay, state.average, params)
            changes, held = inner.update(gradient, state.inner, params)
            return changes, Averaged(held, average)

        return optax.GradientTransformation(init, update)


@optimizer("with")
class WithOptions(Modifier):
    """with;OPTION=VALUE,…;OPTIMIZER… - a named optimizer with options of its own.

    Such as ``with;momentum=0.9,nesterov=true;sgd;10_000;constant;1e-2``.
    """

    options: str
    optimizer: NestedOptimizer

    def __post_init__(self) -> None:
        known = self.optimizer.option_defaults
        read = dict(_read_option(entry, known, self.optimizer) for entry in self.options.split(","))
        object.__setattr__(self, "_read", read)
        text = ",".join(f"{name}={_print_option(value)}" for name, value in read.items())
        object.__setattr__(self, "options", text)
        try:
            self.build()
        except (TypeError, ValueError) as error:
            raise SpecError(f"OPTIONS must be what {self.optimizer} takes: {error}") from None

    def build(self) -> optax.GradientTransformation:
        """Return the optimizer with the options."""
        return self.optimizer.build_with(**getattr(self, "_read"))  # noqa: B009 - not a field

    def changed(self, inner: optax.GradientTransformation) -> optax.GradientTransformation:
        """Return it as it is."""
        return inner


def _read_option(entry: str, known: dict[str, Any], optimizer: Optimizer) -> tuple[str, Option]:
    name, found, text = entry.partition("=")
    if not found:
        raise SpecError(f"OPTIONS must be OPTION=VALUE,OPTION=VALUE,…, got {entry!r}")
    if name not in known:
        names = ", ".join(known) or "none"
        raise SpecError(
            f"OPTIONS must be options of {optimizer}; it has no {name!r}{suggest(name, known)}"
            f" (known: {names})"
        )
    return name, _read_value(name, text, known[name])


def _read_value(name: str, text: str, default: Any) -> Option:
    """Return the value of an option, of the type of its default (None stands for a number)."""
    if isinstance(default, bool):
        words = {"true": True, "false": False}
        if text.lower() not in words:
            raise SpecError(f"option {name} must be true or false, got {text!r}")
        return words[text.lower()]
    read = int if isinstance(default, int) else float
    try:
        value = read(text) if text == text.strip() else read("refused")
    except ValueError:
        raise SpecError(f"option {name} must be {read.__name__}, got {text!r}") from None
    if not math.isfinite(value):
        raise SpecError(f"option {name} must be finite, got {text!r}")
    return value


def _print_option(value: Option) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)
