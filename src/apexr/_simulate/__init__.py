"""The solver alone: from initial states to labelled trajectories, in memory or in a store."""

from apexr._simulate._simulate import simulate

__all__ = ["simulate"]
