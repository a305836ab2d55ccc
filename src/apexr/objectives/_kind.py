"""The interface of objectives: a frozen spec with a config string and a loss."""

import abc
import dataclasses
from collections.abc import Callable
from typing import TypeVar, dataclass_transform

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from apexr._grammar import Kind
from apexr.errors import SpecError
from apexr.objectives._losses import LossFunction, mean_square

Emulator = Callable[[Array], Array]
"""One step of the emulator, or of a solver, for a batch ``(channel, batch, *space)``."""

S = TypeVar("S")


def no_reference(states: Array) -> Array:
    """Stand in for the reference solver of objectives that make no steps of it.

    Raises
    ------
    SpecError
        Always.
    """
    raise SpecError("this objective makes steps of the reference solver, and none was given")


def _same(loss: LossFunction) -> LossFunction:
    """Return the loss: a state is one frame."""
    return loss


@dataclasses.dataclass(frozen=True)
class Noise:
    """The source of random numbers that are added to initial states.

    Attributes
    ----------
    keys
        One for each window of a batch.
    spread
        The standard deviation of each channel of the training data.
    """

    keys: PRNGKeyArray
    spread: Float[Array, " channel"]


@dataclasses.dataclass(frozen=True)
class Setting:
    """The setting in which an objective is evaluated, besides the emulator and the data.

    Attributes
    ----------
    reference
        One step of the reference solver; differentiable.
    loss
        Error of a prediction at one time level.
    weights
        Weight of each time level; None stands for ones.
    cut_every
        Gradients are cut after so many steps, whatever the objective itself says.
    noise
        For objectives that disturb initial states; None outside of a training.
    of_state
        Makes a loss of one frame that of a state: states of some emulators hold several frames.
    """

    reference: Emulator = no_reference
    loss: LossFunction = mean_square
    weights: tuple[float, ...] | None = None
    cut_every: int | None = None
    noise: Noise | None = None
    of_state: Callable[[LossFunction], LossFunction] = _same

    def cuts(self, cut: bool, num_steps: int) -> Bool[np.ndarray, " step"]:
        """Return after which steps no gradient flows back, where the objective says ``cut``."""
        every = self.cut_every or int(cut)
        return np.arange(1, num_steps + 1) % every == 0 if every else np.zeros(num_steps, bool)

    def total(self, levels: Float[Array, "level batch"]) -> Float[Array, " batch"]:
        """Return the weighted sum over the time levels."""
        if self.weights is not None:
            levels = jnp.asarray(self.weights, levels.dtype)[:, None] * levels
        return jnp.sum(levels, axis=0)


PLAIN = Setting()
"""The setting in which nothing is changed: ``MSE``, no weights, no cuts."""


class Objective(abc.ABC):
    """How an emulator is unrolled and compared: what ``one`` or ``sup;5`` parses to.

    Leaves are decorated with :func:`objective`; their fields are the arguments of the string.
    """

    @property
    @abc.abstractmethod
    def window_length(self) -> int:
        """Frames of a training window, its initial state included: how far it looks ahead."""

    @property
    def stored_frames(self) -> int:
        """How many frames of a window are read, from the first."""
        return self.window_length

    @property
    def num_levels(self) -> int | None:
        """How many losses are summed over time; None where they cannot be weighted."""
        return None

    @property
    def needs_reference(self) -> bool:
        """Whether steps of the reference solver are made."""
        return False

    @property
    def has_target(self) -> bool:
        """Whether predictions are compared with states, so that losses can be relative."""
        return True

    @property
    def num_steps(self) -> int:
        """How many steps the emulator makes of each window."""
        return max(1, self.window_length - 1)

    @property
    def is_noisy(self) -> bool:
        """Whether initial states are disturbed."""
        return False

    @property
    def plain(self) -> "Objective":
        """The loss on data for validation: without noise, as in the last stage."""
        return self

    @property
    def starts(self) -> tuple[int, ...]:
        """The updates from which on another stage of this objective holds; the first is 0."""
        return (0,)

    def at(self, update: int) -> "Objective":
        """Return the stage of an update, on windows of the same length as all stages have."""
        return self

    @abc.abstractmethod
    def sample_losses(
        self,
        emulate: Emulator,
        window: Float[Array, "channel batch frame *space"],
        setting: Setting = PLAIN,
    ) -> Float[Array, " batch"]:
        """Return the loss of every window of a batch, summed over the unrolled steps.

        Parameters
        ----------
        emulate
            One step of the emulator.
        window
            The first :attr:`stored_frames` of consecutive frames of reference trajectories;
            frame 0 is the initial state.
        setting
            Reference solver, loss, weights.
        """


class Enclosing(Objective):
    """An objective around another one, whose traits it has unless it says otherwise."""

    objective: Objective

    @property
    def window_length(self) -> int:
        """That of the objective within."""
        return self.objective.window_length

    @property
    def stored_frames(self) -> int:
        """Those of the objective within."""
        return self.objective.stored_frames

    @property
    def num_levels(self) -> int | None:
        """Those of the objective within."""
        return self.objective.num_levels

    @property
    def needs_reference(self) -> bool:
        """Whether the objective within does."""
        return self.objective.needs_reference

    @property
    def has_target(self) -> bool:
        """Whether the objective within has one."""
        return self.objective.has_target

    @property
    def num_steps(self) -> int:
        """Those of the objective within."""
        return self.objective.num_steps

    @property
    def is_noisy(self) -> bool:
        """Whether the objective within is."""
        return self.objective.is_noisy

    @property
    def plain(self) -> Objective:
        """The loss of the objective within, enclosed in the same way."""
        return self._around(self.objective.plain)

    @property
    def starts(self) -> tuple[int, ...]:
        """Those of the objective within."""
        return self.objective.starts

    def at(self, update: int) -> Objective:
        """Return the stage of the objective within, enclosed in the same way."""
        return self._around(self.objective.at(update))

    def _around(self, objective: Objective) -> Objective:
        same = objective is self.objective
        return self if same else dataclasses.replace(self, objective=objective)  # type: ignore[type-var]


OBJECTIVES: Kind[Objective] = Kind("train", "apexr.objectives")
"""Every objective by its name in config strings."""


@dataclass_transform(frozen_default=True)
def objective(name: str) -> Callable[[type[S]], type[S]]:
    """Return the decorator that registers a training objective under ``name``."""
    return OBJECTIVES.register(name)  # type: ignore[return-value, arg-type]
