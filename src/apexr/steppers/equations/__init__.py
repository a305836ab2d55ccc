"""Equations as frozen data: their coefficients, linear symbols and nonlinear terms."""

from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._convection import Convection
from apexr.steppers.equations._gradient_norm import GradientNorm
from apexr.steppers.equations._linear import Linear, isotropic_symbol
from apexr.steppers.equations._nonlinear import Nonlinear
from apexr.steppers.equations._polynomial import Polynomial
from apexr.steppers.equations._reaction_systems import BelousovZhabotinsky, GrayScott
from apexr.steppers.equations._swift_hohenberg import SwiftHohenberg
from apexr.steppers.equations._velocity import KolmogorovFlowVelocity, NavierStokesVelocity
from apexr.steppers.equations._vorticity import (
    KolmogorovFlowVorticity,
    NavierStokesVorticity,
    VorticityConvection,
)

__all__ = [
    "BelousovZhabotinsky",
    "Convection",
    "Equation",
    "GradientNorm",
    "GrayScott",
    "KolmogorovFlowVelocity",
    "KolmogorovFlowVorticity",
    "Linear",
    "NavierStokesVelocity",
    "NavierStokesVorticity",
    "Nonlinear",
    "Polynomial",
    "SwiftHohenberg",
    "VorticityConvection",
    "isotropic_symbol",
]
