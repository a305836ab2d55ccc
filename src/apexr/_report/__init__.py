"""Pages about stored results: a report of one study, a leaderboard of published ones.

The leaderboard is imported by itself: it parses config strings, for which JAX is imported.
"""

from apexr._doors import check_all
from apexr._report._report import report

__all__ = ["report"]

check_all(globals())
