"""What a training objective is: a frozen spec with a config string and a loss."""

import abc
from collections.abc import Callable
from typing import TypeVar, dataclass_transform

from jaxtyping import Array, Float

from apexr._grammar import Kind

Emulator = Callable[[Array], Array]
"""One step of the emulator for a batch ``(channel, batch, *space)``."""

S = TypeVar("S")


class Objective(abc.ABC):
    """How an emulator is unrolled and compared: what ``one`` or ``sup;5`` parses to.

    Leaves are decorated with :func:`objective`; their fields are the arguments of the string.
    """

    @property
    @abc.abstractmethod
    def window_length(self) -> int:
        """Frames of a training window, its initial state included."""

    @abc.abstractmethod
    def sample_losses(
        self, emulate: Emulator, window: Float[Array, "channel batch frame *space"]
    ) -> Float[Array, " batch"]:
        """Return the loss of every window of a batch, summed over the unrolled steps.

        Parameters
        ----------
        emulate
            One step of the emulator.
        window
            Consecutive frames of reference trajectories; frame 0 is the initial state.
        """


OBJECTIVES: Kind[Objective] = Kind("train", "apexr.objectives")


@dataclass_transform(frozen_default=True)
def objective(name: str) -> Callable[[type[S]], type[S]]:
    """Return the decorator that registers a training objective under ``name``."""
    return OBJECTIVES.register(name)  # type: ignore[return-value, arg-type]
