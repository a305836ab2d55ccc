"""Scenarios of one's own from an equation: its fields, its equation, and nothing else."""

import abc
import re
from typing import Literal

from apexr._grammar import PositiveFloat
from apexr.errors import SpecError
from apexr.recipe import Extent, derived
from apexr.scenarios._numerics import NonlinearSolver, NumericsName
from apexr.steppers import Equation, Stepper

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class EquationScenario(NonlinearSolver):
    """A scenario that is made by its equation.

    A subclass adds annotated fields for the coefficients and :meth:`equation`. Linear equations
    are solved exactly, others by ETDRK; the coarse stepper makes a part of the step.

    Parameters
    ----------
    domain_extent
        Length of each axis; a tuple of one number an axis where they differ.
    dt
        The time step.
    numerics, etdrk_coefficients
        Exact ones by default: of the promised order for every equation.

    Examples
    --------
    >>> class KawaharaWaves(apexr.EquationScenario):
    ...     domain_extent: float = 40.0
    ...     dt: float = 0.05
    ...     b: float = 1.0
    ...
    ...     def equation(self):
    ...         return Kawahara(b=self.b)
    >>> KawaharaWaves().get_scenario_name()
    '1d_kawahara_waves'
    """

    domain_extent: Extent = 1.0
    dt: PositiveFloat = 0.01
    numerics: NumericsName = "exact"
    etdrk_coefficients: Literal["real", "exact"] = "exact"
    num_channels: int = derived()

    @abc.abstractmethod
    def equation(self) -> Equation:
        """Return the equation of the fields."""

    def _own_stepper(self, order: int | None) -> Stepper:
        return self._build(self.equation(), self.dt / self.num_substeps, order)

    def _stated_equation(self) -> Equation:
        return self.equation()

    def get_coarse_stepper(self) -> Stepper:
        """Return the solver of a part of the step, ``coarse_proportion``."""
        return self._build(self.equation(), self.coarse_proportion * self.dt / self.num_substeps)

    def get_scenario_name(self) -> str:
        """Return ``{D}d_`` and the name of the class in small letters."""
        words = _WORDS.sub("_", type(self).__name__).lower()
        return f"{self.num_spatial_dims}d_{words}"

    def _check(self) -> None:
        if not self.dt > 0:  # a sub-class may have declared it again
            raise SpecError(f"dt must be above 0, got {self.dt!r}")

    def _derive(self) -> None:
        self._set(num_channels=self.equation().num_channels(self.grid))
