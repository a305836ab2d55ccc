"""Losses of one time level: one number for every sample of a batch."""

import dataclasses
from collections.abc import Callable
from typing import TypeVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from apexr._registry import Registry
from apexr.errors import ShapeError

States = Float[Array, "channel batch *space"]
LossFunction = Callable[[States, States], Float[Array, " batch"]]

F = TypeVar("F", bound=LossFunction)


@dataclasses.dataclass(frozen=True)
class Loss:
    """A registered loss.

    Attributes
    ----------
    function
        Takes prediction and target, gives one number a sample.
    relative
        Whether it is measured against the target, which then must not be zero.
    """

    function: LossFunction
    relative: bool = False


LOSSES: Registry[Loss] = Registry("loss", "apexr.losses")
"""Every loss of one time level by its name in config strings."""


def loss(name: str, *, relative: bool = False) -> Callable[[F], F]:
    """Return the decorator that registers a function of prediction and target as a loss.

    Examples
    --------
    >>> @loss("max")
    ... def largest(prediction, target):
    ...     error = jnp.abs(prediction - target)
    ...     return jnp.max(error, axis=(0, *range(2, error.ndim)))
    """

    def enter(function: F) -> F:
        LOSSES.register(name)(Loss(function, relative))
        return function

    return enter


def _mean(values: States) -> Float[Array, " batch"]:
    """Return the mean over channels and space of each sample."""
    return jnp.mean(values, axis=(0, *range(2, values.ndim)))


def _difference(prediction: States, target: States) -> States:
    """Return the error, of states of one shape.

    Raises
    ------
    ShapeError
        If the shapes differ.
    """
    if prediction.shape != target.shape:
        raise ShapeError(
            f"prediction and target must have one shape, (channel, batch, *space), got"
            f" {prediction.shape} and {target.shape}"
        )
    return prediction - target


@loss("MSE")
def mean_square(prediction: States, target: States) -> Float[Array, " batch"]:
    """Return the squared error of each sample, averaged over channels and space."""
    error = _difference(prediction, target)
    return _mean(error * error)


@loss("MAE")
def mean_absolute(prediction: States, target: States) -> Float[Array, " batch"]:
    """Return the absolute error of each sample, averaged over channels and space."""
    return _mean(jnp.abs(_difference(prediction, target)))


@loss("nMSE", relative=True)
def normalized_square(prediction: States, target: States) -> Float[Array, " batch"]:
    """Return the squared error of each sample over the mean square of its target."""
    return mean_square(prediction, target) / _mean(target * target)


@loss("nMAE", relative=True)
def normalized_absolute(prediction: States, target: States) -> Float[Array, " batch"]:
    """Return the absolute error of each sample over the mean magnitude of its target."""
    return mean_absolute(prediction, target) / _mean(jnp.abs(target))
