"""The solver alone: from initial states to labeled trajectories, in memory or in a store."""

from apexr._doors import check_all
from apexr._simulate._simulate import simulate
from apexr._simulate._solver import read_solver
from apexr._simulate._states import read_states

__all__ = ["read_solver", "read_states", "simulate"]

_OWN = ("solver", "num_steps", "num_warmup_steps", "save_every", "memory_budget")

check_all(globals(), ["simulate"], {"simulate": _OWN}, filled=True)
