"""Which numerics a scenario has, those of the benchmark's data or exact ones, and its solver."""

import abc
import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from apexr._grammar import PositiveFloat, PositiveInt, Range
from apexr.errors import SpecError
from apexr.experiment import BaseScenario
from apexr.initial import InitialCondition, drawn_from_noise
from apexr.scenarios._terms import MEANINGS
from apexr.steppers import (
    ETDRK,
    SOLVERS,
    Equation,
    ETDRKStepper,
    RepeatedStepper,
    SolverSpec,
    Stepper,
)

NumericsName = Literal["apebench", "exact", "exponax-0.2"]


@dataclasses.dataclass(frozen=True)
class Numerics:
    """The differences between numerics.

    Attributes
    ----------
    coefficients
        Of the ETDRK schemes: ``"real"`` or ``"exact"``.
    as_stated
        Whether the equation is the one that the scenario's documentation states, and states have
        the waves of the dealiasing mask alone, initial ones included.
    drawn_from_noise
        Whether initial states are drawn as the second release of the benchmark's solver does.
    """

    coefficients: Literal["real", "exact"]
    as_stated: bool
    drawn_from_noise: bool = False


NUMERICS: Mapping[NumericsName, Numerics] = {
    "apebench": Numerics("real", as_stated=False),
    "exact": Numerics("exact", as_stated=True),
    "exponax-0.2": Numerics("real", as_stated=False, drawn_from_noise=True),
}


_SOLVERS = ("train_solver", "test_solver")


class NumericalScenario(BaseScenario):
    """A scenario whose equation and solver are known to apexr.

    Parameters
    ----------
    numerics
        ``"apebench"``: data as the published benchmark has them; :attr:`deviations` names how
        they differ from the equation. ``"exact"``: the equation as it is stated, exact ETDRK
        coefficients, and a Galerkin method: no state has waves outside the dealiasing mask.
        ``"exponax-0.2"``: as ``"apebench"``, but ``fourier`` and ``grf`` among the initial
        conditions are drawn as Exponax 0.2 draws them, ``noise_fourier`` and ``noise_grf``.
    train_solver
        The solver of the training trajectories: ``etdrk;ORDER`` is the scenario's own solver with
        another order, ``fd;THETA;PICARD`` finite differences in time steps of the same length.
        By default the scenario's own.
    test_solver
        The same of the test trajectories, and of the warm-up of both.
    """

    shared_meanings: ClassVar[Mapping[str, str]] = MEANINGS

    numerics: NumericsName = "apebench"
    train_solver: str = ""
    test_solver: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        configs = {name: getattr(self, name) for name in _SOLVERS if getattr(self, name)}
        solvers = {name: self._read_solver(name, text) for name, text in configs.items()}
        self._set(solvers=solvers, **{name: str(read) for name, read in solvers.items()})

    def _read_solver(self, name: str, config: str) -> SolverSpec:
        """Return a solver, checked against the equation.

        Raises
        ------
        SpecError
            Naming the parameter, and what the solver lacks.
        """
        try:
            read = SOLVERS.parse(config)
            read.check(self._stated_equation(), self.grid)
        except SpecError as error:
            raise SpecError(f"{name} of {type(self).__name__}: {error}") from None
        return read

    def _stated_equation(self) -> Equation:
        """Return the equation as it is stated, which solvers other than ETDRK solve."""
        raise SpecError("it makes no steps in time, so that there is no solver to choose")

    def _read_condition(self, config: str) -> InitialCondition:
        read = super()._read_condition(config)
        return drawn_from_noise(read) if NUMERICS[self.numerics].drawn_from_noise else read

    @abc.abstractmethod
    def _own_stepper(self, order: int | None) -> Any:
        """Return the scenario's own solver of one step, of another order unless it is None."""

    @property
    def _time_step(self) -> float:
        return getattr(self, "dt", 1.0)

    def get_ref_stepper(self) -> Any:
        """Return the solver of one step of the test trajectories."""
        return self._solved_by("test_solver")

    def get_train_stepper(self) -> Any:
        """Return the solver of one step of the training trajectories."""
        if not self.train_solver and not self.test_solver:
            return self.get_ref_stepper()
        return self._solved_by("train_solver")

    def _solved_by(self, name: str) -> Any:
        """Return the solver that a parameter chooses; the scenario's own where it is empty."""
        read = self.solvers.get(name)
        if read is None or isinstance(read, ETDRK):
            return self._own_stepper(None if read is None else read.order)
        substeps = getattr(self, "num_substeps", 1)
        equation = self._stated_equation()
        return read.build(equation, self.grid, self._time_step, num_substeps=substeps)

    @property
    def _as_stated(self) -> bool:
        return NUMERICS[self.numerics].as_stated

    @property
    def changed_parameters(self) -> dict[str, Any]:
        """The parameters that differ from the defaults of the class."""
        changed = super().changed_parameters
        if "numerics" in changed and _implied(self):
            changed.pop("etdrk_coefficients", None)
        return changed

    @property
    def identifying_parameters(self) -> dict[str, Any]:
        """The parameters that identify an experiment.

        The numerics that a class has by default are left out, so that experiments made before
        there was a choice keep their identity; so are coefficients that the numerics imply.
        """
        parameters = super().identifying_parameters
        if self.numerics == type(self).__dataclass_fields__["numerics"].default:
            del parameters["numerics"]
        elif _implied(self):
            del parameters["etdrk_coefficients"]
        return parameters

    @property
    def numerics_attributes(self) -> dict[str, str]:
        """Attributes of data about the numerics."""
        said: dict[str, str] = {"numerics": self.numerics}
        if self.deviations:
            said["numerics_deviations"] = "; ".join(self.deviations)
        if hasattr(self, "coefficient_mode"):
            said["etdrk_coefficients"] = self.coefficient_mode
        return said | {name: getattr(self, name) for name in _SOLVERS if getattr(self, name)}

    @property
    def deviations(self) -> tuple[str, ...]:
        """How the data differ from those of the stated equation; empty for exact numerics."""
        return () if self._as_stated else tuple(self._published_deviations())

    def _published_deviations(self) -> list[str]:
        return []

    def _zero_order(self) -> list[str]:
        return [f"the term of order zero counts {self.num_spatial_dims} times"]


class NonlinearSolver(NumericalScenario):
    """A scenario whose equation has a nonlinear term.

    Parameters
    ----------
    num_substeps
        Solver steps in one recorded step.
    coarse_proportion
        Part of the time step that the coarse stepper makes.
    order
        Order of the ETDRK scheme, 0 to 4.
    dealiasing_fraction
        Part of the wavenumbers that enters nonlinear products.
    num_circle_points, circle_radius
        Contour on which the coefficients are evaluated.
    etdrk_coefficients
        ``"real"`` takes the real part of the coefficients, as the published benchmark does,
        which is first order in time as soon as odd derivatives are present; ``"exact"`` keeps
        them complex. Left at its default it follows from ``numerics``.
    """

    num_substeps: PositiveInt = 1
    coarse_proportion: PositiveFloat = 0.5
    order: Annotated[int, Range(minimum=0, maximum=4)] = 2
    dealiasing_fraction: Annotated[float, Range(minimum=0.0, maximum=1.0)] = 2 / 3
    num_circle_points: PositiveInt = 16
    circle_radius: PositiveFloat = 1.0
    etdrk_coefficients: Literal["real", "exact"] = "real"

    @property
    def coefficient_mode(self) -> Literal["real", "exact"]:
        """The coefficients that are used: those of the numerics unless others are chosen."""
        default = type(self).__dataclass_fields__["etdrk_coefficients"].default
        chosen = self.etdrk_coefficients
        return NUMERICS[self.numerics].coefficients if chosen == default else chosen

    def _published_deviations(self) -> list[str]:
        if self.coefficient_mode == "exact":
            return super()._published_deviations()
        return [
            *super()._published_deviations(),
            "products are not dealiased, and the linear part acts on waves outside the mask",
        ]

    def _build(self, equation: Equation, dt: float, order: int | None = None) -> Stepper:
        stepper = ETDRKStepper(
            equation,
            self.grid,
            dt,
            order=self.order if order is None else order,
            coefficients=self.coefficient_mode,
            dealiasing_fraction=self.dealiasing_fraction,
            num_circle_points=self.num_circle_points,
            circle_radius=self.circle_radius,
        )
        return stepper if self.num_substeps == 1 else RepeatedStepper(stepper, self.num_substeps)


def counted_once(equation: Equation, num_spatial_dims: int) -> Equation:
    """Return an equation whose coefficient ``a_0`` acts as ``a_0``, not as ``D a_0``."""
    given = getattr(equation, "linear_coefficients", (0.0,))
    if given[0] == 0:
        return equation
    once = (given[0] / num_spatial_dims, *given[1:])
    replaced: Equation = dataclasses.replace(equation, linear_coefficients=once)  # type: ignore[type-var]
    return replaced


def _implied(scenario: NumericalScenario) -> bool:
    """Tell whether the coefficients are those of the numerics, however they were asked for."""
    used = getattr(scenario, "coefficient_mode", None)
    return used == NUMERICS[scenario.numerics].coefficients
