"""Conversion between physical, normalized and difficulty coefficients, both ways.

With ``D`` dimensions, ``N`` points, extent ``L``, step ``Δt`` and largest absolute state ``M``:

====================================  ==================  ============================
physical                              normalized          difficulty
====================================  ==================  ============================
``a_j``, of ``Σ_d ∂_d^j u``           ``α_j = a_j Δt/Lʲ``  ``γ_j = α_j Nʲ 2ʲ⁻¹ D``; ``γ₀ = α₀``
``b₀``, quadratic                     ``β₀ = b₀ Δt``      ``δ₀ = β₀``
``b₁``, convection                    ``β₁ = b₁ Δt/L``    ``δ₁ = β₁ M N D``
``b₂``, gradient norm                 ``β₂ = b₂ Δt/L²``   ``δ₂ = β₂ M N² D``
``c_k``, of ``uᵏ``                    ``c_k Δt``          as normalized
====================================  ==================  ============================

Normalized coefficients make the same step with ``L = Δt = 1``; difficulties relate to the grid:
``γ₁`` is the number of cells crossed in a step. ``L`` and ``N`` are single numbers: on a domain
whose axes differ, those of its longest axis.

References
----------
Koehler et al. (2024), "APEBench: A Benchmark for Autoregressive Neural Emulators of PDEs",
NeurIPS, section 3 and appendix B.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

from apexr._grammar import Dimensions, PositiveFloat, PositiveInt
from apexr.errors import SpecError, suggest
from apexr.steppers.equations._tensors import Coefficient

Coefficients = Sequence[Coefficient]
Given = Coefficient | Coefficients
Kind = Literal["linear", "nonlinear", "polynomial", "convection", "gradient_norm"]
"""Coefficients of one row of the table, or of the three in the middle together (``nonlinear``)."""
NUM_NONLINEAR = 3
_SINGLE = {"convection": 1, "gradient_norm": 2}
"""Kinds that are one number, and the order of its derivatives."""


def normalize(
    kind: Kind, physical: Given, *, domain_extent: PositiveFloat, dt: PositiveFloat
) -> Any:
    """Return normalized coefficients of physical ones.

    Parameters
    ----------
    kind
        ``"linear"``: ``a_0, a_1, …``; ``"nonlinear"``: ``b₀, b₁, b₂``; ``"polynomial"``:
        ``c_0, c_1, …``; ``"convection"`` or ``"gradient_norm"``: the number ``b₁`` or ``b₂``.
    physical
        One number, or a sequence, as the kind says.
    domain_extent, dt
        The length of the (longest) axis, and the time step.

    Returns
    -------
    A number or a tuple, as given.

    Raises
    ------
    SpecError
        If the kind is unknown, lengths are given for several axes, or there are not three
        nonlinear coefficients.
    """
    _check_one_axis(domain_extent=domain_extent)
    return _each(kind, physical, lambda value, order: value * dt / domain_extent**order)


def denormalize(
    kind: Kind, normalized: Given, *, domain_extent: PositiveFloat, dt: PositiveFloat
) -> Any:
    """Return physical coefficients of normalized ones; the inverse of :func:`normalize`."""
    _check_one_axis(domain_extent=domain_extent)
    return _each(kind, normalized, lambda value, order: value / dt * domain_extent**order)


def to_difficulty(
    kind: Kind,
    normalized: Given,
    *,
    num_spatial_dims: Dimensions,
    num_points: PositiveInt,
    maximum_absolute: PositiveFloat = 1.0,
) -> Any:
    """Return difficulties of normalized coefficients.

    Parameters
    ----------
    kind, normalized
        As for :func:`normalize`.
    num_spatial_dims, num_points
        Of the grid; the points along its (longest) axis.
    maximum_absolute
        The largest magnitude of states; linear and polynomial terms do not depend on it.

    Returns
    -------
    A number or a tuple, as given.

    Raises
    ------
    SpecError
        As for :func:`normalize`.
    """
    cells = _cells(kind, num_spatial_dims, num_points, maximum_absolute)
    return _each(kind, normalized, lambda value, order: value * cells(order) if order else value)


def from_difficulty(
    kind: Kind,
    difficulty: Given,
    *,
    num_spatial_dims: Dimensions,
    num_points: PositiveInt,
    maximum_absolute: PositiveFloat = 1.0,
) -> Any:
    """Return normalized coefficients of difficulties; the inverse of :func:`to_difficulty`."""
    cells = _cells(kind, num_spatial_dims, num_points, maximum_absolute)
    return _each(kind, difficulty, lambda value, order: value / cells(order) if order else value)


def _cells(
    kind: Kind, num_spatial_dims: int, num_points: int, maximum_absolute: float
) -> Callable[[int], float]:
    """Return the factor between a normalized coefficient and its difficulty, by its order."""
    _check_one_axis(num_points=num_points)
    if kind == "linear":
        return lambda order: float(num_points**order * 2 ** (order - 1) * num_spatial_dims)
    return lambda order: maximum_absolute * num_points**order * num_spatial_dims


def _each(kind: Kind, values: Any, convert: Callable[[Any, int], Any]) -> Any:
    """Return each coefficient converted, which is given with the order of its derivatives."""
    if kind in _SINGLE:
        return convert(values, _SINGLE[kind])
    if kind == "polynomial":
        return tuple(convert(value, 0) for value in values)
    if kind not in get_args(Kind):
        kinds = get_args(Kind)
        raise SpecError(
            f"coefficients are of the kinds {', '.join(kinds)}; got {kind!r}{suggest(kind, kinds)}"
        )
    each = triple(values) if kind == "nonlinear" else values
    return tuple(convert(value, order) for order, value in enumerate(each))


def _check_one_axis(**given: Any) -> None:
    """Refuse what is given for several axes."""
    for name, value in given.items():
        if isinstance(value, tuple | list):
            raise SpecError(
                f"{name} must be one number here, that of the longest axis, got {value!r};"
                " physical coefficients take axes of any length and number of points"
            )


def triple(values: Coefficients) -> tuple[Coefficient, Coefficient, Coefficient]:
    """Return the coefficients of the quadratic, the convection and the gradient-norm part.

    Raises
    ------
    SpecError
        If there are not exactly three.
    """
    if len(values) != NUM_NONLINEAR:
        raise SpecError(
            "nonlinear coefficients must be three (quadratic, convection, gradient norm),"
            f" got {len(values)}: {values!r}"
        )
    first, second, third = values
    return first, second, third
