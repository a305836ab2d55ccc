"""The contracts of optimizers and schedules, and averages of weights that optimizers keep."""

import abc
from typing import Any, NamedTuple

import jax
import optax

from apexr.errors import SpecError


class Schedule(abc.ABC):
    """A learning rate over update steps.

    Decorate its classes with :func:`~apexr.training.schedule`; their fields are the arguments of
    the string.
    """

    @abc.abstractmethod
    def build(self, num_updates: int) -> optax.Schedule:
        """Return the function from update step to learning rate.

        Raises
        ------
        SpecError
            If the schedule does not fit into ``num_updates``.
        """


Option = bool | int | float


class Optimizer(abc.ABC):
    """An optimizer with its number of updates and its schedule."""

    updates: int
    schedule: Schedule

    @property
    def option_defaults(self) -> dict[str, Any]:
        """The options that ``with;OPTION=VALUE;…`` may set, with their defaults."""
        return {}

    @property
    def average_decay(self) -> float:
        """How slowly an average of the weights changes that is tested; 0 where there is none."""
        return 0.0

    @abc.abstractmethod
    def build(self) -> optax.GradientTransformation:
        """Return the Optax gradient transformation."""

    def build_with(self, **options: Option) -> optax.GradientTransformation:
        """Return the transformation with some options set.

        Raises
        ------
        SpecError
            If this optimizer has none.
        """
        if options:
            raise SpecError(f"{str(self)!r} must have options to be set, and has none")
        return self.build()


class Averaged(NamedTuple):
    """The state of an optimizer that averages the weights before each update.

    Attributes
    ----------
    inner
        The state of the optimizer within.
    average
        The average, in which the newest weights are missing.
    """

    inner: Any
    average: Any


def averaged(optimizer: Optimizer, state: Any, weights: Any) -> Any:
    """Return the weights to test: those of an average where the optimizer keeps one.

    Parameters
    ----------
    optimizer, state
        The optimizer and its state.
    weights
        The parameters that it trains.
    """
    decay = optimizer.average_decay
    if not decay:
        return weights
    nodes = jax.tree.leaves(state, is_leaf=lambda node: isinstance(node, Averaged))
    held = next(node for node in nodes if isinstance(node, Averaged))
    return _mixed(decay, held.average, weights)


@jax.jit
def _mixed(decay: float, average: Any, weights: Any) -> Any:
    return drawn_on(decay, average, weights)


def drawn_on(decay: float, average: Any, weights: Any) -> Any:
    """Return ``d·average + (1 - d)·weights``, in which equal numbers stay what they are."""
    return jax.tree.map(lambda old, new: new + decay * (old - new), average, weights)
