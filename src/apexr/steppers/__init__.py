"""Solvers: equations as data, and the steppers that advance them in time.

An :class:`Equation` states a linear symbol and a nonlinear term; an :class:`ETDRKStepper` solves
any of them on a grid of one to three dimensions, at orders 1 to 4, linear ones exactly. A
:class:`FiniteDifferenceStepper` solves those with derivatives along the axes and convection.
:data:`SOLVERS` has both by config string.
"""

from apexr._doors import check_all
from apexr.steppers._blocks import blocks
from apexr.steppers._finite_difference import FiniteDifferenceStepper
from apexr.steppers._forced import ForcedStepper
from apexr.steppers._functional import stack_sub_trajectories
from apexr.steppers._march import FieldMarch, March, SpectralMarch
from apexr.steppers._poisson import Poisson
from apexr.steppers._rollout import compile_simulation, repeat, rollout, simulate, simulation
from apexr.steppers._schemes import (
    ETDRK,
    SOLVERS,
    FiniteDifference,
    SolverSpec,
    solver,
)
from apexr.steppers._solver import Solver, as_solver
from apexr.steppers._stepper import ETDRKStepper, RepeatedStepper, Stepper
from apexr.steppers._terms import (
    NonlinearTerm,
    PointwiseTerm,
    PseudoSpectral,
    QuadraticTerm,
    ZeroTerm,
)
from apexr.steppers._wave import Wave
from apexr.steppers.equations import (
    Advection,
    AdvectionDiffusion,
    AllenCahn,
    BelousovZhabotinsky,
    Burgers,
    CahnHilliard,
    Composed,
    Convection,
    Diffusion,
    Dispersion,
    Equation,
    FisherKPP,
    GradientNorm,
    GrayScott,
    Growth,
    HyperDiffusion,
    KolmogorovFlowVelocity,
    KolmogorovFlowVorticity,
    KortewegDeVries,
    KuramotoSivashinsky,
    KuramotoSivashinskyConservative,
    Linear,
    NavierStokesVelocity,
    NavierStokesVorticity,
    Nonlinear,
    Polynomial,
    SwiftHohenberg,
    VorticityConvection,
    VorticityForm,
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
    "ETDRK",
    "SOLVERS",
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
    "ETDRKStepper",
    "Equation",
    "FieldMarch",
    "FiniteDifference",
    "FiniteDifferenceStepper",
    "FisherKPP",
    "ForcedStepper",
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
    "March",
    "NavierStokesVelocity",
    "NavierStokesVorticity",
    "Nonlinear",
    "NonlinearTerm",
    "PointwiseTerm",
    "Poisson",
    "Polynomial",
    "PseudoSpectral",
    "QuadraticTerm",
    "RepeatedStepper",
    "Solver",
    "SolverSpec",
    "SpectralMarch",
    "Stepper",
    "SwiftHohenberg",
    "VorticityConvection",
    "VorticityForm",
    "Wave",
    "ZeroTerm",
    "as_solver",
    "blocks",
    "compile_simulation",
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
    "simulation",
    "solver",
    "stack_sub_trajectories",
]

_CONVERSIONS = ("linear", "convection", "gradient_norm", "nonlinear", "polynomial")
_FORMS = ("normalize_{}", "denormalize_{}", "{}_difficulty", "{}_from_difficulty")
_NAMES = tuple(form.format(kind) for form in _FORMS for kind in _CONVERSIONS)

check_all(
    globals(),
    own={"Poisson": ("f",), **dict.fromkeys(_NAMES, ("num_points", "domain_extent"))},
)
