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

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from apexr._grammar import Dimensions, PositiveFloat, PositiveInt
from apexr.errors import SpecError
from apexr.steppers.equations._base import Coefficient

Coefficients = Sequence[Coefficient]
NUM_NONLINEAR = 3
Convert = TypeVar("Convert", bound=Callable[..., Any])


def _for_one_axis(convert: Convert) -> Convert:
    """Make a conversion refuse what is given for several axes."""

    @functools.wraps(convert)
    def checked(*args: Any, **keywords: Any) -> Any:
        for name in ("domain_extent", "num_points"):
            if isinstance(given := keywords.get(name), tuple | list):
                raise SpecError(
                    f"{name} must be one number here, that of the longest axis, got {given!r};"
                    " physical coefficients take axes of any length and number of points"
                )
        return convert(*args, **keywords)

    return checked  # type: ignore[return-value]


@_for_one_axis
def normalize_linear(
    coefficients: Coefficients, *, domain_extent: PositiveFloat, dt: PositiveFloat
) -> tuple[Coefficient, ...]:
    """Return ``α_j`` of physical ``a_j``."""
    return tuple(a * dt / domain_extent**j for j, a in enumerate(coefficients))


@_for_one_axis
def denormalize_linear(
    normalized: Coefficients, *, domain_extent: PositiveFloat, dt: PositiveFloat
) -> tuple[Coefficient, ...]:
    """Return ``a_j`` of normalized ``α_j``."""
    return tuple(alpha / dt * domain_extent**j for j, alpha in enumerate(normalized))


@_for_one_axis
def linear_difficulty(
    normalized: Coefficients, *, num_spatial_dims: Dimensions, num_points: PositiveInt
) -> tuple[Coefficient, ...]:
    """Return ``γ_j`` of normalized ``α_j``."""
    return tuple(
        alpha * _stencil(j, num_spatial_dims, num_points) if j else alpha
        for j, alpha in enumerate(normalized)
    )


@_for_one_axis
def linear_from_difficulty(
    difficulty: Coefficients, *, num_spatial_dims: Dimensions, num_points: PositiveInt
) -> tuple[Coefficient, ...]:
    """Return normalized ``α_j`` of ``γ_j``."""
    return tuple(
        gamma / _stencil(j, num_spatial_dims, num_points) if j else gamma
        for j, gamma in enumerate(difficulty)
    )


def _stencil(order: int, num_spatial_dims: Dimensions, num_points: PositiveInt) -> float:
    return float(num_points**order * 2 ** (order - 1) * num_spatial_dims)


@_for_one_axis
def normalize_convection(
    coefficient: Coefficient, *, domain_extent: PositiveFloat, dt: PositiveFloat
) -> Coefficient:
    """Return ``β₁`` of a physical ``b₁``."""
    return coefficient * dt / domain_extent


@_for_one_axis
def denormalize_convection(
    normalized: Coefficient, *, domain_extent: PositiveFloat, dt: PositiveFloat
) -> Coefficient:
    """Return ``b₁`` of a normalized ``β₁``."""
    return normalized / dt * domain_extent


@_for_one_axis
def convection_difficulty(
    normalized: Coefficient,
    *,
    num_spatial_dims: Dimensions,
    num_points: PositiveInt,
    maximum_absolute: PositiveFloat = 1.0,
) -> Coefficient:
    """Return ``δ₁`` of a normalized ``β₁``."""
    return normalized * (maximum_absolute * num_points * num_spatial_dims)


@_for_one_axis
def convection_from_difficulty(
    difficulty: Coefficient,
    *,
    num_spatial_dims: Dimensions,
    num_points: PositiveInt,
    maximum_absolute: PositiveFloat = 1.0,
) -> Coefficient:
    """Return a normalized ``β₁`` of ``δ₁``."""
    return difficulty / (maximum_absolute * num_points * num_spatial_dims)


@_for_one_axis
def normalize_gradient_norm(
    coefficient: Coefficient, *, domain_extent: PositiveFloat, dt: PositiveFloat
) -> Coefficient:
    """Return ``β₂`` of a physical ``b₂``."""
    return coefficient * dt / domain_extent**2


@_for_one_axis
def denormalize_gradient_norm(
    normalized: Coefficient, *, domain_extent: PositiveFloat, dt: PositiveFloat
) -> Coefficient:
    """Return ``b₂`` of a normalized ``β₂``."""
    return normalized / dt * domain_extent**2


@_for_one_axis
def gradient_norm_difficulty(
    normalized: Coefficient,
    *,
    num_spatial_dims: Dimensions,
    num_points: PositiveInt,
    maximum_absolute: PositiveFloat = 1.0,
) -> Coefficient:
    """Return ``δ₂`` of a normalized ``β₂``."""
    return normalized * (maximum_absolute * num_points**2 * num_spatial_dims)


@_for_one_axis
def gradient_norm_from_difficulty(
    difficulty: Coefficient,
    *,
    num_spatial_dims: Dimensions,
    num_points: PositiveInt,
    maximum_absolute: PositiveFloat = 1.0,
) -> Coefficient:
    """Return a normalized ``β₂`` of ``δ₂``."""
    return difficulty / (maximum_absolute * num_points**2 * num_spatial_dims)


def normalize_polynomial(
    coefficients: Coefficients, *, dt: PositiveFloat
) -> tuple[Coefficient, ...]:
    """Return ``c_k Δt`` of physical ``c_k``."""
    return tuple(c * dt for c in coefficients)


def denormalize_polynomial(
    normalized: Coefficients, *, dt: PositiveFloat
) -> tuple[Coefficient, ...]:
    """Return physical ``c_k`` of ``c_k Δt``."""
    return tuple(c / dt for c in normalized)


@_for_one_axis
def normalize_nonlinear(
    coefficients: Coefficients, *, domain_extent: PositiveFloat, dt: PositiveFloat
) -> tuple[Coefficient, ...]:
    """Return ``(β₀, β₁, β₂)`` of physical ``(b₀, b₁, b₂)``."""
    b0, b1, b2 = triple(coefficients)
    scale = {"domain_extent": domain_extent, "dt": dt}
    return b0 * dt, normalize_convection(b1, **scale), normalize_gradient_norm(b2, **scale)


@_for_one_axis
def denormalize_nonlinear(
    normalized: Coefficients, *, domain_extent: PositiveFloat, dt: PositiveFloat
) -> tuple[Coefficient, ...]:
    """Return physical ``(b₀, b₁, b₂)`` of ``(β₀, β₁, β₂)``."""
    b0, b1, b2 = triple(normalized)
    scale = {"domain_extent": domain_extent, "dt": dt}
    return b0 / dt, denormalize_convection(b1, **scale), denormalize_gradient_norm(b2, **scale)


@_for_one_axis
def nonlinear_difficulty(
    normalized: Coefficients,
    *,
    num_spatial_dims: Dimensions,
    num_points: PositiveInt,
    maximum_absolute: PositiveFloat = 1.0,
) -> tuple[Coefficient, ...]:
    """Return ``(δ₀, δ₁, δ₂)`` of ``(β₀, β₁, β₂)``."""
    b0, b1, b2 = triple(normalized)
    cells = maximum_absolute * num_points * num_spatial_dims
    return b0, b1 * cells, b2 * (maximum_absolute * num_points**2 * num_spatial_dims)


@_for_one_axis
def nonlinear_from_difficulty(
    difficulty: Coefficients,
    *,
    num_spatial_dims: Dimensions,
    num_points: PositiveInt,
    maximum_absolute: PositiveFloat = 1.0,
) -> tuple[Coefficient, ...]:
    """Return ``(β₀, β₁, β₂)`` of ``(δ₀, δ₁, δ₂)``."""
    d0, d1, d2 = triple(difficulty)
    cells = maximum_absolute * num_points * num_spatial_dims
    return d0, d1 / cells, d2 / (maximum_absolute * num_points**2 * num_spatial_dims)


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
