"""Scenarios by difficulty: coefficients relative to the resolution of the grid.

A linear coefficient γⱼ and a nonlinear one δⱼ say how hard one step is for a stencil on the
grid, whatever the number of points; γ₁ is the number of cells crossed in a step. All
coefficients stand on the right-hand side of the equation. There is no time and no length: the
step and the extent are 1. Where ``num_points`` differs from axis to axis, the cells stay square,
so that a coefficient is as hard along every axis, and the longest axis has the extent 1.

References
----------
Koehler et al. (2024), "APEBench: A Benchmark for Autoregressive Neural Emulators of PDEs",
NeurIPS, section 3.
"""

from apexr.scenarios._equations import scenarios_of
from apexr.scenarios._terms import DIFFICULTY

_made = scenarios_of(DIFFICULTY, __name__)
globals().update(_made)
__all__ = list(_made)
