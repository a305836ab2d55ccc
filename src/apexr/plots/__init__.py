"""Pictures of results: HoloViews objects from Datasets, in memory or lazy.

Importing this package is cheap; HoloViews is loaded by the first plot.
"""

from apexr.plots._compare import compare
from apexr.plots._facets import facets
from apexr.plots._loss import loss
from apexr.plots._metric import metric
from apexr.plots._overview import overview
from apexr.plots._panels import panels
from apexr.plots._save import save
from apexr.plots._spacetime import spacetime
from apexr.plots._state import state
from apexr.plots._trajectory import trajectory

__all__ = [
    "compare",
    "facets",
    "loss",
    "metric",
    "overview",
    "panels",
    "save",
    "spacetime",
    "state",
    "trajectory",
]
