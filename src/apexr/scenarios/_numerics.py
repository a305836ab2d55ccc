"""Which numerics a scenario has: those that the benchmark's data were made with, or exact ones."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from apexr.scenarios._base import BaseScenario
from apexr.steppers import Equation

Choice = Literal["apebench", "exact"]


@dataclasses.dataclass(frozen=True)
class Numerics:
    """What differs between numerics.

    Attributes
    ----------
    coefficients
        Of the ETDRK schemes: ``"real"`` or ``"exact"``.
    as_stated
        Whether the equation is the one that the scenario's documentation states, and states have
        the waves of the dealiasing mask alone, initial ones included.
    """

    coefficients: Literal["real", "exact"]
    as_stated: bool


NUMERICS: Mapping[Choice, Numerics] = {
    "apebench": Numerics("real", as_stated=False),
    "exact": Numerics("exact", as_stated=True),
}


class NumericalScenario(BaseScenario):
    """A scenario whose equation and solver are known to apexr.

    Parameters
    ----------
    numerics
        ``"apebench"``: data as the published benchmark has them; :attr:`deviations` names how
        they differ from the equation. ``"exact"``: the equation as it is stated, exact ETDRK
        coefficients, and a Galerkin method: no state has waves outside the dealiasing mask.
    """

    numerics: Choice = "apebench"

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
        """What attributes of data say of the numerics."""
        said: dict[str, str] = {"numerics": self.numerics}
        if self.deviations:
            said["numerics_deviations"] = "; ".join(self.deviations)
        if hasattr(self, "coefficient_mode"):
            said["etdrk_coefficients"] = self.coefficient_mode
        return said

    @property
    def deviations(self) -> tuple[str, ...]:
        """How the data differ from those of the stated equation; empty for exact numerics."""
        return () if self._as_stated else tuple(self._published_deviations())

    def _published_deviations(self) -> list[str]:
        return []

    def _zero_order(self) -> list[str]:
        return [f"the term of order zero counts {self.num_spatial_dims} times"]


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
