"""The dimensions that an equation exists in."""

from apexr.errors import SpecError
from apexr.spectral import Grid
from apexr.steppers.equations._base import Equation


def require_dimensions(equation: Equation, grid: Grid, dims: int, otherwise: str) -> None:
    """Refuse a grid of other dimensions than those of the equation.

    Parameters
    ----------
    equation, grid
        The equation to solve, and its grid.
    dims
        The only number of dimensions in which the equation is stated.
    otherwise
        The equation to take in other dimensions.

    Raises
    ------
    SpecError
        Naming both numbers and the way out.
    """
    if grid.num_spatial_dims != dims:
        raise SpecError(
            f"{type(equation).__name__} is stated in {dims} dimensions, got a grid of"
            f" {grid.num_spatial_dims}; {otherwise}"
        )
