"""Results of other programs in a study: tables and weights of the published benchmark.

Nothing in a file is ever run: cells are read as numbers and plain data, weights as arrays.
"""

from apexr._doors import check_all
from apexr.transfer._import import Imported, import_results

__all__ = ["Imported", "import_results"]

check_all(globals())
