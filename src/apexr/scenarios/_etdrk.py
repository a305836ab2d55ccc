"""The common part of scenarios with a nonlinear term: the parameters of their ETDRK solver."""

from typing import Annotated, Literal

from apexr._grammar import PositiveFloat, PositiveInt, Range
from apexr.scenarios._numerics import NUMERICS, NumericalScenario
from apexr.steppers import Equation, ETDRKStepper, RepeatedStepper, Stepper


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
