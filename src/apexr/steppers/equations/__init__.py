"""Equations as frozen data: their coefficients, linear symbols and nonlinear terms."""

from apexr._doors import check_all
from apexr.steppers.equations._base import Equation
from apexr.steppers.equations._burgers import Burgers
from apexr.steppers.equations._cahn_hilliard import CahnHilliard
from apexr.steppers.equations._composed import Composed, Growth
from apexr.steppers.equations._convection import Convection
from apexr.steppers.equations._dispersion import Dispersion, HyperDiffusion
from apexr.steppers.equations._gradient_norm import GradientNorm
from apexr.steppers.equations._kdv import KortewegDeVries
from apexr.steppers.equations._kuramoto_sivashinsky import (
    KuramotoSivashinsky,
    KuramotoSivashinskyConservative,
)
from apexr.steppers.equations._linear import Linear, isotropic_symbol
from apexr.steppers.equations._nonlinear import Nonlinear
from apexr.steppers.equations._polynomial import Polynomial
from apexr.steppers.equations._reaction_systems import BelousovZhabotinsky, GrayScott
from apexr.steppers.equations._reactions import AllenCahn, FisherKPP
from apexr.steppers.equations._swift_hohenberg import SwiftHohenberg
from apexr.steppers.equations._transport import Advection, AdvectionDiffusion, Diffusion
from apexr.steppers.equations._velocity import KolmogorovFlowVelocity, NavierStokesVelocity
from apexr.steppers.equations._vorticity import (
    KolmogorovFlowVorticity,
    NavierStokesVorticity,
    VorticityConvection,
    VorticityForm,
)

_FORM = ("form", "injection_mode")
_ONE_AXIS = ("num_points", "domain_extent")
_OWN = {
    **dict.fromkeys(("Advection", "AdvectionDiffusion", "Diffusion"), ("velocity", "diffusivity")),
    **dict.fromkeys(("Dispersion", "HyperDiffusion"), ("dispersivity", "hyper_diffusivity")),
    **dict.fromkeys(("KolmogorovFlowVelocity", "KolmogorovFlowVorticity"), _FORM),
    **dict.fromkeys(("NavierStokesVorticity", "VorticityConvection"), _FORM),
    **dict.fromkeys(("Linear", "Convection", "GradientNorm", "Nonlinear", "Polynomial"), _ONE_AXIS),
}
"""Parameters of which an equation says more itself than a door."""

__all__ = [
    "Advection",
    "AdvectionDiffusion",
    "AllenCahn",
    "BelousovZhabotinsky",
    "Burgers",
    "CahnHilliard",
    "Composed",
    "Convection",
    "Diffusion",
    "Dispersion",
    "Equation",
    "FisherKPP",
    "GradientNorm",
    "GrayScott",
    "Growth",
    "HyperDiffusion",
    "KolmogorovFlowVelocity",
    "KolmogorovFlowVorticity",
    "KortewegDeVries",
    "KuramotoSivashinsky",
    "KuramotoSivashinskyConservative",
    "Linear",
    "NavierStokesVelocity",
    "NavierStokesVorticity",
    "Nonlinear",
    "Polynomial",
    "SwiftHohenberg",
    "VorticityConvection",
    "VorticityForm",
    "isotropic_symbol",
]

check_all(globals(), own=_OWN)
