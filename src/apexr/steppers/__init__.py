"""Solvers: equations as data, and the steppers that advance them in time.

An :class:`Equation` states a linear symbol and a nonlinear term; an :class:`ETDRKStepper` solves
any of them on a grid of one to three dimensions, at orders 1 to 4, linear ones exactly.
"""

from apexr.steppers._blocks import FieldMarch, March, SpectralMarch, blocks
from apexr.steppers._rollout import repeat, rollout, simulate
from apexr.steppers._stepper import ETDRKStepper, RepeatedStepper, Stepper
from apexr.steppers._terms import (
    NonlinearTerm,
    PointwiseTerm,
    PseudoSpectral,
    QuadraticTerm,
    ZeroTerm,
)
from apexr.steppers.equations import (
    Convection,
    Equation,
    GradientNorm,
    Linear,
    Nonlinear,
    Polynomial,
    isotropic_symbol,
)
from apexr.steppers.equations._parametrisations import (
    convection_difficulty,
    convection_from_difficulty,
    denormalize_convection,
    denormalize_gradient_norm,
    denormalize_linear,
    denormalize_nonlinear,
    denormalize_polynomial,
    gradient_norm_difficulty,
    gradient_norm_from_difficulty,
    linear_difficulty,
    linear_from_difficulty,
    nonlinear_difficulty,
    nonlinear_from_difficulty,
    normalize_convection,
    normalize_gradient_norm,
    normalize_linear,
    normalize_nonlinear,
    normalize_polynomial,
)

__all__ = [
    "Convection",
    "ETDRKStepper",
    "Equation",
    "FieldMarch",
    "GradientNorm",
    "Linear",
    "March",
    "Nonlinear",
    "NonlinearTerm",
    "PointwiseTerm",
    "Polynomial",
    "PseudoSpectral",
    "QuadraticTerm",
    "RepeatedStepper",
    "SpectralMarch",
    "Stepper",
    "ZeroTerm",
    "blocks",
    "convection_difficulty",
    "convection_from_difficulty",
    "denormalize_convection",
    "denormalize_gradient_norm",
    "denormalize_linear",
    "denormalize_nonlinear",
    "denormalize_polynomial",
    "gradient_norm_difficulty",
    "gradient_norm_from_difficulty",
    "isotropic_symbol",
    "linear_difficulty",
    "linear_from_difficulty",
    "nonlinear_difficulty",
    "nonlinear_from_difficulty",
    "normalize_convection",
    "normalize_gradient_norm",
    "normalize_linear",
    "normalize_nonlinear",
    "normalize_polynomial",
    "repeat",
    "rollout",
    "simulate",
]
