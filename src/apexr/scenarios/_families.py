"""The common part of the three interfaces: families of equations with their steppers and names.

An interface (difficulty, normalized, physical) adds its fields and says how they become an
equation; a family says how that equation is solved. The coarse stepper makes a part of the
step: as all terms scale with the step, that is the same as scaling all the coefficients.
"""

import abc
from collections.abc import Mapping
from typing import Any, ClassVar

from apexr._grammar import PositiveFloat
from apexr.recipe import derived
from apexr.scenarios._numerics import NonlinearSolver, NumericalScenario, counted_once
from apexr.scenarios._terms import Coefficients, Scale, Term
from apexr.steppers import Equation, ETDRKStepper, Stepper

Derived = Mapping[str, Any]
"""Derived fields with their values."""

KURAMOTO_METRICS = "mean_nRMSE,mean_correlation"
KURAMOTO_WARMUP = 500
FROM_0_TO_1 = "clamp;0.0;1.0;fourier;5;false;false"


class Family(NumericalScenario):
    """An equation of an interface, solved for a step and for a part of it.

    An interface says its name and which field holds the linear coefficients; a scenario says
    its suffix, where ``{terms}`` stands for the orders of the linear terms and the name of a
    parameter for its value.
    """

    interface: ClassVar[str]
    suffix: ClassVar[str]
    scale: ClassVar[Scale]
    linear_field: ClassVar[str] = ""  # none
    terms: ClassVar[Mapping[str, Term]] = {}
    num_orders: ClassVar[int] = 5
    num_channels: int = derived()

    def _own_stepper(self, order: int | None) -> Stepper:
        return self._stepper(1.0, order)

    def _stated_equation(self) -> Equation:
        return counted_once(self._equation(), self.num_spatial_dims)

    def get_coarse_stepper(self) -> Stepper:
        """Return the solver of a part of the step, ``coarse_proportion``."""
        return self._stepper(getattr(self, "coarse_proportion"))  # noqa: B009 - of sub-classes

    def get_scenario_name(self) -> str:
        """Return ``{D}d_{interface}_{suffix}``."""
        coefficients = self._linear_coefficients
        terms = "_".join(str(order) for order, value in enumerate(coefficients) if value != 0)
        suffix = self.suffix.format(terms=terms, **self.all_parameters)
        return f"{self.num_spatial_dims}d_{self.interface}_{suffix}"

    @property
    def _linear_coefficients(self) -> Coefficients:
        return getattr(self, self.linear_field, ())

    def _published_deviations(self) -> list[str]:
        count = any(self._linear_coefficients[:1]) and self.num_spatial_dims > 1
        return [*super()._published_deviations(), *(self._zero_order() if count else [])]

    def _derive(self) -> None:
        self._set(num_channels=self._num_channels(), **self._coefficients())

    def _num_channels(self) -> int:
        return 1

    def _coefficients(self) -> Derived:
        """Return the sets of coefficients that the parameters of single terms fill."""
        sets: dict[str, list[float]] = {}
        for name, term in self.terms.items():
            place, size = term.place, 3 if term.kind == "nonlinear" else self.num_orders
            if place is None and term.kind == "nonlinear":
                continue
            if place is None:  # one term of any order
                place = getattr(self, "linear_term_order")  # noqa: B009 - of sub-classes
                size = place + 1
            held = sets.setdefault(self.scale.sets[term.kind], [0.0] * size)
            held[place] = getattr(self, name)
        return {name: tuple(values) for name, values in sets.items()}

    def _scaled(self, equation: Any, *coefficients: Any, **options: Any) -> Equation:
        """Return an equation of coefficients as the interface scales them."""
        made: Equation = equation(*coefficients, **options)
        return made

    @abc.abstractmethod
    def _equation(self) -> Equation:
        """Return the equation of the coefficients; one with ``a_0`` counts it D times."""

    def _solved_equation(self) -> Equation:
        """Return the equation that the numerics solve."""
        return self._stated_equation() if self._as_stated else self._equation()

    @abc.abstractmethod
    def _stepper(self, proportion: float, order: int | None = None) -> Stepper:
        """Return the solver of a part of the step; linear equations have no order."""


class LinearFamily(Family):
    """A linear equation, solved exactly.

    Parameters
    ----------
    coarse_proportion
        Part of the step that the coarse stepper makes.
    """

    coarse_proportion: PositiveFloat = 0.5

    def _stepper(self, proportion: float, order: int | None = None) -> Stepper:
        return ETDRKStepper(self._solved_equation(), self.grid, proportion * self._time_step)


class NonlinearFamily(Family, NonlinearSolver):
    """An equation with a nonlinear term, solved by ETDRK in substeps."""

    def _published_deviations(self) -> list[str]:
        odd = any(self._linear_coefficients[1::2]) and self.coefficient_mode == "real"
        first = "the real part of the ETDRK coefficients is taken: first order in time"
        return [*([first] if odd else []), *super()._published_deviations()]

    def _stepper(self, proportion: float, order: int | None = None) -> Stepper:
        dt = proportion * self._time_step / self.num_substeps
        return self._build(self._solved_equation(), dt, order)


class ConvectionFamily(NonlinearFamily):
    """Convection of a velocity: one channel a dimension."""

    channel_kind = "velocity"

    def _num_channels(self) -> int:
        return self.num_spatial_dims
