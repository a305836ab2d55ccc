"""Scenarios by physical coefficients, with the extent of the domain and the time step.

A linear coefficient aⱼ and a nonlinear one bⱼ stand on the right-hand side of the equation as
it is written in textbooks. Initial conditions are drawn as on a domain of extent 1 and
stretched to ``domain_extent``. The defaults are made for 160 points in 1D.

References
----------
Koehler et al. (2024), "APEBench: A Benchmark for Autoregressive Neural Emulators of PDEs",
NeurIPS, section 3.
"""

from apexr.scenarios.physical._anisotropic import (
    AnisotropicDiffusion,
    DiagonalDiffusion,
    SpatiallyMixedDispersion,
    SpatiallyMixedHyperDiffusion,
    UnbalancedAdvection,
)
from apexr.scenarios.physical._flow import (
    DecayingTurbulence,
    KolmogorovFlow,
)
from apexr.scenarios.physical._reaction import (
    FisherKPP,
    GrayScott,
    GrayScottType,
    Polynomial,
    SwiftHohenberg,
)
from apexr.scenarios.physical._shared import (
    Advection,
    AdvectionDiffusion,
    Burgers,
    BurgersSingleChannel,
    Convection,
    Diffusion,
    Dispersion,
    FirstFour,
    HyperDiffusion,
    KortewegDeVries,
    KuramotoSivashinsky,
    KuramotoSivashinskyConservative,
    Linear,
    LinearSimple,
    Nonlinear,
)
from apexr.scenarios.physical._steady import (
    Poisson,
)

__all__ = [
    "Advection",
    "AdvectionDiffusion",
    "AnisotropicDiffusion",
    "Burgers",
    "BurgersSingleChannel",
    "Convection",
    "DecayingTurbulence",
    "DiagonalDiffusion",
    "Diffusion",
    "Dispersion",
    "FirstFour",
    "FisherKPP",
    "GrayScott",
    "GrayScottType",
    "HyperDiffusion",
    "KolmogorovFlow",
    "KortewegDeVries",
    "KuramotoSivashinsky",
    "KuramotoSivashinskyConservative",
    "Linear",
    "LinearSimple",
    "Nonlinear",
    "Poisson",
    "Polynomial",
    "SpatiallyMixedDispersion",
    "SpatiallyMixedHyperDiffusion",
    "SwiftHohenberg",
    "UnbalancedAdvection",
]
