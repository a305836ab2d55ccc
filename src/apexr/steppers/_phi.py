"""The functions of exponential integrators, accurate for every complex argument."""

import math
from types import ModuleType
from typing import Any

_NUM_TERMS = 18  # of a series for |z| < 1: the next one is below a double's rounding


def phi_functions(z: Any, xp: ModuleType) -> tuple[Any, Any, Any]:
    """Return ``φ₁, φ₂, φ₃`` with ``φ_k(z) = (φ_{k-1}(z) - 1/(k-1)!) / z`` and ``φ₀ = exp``.

    That recurrence cancels near zero; there, ``φ₃`` is summed from its series and the recurrence
    is run backward, which is stable.

    Parameters
    ----------
    z
        Complex arguments.
    xp
        The array module, :mod:`numpy` or :mod:`jax.numpy`.

    References
    ----------
    Hochbruck & Ostermann (2010), "Exponential integrators", Acta Numerica 19, 209, eq. 2.10,
    doi:10.1017/S0962492910000048.
    """
    near = xp.abs(z) < 1
    third = _series(xp.where(near, z, 0))
    inner = (z * (z * third + 0.5) + 1, z * third + 0.5, third)
    outer = _forward(xp.where(near, 1, z), xp)
    first, second, third = (xp.where(near, *pair) for pair in zip(inner, outer, strict=True))
    return first, second, third


def _series(z: Any) -> Any:
    """Return ``φ₃(z) = Σ zⁿ / (n + 3)!``."""
    total: Any = 1 / math.factorial(_NUM_TERMS + 3)
    for n in reversed(range(_NUM_TERMS)):
        total = total * z + 1 / math.factorial(n + 3)
    return total


def _forward(z: Any, xp: ModuleType) -> tuple[Any, Any, Any]:
    first = (xp.exp(z) - 1) / z
    second = (first - 1) / z
    return first, second, (second - 0.5) / z
