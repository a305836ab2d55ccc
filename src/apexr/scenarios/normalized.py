"""Scenarios by normalized coefficients: those of an extent of 1 and a time step of 1.

A linear coefficient αⱼ and a nonlinear one βⱼ hold the extent and the time step, so that equal
coefficients give equal states on any grid that resolves them; α₁ is the part of the domain
crossed in a step. Each axis has the extent 1, whatever its ``num_points``; for axes of different
lengths take a physical scenario. All coefficients stand on the right-hand side of the equation.
The defaults are made for 160 points in 1D.

References
----------
Koehler et al. (2024), "APEBench: A Benchmark for Autoregressive Neural Emulators of PDEs",
NeurIPS, section 3.
"""

from apexr.scenarios._equations import scenarios_of
from apexr.scenarios._terms import NORMALIZED

_made = scenarios_of(NORMALIZED, __name__)
globals().update(_made)
__all__ = list(_made)
