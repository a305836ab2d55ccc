"""Pages about stored results: a report of one study, a leaderboard of several published ones."""

from apexr._doors import check_all
from apexr._report._leaderboard import leaderboard
from apexr._report._report import report

__all__ = ["leaderboard", "report"]

check_all(globals())
