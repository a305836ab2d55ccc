"""What the network is for: it predicts the next state, or corrects a coarse solver."""

import abc
from collections.abc import Callable
from typing import Any, TypeVar, dataclass_transform

from apexr._grammar import Kind

S = TypeVar("S")


class Task(abc.ABC):
    """How network and coarse solver make an emulator: what ``predict`` parses to.

    Leaves are decorated with :func:`task`; their fields are the arguments of the string.
    """

    @abc.abstractmethod
    def compose(self, network: Any, coarse_stepper: Callable[[], Any]) -> Any:
        """Return the emulator that maps a state ``(channel, *space)`` to the next one.

        Parameters
        ----------
        network
            The network.
        coarse_stepper
            Gives the coarse solver; called only by tasks that need one.
        """


TASKS: Kind[Task] = Kind("task", "apexr.tasks", case_sensitive=True)


@dataclass_transform(frozen_default=True)
def task(name: str) -> Callable[[type[S]], type[S]]:
    """Return the decorator that registers a task under ``name``."""
    return TASKS.register(name)  # type: ignore[return-value, arg-type]


@task("predict")
class Predict(Task):
    """predict - the network alone gives the next state."""

    def compose(self, network: Any, coarse_stepper: Callable[[], Any]) -> Any:
        """Return the network itself."""
        return network
