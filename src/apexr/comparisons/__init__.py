"""Emulators compared with solvers: sources of error, ensembles, climates, growth, cost."""

from apexr._doors import check_all
from apexr.comparisons._climate import climate
from apexr.comparisons._decompose import decompose
from apexr.comparisons._ensemble import ensemble
from apexr.comparisons._ladder import clock, solver_ladder
from apexr.comparisons._lyapunov import lyapunov

__all__ = ["climate", "clock", "decompose", "ensemble", "lyapunov", "solver_ladder"]

check_all(globals(), filled=True)
