"""Pages to look with: over a study, also while it runs, and over the data of all scenarios.

Importing this package is cheap; Panel is loaded by the first page, JAX by the explorer alone.
"""

from apexr._doors import check_all
from apexr.dashboard._explorer import explorer
from apexr.dashboard._export import export
from apexr.dashboard._serve import show_explorer, show_study
from apexr.dashboard._study import study_page

__all__ = ["explorer", "export", "show_explorer", "show_study", "study_page"]

check_all(globals(), filled=True)
