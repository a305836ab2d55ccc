"""Losses of one time level: one number for every sample of a batch."""

import dataclasses
from collections.abc import Callable
from typing import TypeVar

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from apexr._registry import Registry
from apexr.errors import ShapeError, SpecError
from apexr.spectral import grid_of, wavenumbers

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


@loss("nRMSE", relative=True)
def normalized_root(prediction: States, target: States) -> Float[Array, " batch"]:
    """Return the root of the squared error of each sample over the mean square of its target.

    Where there is no error at all, its gradient is zero.
    """
    square = normalized_square(prediction, target)
    found = square > 0
    return jnp.where(found, jnp.sqrt(jnp.where(found, square, 1)), 0)


@loss("H1", relative=True)
def sobolev(prediction: States, target: States) -> Float[Array, " batch"]:
    """Return the squared error of each sample and of its slopes over those of its target.

    ``Σ (1+|k|²) |ê|² / Σ (1+|k|²) |û|²`` over all channels and whole wavenumbers ``k``.
    """
    return SpectralLoss(1.0)(prediction, target)


@dataclasses.dataclass(frozen=True)
class SpectralLoss:
    """The squared error of each wavenumber, weighted by a power of it, over that of the target.

    ``Σ (1+|k|²)ᴾ |ê|² / Σ (1+|k|²)ᴾ |û|²`` over all channels and whole wavenumbers ``k``: a norm
    of Sobolev. ``P = 0`` is ``nMSE``, ``P = 1`` is ``H1``; larger powers stress fine scales,
    negative ones coarse scales.
    """

    power: float

    def __post_init__(self) -> None:
        if not abs(self.power) <= LARGEST_POWER:
            raise SpecError(
                f"the power of the spectral loss must be from -{LARGEST_POWER} to"
                f" {LARGEST_POWER}, got {self.power!r}"
            )

    def __str__(self) -> str:
        return f"spectral;{self.power!r}"

    def __call__(self, prediction: States, target: States) -> Float[Array, " batch"]:
        """Return the loss of each sample."""
        error = _difference(prediction, target)
        grid = grid_of(target[:, 0])
        squares = (wavenumbers(grid).astype(float) ** 2).sum(axis=0)
        weights = (1 + squares) ** self.power * _copies(grid.shape)
        dtype = target.dtype
        return _energy(error, weights.astype(dtype)) / _energy(target, weights.astype(dtype))


LARGEST_POWER = 8
"""Beyond it, one wavenumber alone counts in single precision."""


def _copies(shape: tuple[int, ...]) -> np.ndarray:
    """Return how often each entry of a half spectrum stands in the whole one."""
    last = np.full(shape[-1] // 2 + 1, 2)
    last[0] = 1
    last[-1] = 1 if shape[-1] % 2 == 0 else 2
    return last


def _energy(states: States, weights: np.ndarray) -> Float[Array, " batch"]:
    """Return the weighted squares of the spectrum of each sample."""
    axes = tuple(range(2, states.ndim))
    spectrum = jnp.fft.rfftn(states, axes=axes, norm="forward")
    power = spectrum.real**2 + spectrum.imag**2
    return jnp.sum(weights * power, axis=(0, *axes))
