"""A report of a study: one page and one Markdown file, with figures next to the code for them."""

from apexr._doors import check_all
from apexr._report._report import report

__all__ = ["report"]

check_all(globals())
