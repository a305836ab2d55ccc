"""Pages to look with: over a study, also while it runs, and over the data of all scenarios.

Importing this package is cheap; Panel is loaded by the first page, JAX by the explorer alone.
"""

from apexr.dashboard._records import Records, choices, filtered
from apexr.dashboard._serve import serve
from apexr.dashboard._study import study_page

__all__ = [
    "Records",
    "choices",
    "filtered",
    "serve",
    "study_page",
]
