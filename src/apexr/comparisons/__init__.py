"""Comparisons of emulators with solvers: where errors come from, how fast perturbations grow."""

from apexr.comparisons._decompose import decompose
from apexr.comparisons._lyapunov import lyapunov

__all__ = ["decompose", "lyapunov"]
