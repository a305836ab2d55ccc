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
    denormalize,
    from_difficulty,
    normalize,
    to_difficulty,
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
    "denormalize",
    "from_difficulty",
    "isotropic_symbol",
    "normalize",
    "repeat",
    "rollout",
    "simulate",
    "simulation",
    "solver",
    "stack_sub_trajectories",
    "to_difficulty",
]

_CONVERSIONS = ("normalize", "denormalize", "to_difficulty", "from_difficulty")

check_all(
    globals(),
    own={"Poisson": ("f",), **dict.fromkeys(_CONVERSIONS, ("num_points", "domain_extent", "kind"))},
)
