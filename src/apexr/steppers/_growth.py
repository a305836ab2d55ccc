"""Waves that grow where no nonlinear term can hold them: outside the dealiasing mask."""

import math
from typing import Any

import numpy as np
from jaxtyping import Bool

from apexr.errors import ResolutionWarning, warn
from apexr.spectral import Grid
from apexr.steppers._arrays import default_float, is_traced

_ROUNDING = 1e-12
"""Growth below this part of the largest exponent is rounding."""
_said: set[tuple[str, Grid, bool]] = set()


def growth_outside(z: Any, mask: Bool[np.ndarray, "1 *spectrum"]) -> float:
    """Return the fastest growth, ``max Re(Δt 𝓛)``, of a wave outside the mask; 0 if none grows.

    Parameters
    ----------
    z
        ``Δt 𝓛`` of every wave, ``(1 or channel, *spectrum)``, on the host.
    mask
        Which waves enter nonlinear products.
    """
    rates = np.where(mask, 0.0, np.real(z))
    fastest = float(np.max(rates))
    return fastest if fastest > _ROUNDING * max(1.0, float(np.max(np.abs(z)))) else 0.0


def steps_until_felt(growth: float) -> int:
    """Return after how many steps rounding has grown to the size of the state."""
    return math.ceil(-math.log(np.finfo(default_float()).eps) / growth)


def warn_of_growth(z: Any, equation: Any, grid: Grid, mask: Any, *, galerkin: bool) -> None:
    """Warn, once for an equation on a grid, if waves outside the dealiasing mask grow.

    Nothing is said where coefficients are traced: the host does not know them.

    Parameters
    ----------
    z, mask
        As in :func:`growth_outside`.
    equation, grid
        The equation and its grid.
    galerkin
        Whether the state has no waves outside the mask; else they grow in it without bound.
    """
    if is_traced(z) or not np.all(np.isfinite(z)):
        return
    growth = growth_outside(z, mask)
    key = (repr(equation), grid, galerkin)
    if not growth or key in _said:
        return
    _said.add(key)
    steps = steps_until_felt(growth)
    what = (
        "they are left out, so that from about then on the solution lacks them"
        if galerkin
        else "nothing saturates them there, so that they swamp the solution from about then on;"
        " exact numerics leave them out"
    )
    warn(
        f"{equation!r} on {grid}: waves outside the dealiasing mask grow by exp({growth:.3g}) a"
        f" step, from rounding to order one in {steps} steps. {what[0].upper()}{what[1:]}. Take"
        " more points to resolve them",
        ResolutionWarning,
    )
