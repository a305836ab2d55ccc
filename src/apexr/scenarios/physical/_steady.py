"""The Poisson equation: one step from a right-hand side to its solution."""

from typing import Annotated, NoReturn

from apexr._grammar import Count, PositiveInt, Range
from apexr.errors import SpecError
from apexr.recipe import Extent, scenario
from apexr.scenarios._numerics import NumericalScenario
from apexr.steppers import Poisson as PoissonSolver

_FORCED = {"train_temporal_horizon": 1, "test_temporal_horizon": 1, "num_warmup_steps": 0}


@scenario("phy_poisson")
class Poisson(NumericalScenario):
    """The Poisson equation ``-Σ_d ∂_dⁿ u = f``: trajectories of two frames, f and u.

    Training ``one`` learns the map from right-hand sides to solutions of zero mean. There is
    nothing between the two frames, hence no coarse stepper, and both numerics are the same.

    Parameters
    ----------
    domain_extent
        Length of the domain along each axis; a tuple of one number an axis where they differ.
    order
        n, even and at least 2.
    """

    train_temporal_horizon: PositiveInt = 1
    test_temporal_horizon: PositiveInt = 1
    num_warmup_steps: Count = 0
    domain_extent: Extent = 10.0
    order: Annotated[int, Range(minimum=2)] = 2

    def _check(self) -> None:
        for name, only in _FORCED.items():
            if getattr(self, name) != only:
                raise SpecError(
                    f"{name} of Poisson must be {only}, got {getattr(self, name)}: a trajectory is"
                    " the right-hand side and its solution, no more"
                )
        if self.order % 2:
            raise SpecError(f"order of Poisson must be even, got {self.order}")

    def _own_stepper(self, order: int | None) -> PoissonSolver:
        return PoissonSolver(self.grid, self.order)

    def get_coarse_stepper(self) -> NoReturn:
        """Refuse: a solution has no part that could be made first.

        Raises
        ------
        SpecError
            Always.
        """
        raise SpecError(
            "Poisson has no coarse stepper, as it makes no steps in time; use the task 'predict'"
            " and training that takes reference data alone, such as 'one'"
        )

    def get_scenario_name(self) -> str:
        """Return ``{D}d_phy_poisson_order{order}``."""
        return f"{self.num_spatial_dims}d_phy_poisson_order{self.order}"
