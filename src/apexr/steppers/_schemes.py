"""Solvers by config string: what advances an equation, whatever the equation is."""

import abc
from collections.abc import Callable
from typing import Annotated, TypeVar, dataclass_transform

from apexr._grammar import Kind, PositiveInt, Range
from apexr.spectral import Grid
from apexr.steppers._finite_difference import FiniteDifferenceStepper
from apexr.steppers._finite_terms import finite_terms
from apexr.steppers._stepper import ETDRKStepper, RepeatedStepper, Stepper
from apexr.steppers.equations import Equation

S = TypeVar("S")


class SolverSpec(abc.ABC):
    """A way to solve equations: what ``etdrk;2`` or ``fd;1.0;100`` parses to.

    Leaves are decorated with :func:`solver`; their fields are the arguments of the string.
    """

    def check(self, equation: Equation, grid: Grid) -> None:  # noqa: B027 - most have all terms
        """Refuse an equation that cannot be solved so.

        Raises
        ------
        SpecError
            Naming the term at fault.
        """

    @abc.abstractmethod
    def single(self, equation: Equation, grid: Grid, dt: float) -> Stepper:
        """Return the stepper of one step of ``dt``."""

    def build(self, equation: Equation, grid: Grid, dt: float, *, num_substeps: int = 1) -> Stepper:
        """Return the stepper of ``dt``, made in so many equal parts.

        Raises
        ------
        SpecError
            If the equation cannot be solved so, or a number is out of its range.
        """
        stepper = self.single(equation, grid, dt / num_substeps)
        return stepper if num_substeps == 1 else RepeatedStepper(stepper, num_substeps)


SOLVERS: Kind[SolverSpec] = Kind("solver", "apexr.solvers")
"""Every solver by its name in config strings."""


@dataclass_transform(frozen_default=True)
def solver(name: str) -> Callable[[type[S]], type[S]]:
    """Return the decorator that registers a solver under ``name``."""
    return SOLVERS.register(name)  # type: ignore[return-value, arg-type]


@solver("etdrk")
class ETDRK(SolverSpec):
    """etdrk;ORDER - exponential time differencing, spectral in space; linear equations exactly."""

    order: Annotated[int, Range(minimum=0, maximum=4)]

    def single(self, equation: Equation, grid: Grid, dt: float) -> Stepper:
        """Return an :class:`~apexr.steppers.ETDRKStepper` with exact coefficients."""
        return ETDRKStepper(equation, grid, dt, self.order)


@solver("fd")
class FiniteDifference(SolverSpec):
    """fd;THETA;PICARD - finite differences, upwind; the theta method with Picard's iteration."""

    theta: Annotated[float, Range(minimum=0.0, maximum=1.0)]
    picard: PositiveInt

    def check(self, equation: Equation, grid: Grid) -> None:
        """Refuse an equation with a term that finite differences lack."""
        finite_terms(equation, grid)

    def single(self, equation: Equation, grid: Grid, dt: float) -> Stepper:
        """Return a :class:`~apexr.steppers.FiniteDifferenceStepper`."""
        return FiniteDifferenceStepper(equation, grid, dt, self.theta, self.picard)
