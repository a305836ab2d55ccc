"""Equations as frozen data: their coefficients, linear symbols and nonlinear terms."""

from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._convection import Convection
from apexr.steppers.equations._gradient_norm import GradientNorm
from apexr.steppers.equations._linear import Linear, isotropic_symbol
from apexr.steppers.equations._nonlinear import Nonlinear
from apexr.steppers.equations._polynomial import Polynomial

__all__ = [
    "Convection",
    "Equation",
    "GradientNorm",
    "Linear",
    "Nonlinear",
    "Polynomial",
    "isotropic_symbol",
]
