"""The task of a network: it predicts the next state, or corrects a coarse solver."""

import abc
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar, dataclass_transform

import equinox as eqx
from jaxtyping import Array, Float

from apexr._frames import SINGLE, frames_of
from apexr._grammar import Kind, OneOf, Range
from apexr._registry import Registry
from apexr._typing import Step
from apexr.engine._own import OwnNetwork
from apexr.errors import SpecError
from apexr.networks import NetworkSpec, RefinerSpec, Schedule, Wrapper
from apexr.spectral import Grid
from apexr.steppers import Solver, as_solver
from apexr.training import as_batched

S = TypeVar("S")
States = Float[Array, "channel batch *space"]
ReceptiveField = tuple[tuple[float, float], ...]


class Task(abc.ABC):
    """How network and coarse solver make an emulator: what ``predict`` parses to.

    Leaves are decorated with :func:`task`; their fields are the arguments of the string.
    """

    def around(self, network: NetworkSpec) -> NetworkSpec:
        """Return the network that is built for the task: by default the one that is named.

        Raises
        ------
        SpecError
            If the task has no use for it.
        """
        return network

    @property
    def attributes(self) -> Mapping[str, str]:
        """Attributes of results about the task."""
        return {}

    @abc.abstractmethod
    def compose(self, network: Step, coarse_stepper: Callable[[], Any]) -> Any:
        """Return the emulator that maps a state ``(channel, *space)`` to the next one.

        Parameters
        ----------
        network
            The network.
        coarse_stepper
            Gives the coarse solver; called only by tasks that need one.
        """

    def receptive_field(
        self, network: ReceptiveField, coarse_stepper: Callable[[], Any], grid: Grid
    ) -> ReceptiveField:
        """Return how many points (back, forward) an output point of the emulator sees.

        Parameters
        ----------
        network
            The field of the network, a pair for each axis.
        coarse_stepper, grid
            The coarse solver, as for :meth:`compose`, and where it works.
        """
        return network


TASKS: Kind[Task] = Kind("task", "apexr.tasks", case_sensitive=True)
"""Every task by its name in config strings."""


@dataclass_transform(frozen_default=True)
def task(name: str) -> Callable[[type[S]], type[S]]:
    """Return the decorator that registers a task under ``name``."""
    return TASKS.register(name)  # type: ignore[return-value, arg-type]


@task("predict")
class Predict(Task):
    """predict - the network alone gives the next state."""

    def compose(self, network: Step, coarse_stepper: Callable[[], Any]) -> Any:
        """Return the network itself."""
        return network


@task("refine")
class Refine(Task):
    """refine[;STEPS;SIGMA_MIN] - the network denoises: the next state is refined from noise.

    ``STEPS`` refinements follow a first guess, so that a step of the emulator takes ``STEPS + 1``
    calls. The difference to the next state is predicted, each channel divided by its root mean
    square in the training data; :mod:`apexr.networks` says the formulas. The network is given the
    noisy difference and the number of the step as further channels.
    """

    steps: Annotated[int, Range(minimum=1, maximum=1000)] = 3
    sigma_min: Annotated[float, Range(minimum=0.0, maximum=1.0, exclusive=True)] = 4e-7

    def around(self, network: NetworkSpec) -> NetworkSpec:
        """Return the network as one that denoises.

        Raises
        ------
        SpecError
            If it predicts differences itself, or several frames, or a function makes it.
        """
        form = network.form if isinstance(network, Wrapper) else None
        if form is not None and (form.is_delta or form.frames != SINGLE):
            raise SpecError(
                f"network {str(network)!r}: the task 'refine' predicts the difference of one frame"
                " to the next itself; leave delta, history and bundle out (norm may stay)"
            )
        if isinstance(network, OwnNetwork):
            raise SpecError(
                "the task 'refine' gives the network further channels; it takes one that a config"
                " string names, not one of an overridden get_network"
            )
        return RefinerSpec(network, Schedule(self.steps, self.sigma_min))

    @property
    def attributes(self) -> Mapping[str, str]:
        """How rollouts are sampled."""
        return {
            "sampling": "the noise of a step is drawn from the key of the seed, which is stored"
            " with its weights, and from the bits of the state"
        }

    def compose(self, network: Step, coarse_stepper: Callable[[], Any]) -> Any:
        """Return the network itself."""
        return network


class Corrected(eqx.Module):
    """A coarse solver with a network that corrects it; leaves say how.

    Training changes the network alone. Gradients flow through the states that the solver gives.
    """

    solver: Solver
    network: Any

    @abc.abstractmethod
    def batched(self, states: States) -> States:
        """Return every state of a batch one step later."""

    @staticmethod
    @abc.abstractmethod
    def reach(solver: float, network: float) -> float:
        """Return how far the emulator sees, from how far its parts see."""

    def __call__(self, state: Float[Array, "channel *space"]) -> Float[Array, "channel *space"]:
        """Return one state one step later."""
        return self.batched(state[:, None])[:, 0]


MODES: Registry[type[Corrected]] = Registry("correction mode", "apexr.corrections")
"""Every way to correct a coarse solver, by its name in ``correct;MODE``."""


@MODES.register("parallel")
class Parallel(Corrected):
    """``S(u) + h(u)``: the network gives the solver's error."""

    def batched(self, states: States) -> States:
        """Return the sum of both."""
        return self.solver.batched(states) + as_batched(self.network)(states)

    @staticmethod
    def reach(solver: float, network: float) -> float:
        """Return the farther of both."""
        return max(solver, network)


@MODES.register("sequential")
class Sequential(Corrected):
    """``h(S(u))``: the network maps what the solver gives."""

    def batched(self, states: States) -> States:
        """Return the network's output for the solver's."""
        return as_batched(self.network)(self.solver.batched(states))

    @staticmethod
    def reach(solver: float, network: float) -> float:
        """Return the sum of both."""
        return solver + network


@MODES.register("sequential_with_bypass")
class SequentialWithBypass(Corrected):
    """``S(u) + h(S(u))``: the network sees what the solver gives, and adds to it."""

    def batched(self, states: States) -> States:
        """Return the solver's output with the network's correction of it."""
        stepped = self.solver.batched(states)
        return stepped + as_batched(self.network)(stepped)

    @staticmethod
    def reach(solver: float, network: float) -> float:
        """Return the sum of both."""
        return solver + network


@task("correct")
class Correct(Task):
    """correct;MODE - the network h corrects the coarse solver S: S + h, h(S) or S + h(S)."""

    mode: Annotated[str, OneOf(MODES)]

    def compose(self, network: Step, coarse_stepper: Callable[[], Any]) -> Any:
        """Return the corrected solver.

        Raises
        ------
        SpecError
            If the network is given or makes several frames.
        """
        if frames_of(network) != SINGLE:
            raise SpecError(
                "the task 'correct' adds one step of the coarse solver to what the network says of"
                " one frame; a network with a history or a bundle takes the task 'predict'"
            )
        return MODES.get(self.mode)(as_solver(coarse_stepper()), network)

    def receptive_field(
        self, network: ReceptiveField, coarse_stepper: Callable[[], Any], grid: Grid
    ) -> ReceptiveField:
        """Return the field of both together; a spectral solver sees the whole domain."""
        reach, solver = MODES.get(self.mode).reach, as_solver(coarse_stepper())
        return tuple(
            (reach(*back), reach(*forward))
            for back, forward in (
                tuple(zip(*pair, strict=True))
                for pair in zip(solver.receptive_field(grid), network, strict=True)
            )
        )
