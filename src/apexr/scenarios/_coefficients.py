"""The three parametrizations of a scenario: physical, normalized and difficulty coefficients."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from apexr.errors import SpecError
from apexr.scenarios._families import Family
from apexr.spectral import Grid
from apexr.steppers import (
    Convection,
    Linear,
    Nonlinear,
    Polynomial,
    denormalize,
    normalize,
    to_difficulty,
)

if TYPE_CHECKING:
    from apexr.experiment import BaseScenario

Numbers = tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class CoefficientSet:
    """The coefficients of one parametrization, all on the right-hand side.

    Attributes
    ----------
    linear
        Of ``Σ_d ∂_d^j u``, from order 0 on.
    nonlinear
        Of the quadratic, the convection and the gradient-norm part; empty where there are none.
    polynomial
        Of ``uᵏ``, from power 0 on; empty where there is none.
    """

    linear: Numbers
    nonlinear: Numbers = ()
    polynomial: Numbers = ()


@dataclasses.dataclass(frozen=True)
class Parametrisations:
    """One equation by three sets of coefficients, and what relates them; prints as a table.

    Attributes
    ----------
    physical
        On a domain of ``domain_extent`` with steps of ``dt``.
    normalized
        The same step on a domain of extent 1 with a time step of 1.
    difficulty
        Relative to the grid of ``num_spatial_dims`` axes with ``num_points`` each.
    """

    physical: CoefficientSet
    normalized: CoefficientSet
    difficulty: CoefficientSet
    domain_extent: float
    dt: float
    num_spatial_dims: int
    num_points: int

    def __str__(self) -> str:
        """Return the table; terms that are zero are left out."""
        head = (
            f"L = {self.domain_extent:g}, dt = {self.dt:g}, D = {self.num_spatial_dims},"
            f" N = {self.num_points}"
        )
        sets = (self.physical, self.normalized, self.difficulty)
        rows: list[tuple[str, ...]] = [("term", "physical", "normalized", "difficulty")]
        for kind, names in _TERMS.items():
            columns = zip(*(getattr(one, kind) for one in sets), strict=True)
            for order, values in enumerate(columns):
                if any(values):
                    rows.append((names(order), *(f"{value:.6g}" for value in values)))
        return "\n".join([head, *("{:<16}{:>14}{:>14}{:>14}".format(*row) for row in rows)])

    __repr__ = __str__


_TERMS: Mapping[str, Callable[[int], str]] = {
    "linear": "linear, order {}".format,
    "nonlinear": ("quadratic", "convection", "gradient norm").__getitem__,
    "polynomial": "power {}".format,
}


def describe_coefficients(
    scenario: "BaseScenario", *, domain_extent: float | None = None, dt: float | None = None
) -> Parametrisations:
    """Return a scenario's equation by physical, normalized and difficulty coefficients.

    Parameters
    ----------
    scenario
        Of any interface, with the same coefficients along all axes.
    domain_extent, dt
        The length of the longest axis and the time step that the physical coefficients are meant
        for; by default the scenario's own, or 1 where it has none.

    Raises
    ------
    SpecError
        If the scenario's equation has no such coefficients, or a number is not above 0.

    Examples
    --------
    >>> print(describe_coefficients(difficulty.Burgers()))
    L = 1, dt = 1, D = 1, N = 160
    term                  physical    normalized    difficulty
    linear, order 2    2.92969e-05   2.92969e-05           1.5
    convection           -0.009375     -0.009375          -1.5
    """
    grid = scenario.grid
    own = {"domain_extent": max(grid.extents), "dt": getattr(scenario, "dt", 1.0)}
    given = {"domain_extent": domain_extent, "dt": dt}
    meant = {name: own[name] if value is None else value for name, value in given.items()}
    for name, value in meant.items():
        if not isinstance(value, int | float) or not 0 < value < math.inf:
            raise SpecError(f"{name} must be a finite number above 0, got {value!r}")
    size = {"num_spatial_dims": grid.num_spatial_dims, "num_points": _points_of_longest(grid)}
    normalized = _normalized(_own_coefficients(scenario), **own)
    sets = _physical(normalized, **meant), normalized, _difficulty(normalized, **size)
    return Parametrisations(
        *sets, meant["domain_extent"], meant["dt"], grid.num_spatial_dims, size["num_points"]
    )


def _points_of_longest(grid: Grid) -> int:
    """Return the points along the longest axis.

    Raises
    ------
    SpecError
        If the cells of the grid are not square: a difficulty is relative to the length of a cell.
    """
    widest = max(grid.spacings)
    if any(not math.isclose(spacing, widest) for spacing in grid.spacings):
        raise SpecError(
            "difficulties are relative to the cells of the grid, which must be as long along every"
            f" axis; got cells of {' by '.join(f'{spacing:.4g}' for spacing in grid.spacings)}."
            " Choose num_points in proportion to domain_extent, or state the physical coefficients"
            " alone"
        )
    return max(grid.shape)


def _own_coefficients(scenario: "BaseScenario") -> CoefficientSet:
    if isinstance(scenario, Family):
        match scenario._equation():
            case Linear(linear):
                return CoefficientSet(linear)
            case Convection(linear, scale):
                return CoefficientSet(linear, (0.0, -scale, 0.0))
            case Nonlinear(linear, nonlinear):
                return CoefficientSet(linear, nonlinear)
            case Polynomial(linear, polynomial):
                return CoefficientSet(linear, polynomial=polynomial)
    raise SpecError(
        f"{type(scenario).__name__} has parameters of its own alone: its equation is no sum of"
        " linear terms with the same coefficients along all axes, and quadratic, convection,"
        " gradient-norm or polynomial ones"
    )


def _normalized(own: CoefficientSet, *, domain_extent: float, dt: float) -> CoefficientSet:
    scale = {"domain_extent": domain_extent, "dt": dt}
    return CoefficientSet(
        normalize("linear", own.linear, **scale),
        normalize("nonlinear", own.nonlinear, **scale) if own.nonlinear else (),
        normalize("polynomial", own.polynomial, **scale),
    )


def _physical(normalized: CoefficientSet, *, domain_extent: float, dt: float) -> CoefficientSet:
    scale = {"domain_extent": domain_extent, "dt": dt}
    return CoefficientSet(
        denormalize("linear", normalized.linear, **scale),
        denormalize("nonlinear", normalized.nonlinear, **scale) if normalized.nonlinear else (),
        denormalize("polynomial", normalized.polynomial, **scale),
    )


def _difficulty(
    normalized: CoefficientSet, *, num_spatial_dims: int, num_points: int
) -> CoefficientSet:
    size = {"num_spatial_dims": num_spatial_dims, "num_points": num_points}
    return CoefficientSet(
        to_difficulty("linear", normalized.linear, **size),
        to_difficulty("nonlinear", normalized.nonlinear, **size) if normalized.nonlinear else (),
        normalized.polynomial,
    )
