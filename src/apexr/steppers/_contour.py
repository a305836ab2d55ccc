"""Means over a circle in the complex plane, as published benchmark data were made with."""

import dataclasses
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex

from apexr.errors import SpecError
from apexr.steppers._arrays import array_module, check_count

Weights = Callable[[Any, ModuleType], tuple[Any, ...]]


@dataclasses.dataclass(frozen=True)
class Circle:
    """Points spread evenly over a circle around zero: ``ρ exp(2πi (m - ½) / M)``, ``m = 1 … M``.

    Raises
    ------
    SpecError
        If there is no point or no radius.
    """

    num_points: int = 16
    radius: float = 1.0

    def __post_init__(self) -> None:
        check_count("num_circle_points", self.num_points, minimum=1)
        if not 0 < self.radius < math.inf:
            raise SpecError(f"circle_radius must be a finite number above 0, got {self.radius!r}")

    @property
    def points(self) -> Complex[np.ndarray, "point"]:
        """Return the points."""
        angles = 2 * np.pi * (np.arange(self.num_points) + 0.5) / self.num_points
        return np.asarray(self.radius * np.exp(1j * angles))


def contour_means(weights: Weights, z: Any, circle: Circle) -> tuple[Any, ...]:
    """Return the means of analytic functions over a circle around each entry of ``z``.

    The mean is the value at the center, but for the small error of a finite number of points.
    Points are added one after another: memory does not grow with their number.

    Parameters
    ----------
    weights
        ``weights(r, xp)`` returns the functions' values at ``r``, in the array module ``xp``.
    z
        The centers, NumPy or traced.
    circle
        The circle, moved to each center.

    References
    ----------
    Kassam & Trefethen (2005), "Fourth-order time-stepping for stiff PDEs", SIAM J. Sci.
    Comput. 26, 1214, section 3, doi:10.1137/S1064827502410633.
    """
    sum_over = _traced_totals if array_module(z) is jnp else _host_totals
    return tuple(total / circle.num_points for total in sum_over(weights, z, circle.points))


def _host_totals(weights: Weights, z: Any, points: np.ndarray) -> tuple[Any, ...]:
    totals = weights(z + points[0], np)
    for point in points[1:]:
        terms = weights(z + point, np)
        totals = tuple(total + term for total, term in zip(totals, terms, strict=True))
    return totals


def _traced_totals(weights: Weights, z: Any, points: np.ndarray) -> tuple[Any, ...]:
    def add(totals: tuple[Any, ...], point: Any) -> tuple[tuple[Any, ...], None]:
        return jax.tree.map(jnp.add, totals, weights(z + point, jnp)), None

    totals = jax.tree.map(jnp.zeros_like, jax.eval_shape(lambda r: weights(r, jnp), z))
    totals, _ = jax.lax.scan(add, totals, jnp.asarray(points, z.dtype))
    return tuple(totals)
