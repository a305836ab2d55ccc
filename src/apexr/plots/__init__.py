"""Pictures of results: HoloViews objects from Datasets, in memory or lazy.

Importing this package is cheap; HoloViews is loaded by the first plot.
"""

from apexr._doors import check_all
from apexr.analysis.reductions._cost import pareto_front
from apexr.plots._animate import animate
from apexr.plots._climate import climate
from apexr.plots._compare import compare
from apexr.plots._cost import pareto
from apexr.plots._decomposition import decomposition
from apexr.plots._explore import explore
from apexr.plots._facets import facets
from apexr.plots._heatmap import heatmap
from apexr.plots._loss import loss
from apexr.plots._methods import interquartile_mean, performance_profile
from apexr.plots._metric import metric
from apexr.plots._overview import overview
from apexr.plots._panels import panels
from apexr.plots._save import save
from apexr.plots._scaling import scaling
from apexr.plots._sizes import sizes
from apexr.plots._spacetime import spacetime
from apexr.plots._spectral import error_spectrum, spectra
from apexr.plots._state import state
from apexr.plots._trajectory import trajectory

__all__ = [
    "animate",
    "climate",
    "compare",
    "decomposition",
    "error_spectrum",
    "explore",
    "facets",
    "heatmap",
    "interquartile_mean",
    "loss",
    "metric",
    "overview",
    "panels",
    "pareto",
    "pareto_front",
    "performance_profile",
    "save",
    "scaling",
    "sizes",
    "spacetime",
    "spectra",
    "state",
    "trajectory",
]

check_all(
    globals(),
    filled=True,
    own={"animate": ("parts",), "panels": ("plots",), "state": ("times",)},
)
